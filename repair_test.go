package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// problems describes findings, in order.
func problems(findings []Finding) []string {
	var all []string
	for _, f := range findings {
		text := string(f.Problem) + " " + strings.TrimSpace(firstOf(f.ID, f.Secret))
		if f.Repaired {
			text += ", repaired"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// payload returns what a secret holds, and plant puts something else in its place.
func (w *world) payload(t *testing.T, name string) string {
	t.Helper()
	secret, err := w.Secrets.Latest(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(secret.Payload)
}

func (w *world) remove(t *testing.T, name string) {
	t.Helper()
	if err := w.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// growing returns a handle whose index splits in two at every second entry.
func (w *world) growing() *SecretStore {
	s := w.handle()
	s.seams.fanOut, s.seams.leafEntries = 2, 1
	return s
}

func TestVerifyNamesWhatIsWrongAndRepairPutsItRight(t *testing.T) {
	replaced := func(w *world, t *testing.T, name, old, with string) {
		text := w.payload(t, name)
		changed := strings.Replace(text, old, with, 1)
		if changed == text {
			t.Fatalf("%q is not in %s", old, name)
		}
		w.Plant(name, []byte(changed))
	}
	tests := []struct {
		name   string
		damage func(t *testing.T, w *world)
		want   []string // of Verify
		left   []string // of Verify after Repair
		tokens int      // after Repair
	}{
		{"nothing", func(*testing.T, *world) {}, nil, nil, 3},
		{"the first index secret is gone", func(t *testing.T, w *world) { w.remove(t, "i_r") }, []string{"broken index i_r"}, nil, 3},
		{"the whole index is gone", func(t *testing.T, w *world) {
			for _, name := range w.Names() {
				if strings.HasPrefix(name, indexName) {
					w.remove(t, name)
				}
			}
		}, []string{"unlisted 1", "unlisted 2", "unlisted 3"}, nil, 3},
		{"an index that is cut off", func(t *testing.T, w *world) { p := w.payload(t, "i_r"); w.Plant("i_r", []byte(p[:len(p)/2])) },
			[]string{"broken index i_r", "unlisted 1", "unlisted 2", "unlisted 3"}, nil, 3},
		{"a half of the index is gone", func(t *testing.T, w *world) { w.remove(t, "i_r1") },
			[]string{"broken index i_r1", "unlisted 3"}, nil, 3},
		{"a half of the index is cut off", func(_ *testing.T, w *world) { w.Plant("i_r0", []byte(`{"tokenkeep":1,"kind":"index","path":"0"`)) },
			[]string{"broken index i_r0", "unlisted 1", "unlisted 2"}, nil, 3},
		{"the index is put back to before its split", func(t *testing.T, w *world) {
			replaced(w, t, "i_r", `"state":"moved"`, `"state":"leaf"`)
		}, []string{"broken index i_r"}, nil, 3},
		{"an index that is put back to before an entry", func(t *testing.T, w *world) {
			replaced(w, t, "i_r1", `"id":"3"`, `"id":"9"`)
		}, []string{"unlisted 3"}, nil, 3},
		{"an index of somebody else", func(_ *testing.T, w *world) { w.Plant("i_r1", []byte(`{"theirs":true}`)) },
			[]string{"unlisted 3", "unusable i_r1"}, []string{"unlisted 3", "unusable i_r1"}, 3},
		{"a split that did not end", func(t *testing.T, w *world) {
			n, err := decodeNode("1", []byte(w.payload(t, "i_r1")))
			if err != nil {
				t.Fatal(err)
			}
			n.state = stateSplit
			payload, _ := n.encode("n")
			w.Plant("i_r1", payload)
		}, []string{"unfinished split i_r1"}, nil, 3},
		{"a token of a newer version", func(t *testing.T, w *world) { replaced(w, t, "t_p1", `"tokenkeep":1`, `"tokenkeep":2`) },
			[]string{"unusable 1"}, []string{"unusable 1"}, 2},
		{"a foreign token", func(_ *testing.T, w *world) { w.Plant("t_p9", []byte("theirs")) },
			[]string{"unusable 9"}, []string{"unusable 9"}, 3},
		{"secrets of somebody else", func(_ *testing.T, w *world) { w.Plant("notes", []byte("x")); w.Plant("i_r2x", []byte("x")) },
			[]string{"stranger i_r2x", "stranger notes"}, []string{"stranger i_r2x", "stranger notes"}, 3},
		{"entries of tokens that are long gone", func(t *testing.T, w *world) { w.remove(t, "t_p3"); w.clock = w.clock.Add(25 * time.Hour) },
			[]string{"stale entries i_r1"}, nil, 2},
		{"entries of a token that has just gone", func(t *testing.T, w *world) { w.remove(t, "t_p3") }, nil, nil, 2},
		{"two tokens of one identity", func(t *testing.T, w *world) {
			rec, err := decodeRecord("1", []byte(w.payload(t, "t_p1")))
			if err != nil {
				t.Fatal(err)
			}
			rec.ID = "4"
			payload, _ := rec.encode("n")
			w.Plant("t_p4", payload)
		}, []string{"two tokens of one identity 1", "unlisted 4"}, []string{"two tokens of one identity 1"}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			s := w.growing()
			for i, user := range []string{"a", "b", "u1"} { // listed in i_r00, i_r01 and i_r1
				mustSave(t, s, Token{ID: fmt.Sprint(i + 1), UserName: user, RefreshToken: fmt.Sprint("r", i)})
			}
			tt.damage(t, w)
			before := w.contents(t)
			report, err := w.growing().Verify(t.Context())
			if err != nil || !slices.Equal(problems(report.Findings), tt.want) || !report.Scanned {
				t.Errorf("Verify finds %q, error %v; want %q", problems(report.Findings), err, tt.want)
			}
			if !slices.Equal(w.contents(t), before) {
				t.Error("Verify has changed something")
			}
			report, err = w.growing().Repair(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("Repair: %q", problems(report.Findings))
			if report, err = w.growing().Verify(t.Context()); err != nil || !slices.Equal(problems(report.Findings), tt.left) || report.Tokens != tt.tokens {
				t.Errorf("after Repair: %d tokens, %q, error %v; want %d, %q", report.Tokens, problems(report.Findings), err, tt.tokens, tt.left)
			}
			if tt.left == nil {
				if tokens, err := w.growing().GetTokens(t.Context()); err != nil || len(tokens) != tt.tokens {
					t.Errorf("GetTokens = %d tokens, error %v; want %d", len(tokens), err, tt.tokens)
				}
			}
		})
	}
}

// contents returns all secrets with their revisions.
func (w *world) contents(t *testing.T) []string {
	var all []string
	for _, name := range w.Names() {
		secret, err := w.Secrets.Latest(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name+" "+string(secret.Revision))
	}
	return all
}

func TestVerifyFailsWhereTheManagerDoes(t *testing.T) {
	w := newWorld()
	w.Plant("i_r", []byte("x"))
	ctx, cancel := contextEnded(t)
	defer cancel()
	if _, err := w.handle().Verify(ctx); !errors.Is(err, ctx.Err()) {
		t.Errorf("Verify: %v", err)
	}
	if _, err := w.handle().Repair(ctx); !errors.Is(err, ctx.Err()) {
		t.Errorf("Repair: %v", err)
	}
}

func contextEnded(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

// leaky is a world with versions that nobody reads.
type leaky struct {
	*world
	left map[string]int
}

func (l *leaky) Clean(_ context.Context, name string) (int, error) {
	n := l.left[name]
	if n < 0 {
		return 0, ErrPermission
	}
	delete(l.left, name)
	return n, nil
}

func TestRepairDestroysVersionsThatNobodyReads(t *testing.T) {
	l := &leaky{newWorld(), map[string]int{"t_p1": 2, "i_r": -1}}
	s := NewSecretStore(l, Options{})
	mustSave(t, s, Token{ID: "1", UserName: "ann", RefreshToken: "r"})
	report, err := s.Repair(t.Context())
	if want := []string{"leftover versions 1, repaired", "leftover versions i_r"}; err != nil || !slices.Equal(problems(report.Findings), want) {
		t.Errorf("Repair finds %q, error %v; want %q", problems(report.Findings), err, want)
	}
	if report, err = s.Repair(t.Context()); err != nil || len(report.Findings) != 1 || !errors.Is(report.Findings[0].Err, ErrPermission) {
		t.Errorf("Repair again finds %q, error %v; want what could not be destroyed", problems(report.Findings), err)
	}
}
