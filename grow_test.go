package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Places must never change: see place.
func TestPlaces(t *testing.T) {
	for value, want := range map[string]place{"ann@example.com": "6764959816be6122", "1000.refresh": "06ce82ae788aa4ff"} {
		if got := placeOf(digestOf(value).short(), fanOut); got != want {
			t.Errorf("the place of %q is %q; want %q", value, got, want)
		}
	}
}

func TestATokenWithoutAUserIsFoundByEachOfItsKeys(t *testing.T) {
	w := newWorld()
	s := w.growing()
	for i := range 8 {
		mustSave(t, s, Token{UserName: fmt.Sprint("user", i), RefreshToken: fmt.Sprint("r", i)})
	}
	saved := mustSave(t, s, Token{GrantToken: "grant", RefreshToken: "refresh"})
	mustSave(t, s, Token{ID: saved.ID, RefreshToken: "later"})
	for _, query := range []Token{{GrantToken: "grant"}, {RefreshToken: "later"}} {
		for _, user := range []string{"", "nobody"} {
			query.UserName = user
			for handle, s := range map[string]*SecretStore{"warm": s, "cold": w.growing()} {
				if got, err := s.FindToken(t.Context(), query); err != nil || got.ID != saved.ID {
					t.Errorf("FindToken(%v) of a %s handle = %q, error %v; want %q", query, handle, got.ID, err, saved.ID)
				}
			}
		}
	}
	named := mustSave(t, w.growing(), Token{UserName: "ann", RefreshToken: "later"})
	if named.ID != saved.ID {
		t.Errorf("a save that names it made %q; want %q", named.ID, saved.ID)
	}
	if report, err := w.growing().Verify(t.Context()); err != nil || len(report.Findings) > 0 {
		t.Errorf("Verify finds %q, error %v", problems(report.Findings), err)
	}
}

func TestALeafIsSplitBeforeTheDayRunsOutOfWrites(t *testing.T) {
	w := newWorld()
	w.Bounds = driver.Limits{WritesPerDay: 100}
	puts := w.countPuts()
	save := func(i int) {
		t.Helper()
		mustSave(t, w.handle(), Token{UserName: fmt.Sprint("user", i), RefreshToken: fmt.Sprint("r", i)})
	}
	for i := range maxLeafWrites {
		save(i)
	}
	if len(puts) != 1 || puts["i_r"] != maxLeafWrites {
		t.Fatalf("the index was written %v; want %d times, and no split", puts, maxLeafWrites)
	}
	w.clock = w.clock.Add(25 * time.Hour)
	save(100)
	if len(puts) != 1 {
		t.Fatalf("the writes of yesterday split the index: %v", puts)
	}
	for i := range maxLeafWrites {
		save(200 + i)
	}
	if len(puts) != 1+fanOut {
		t.Errorf("%d index secrets; want %d", len(puts), 1+fanOut)
	}
	if got, err := w.handle().GetTokens(t.Context()); err != nil || len(got) != 2*maxLeafWrites+1 {
		t.Errorf("GetTokens = %d tokens, error %v", len(got), err)
	}
}

func TestAReaderWithoutWritePermissionSeesAnUnfinishedSplit(t *testing.T) {
	w := newWorld()
	s := w.growing()
	mustSave(t, s, Token{UserName: "a", RefreshToken: "r"})
	died := errors.New("died")
	w.failAfter(indexName, died) // the writer dies when it has frozen the leaf
	if _, err := s.SaveToken(t.Context(), Token{UserName: "u1", RefreshToken: "z"}); !errors.Is(err, died) {
		t.Fatalf("SaveToken: %v", err)
	}
	if names := w.Names(); slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "i_r0") }) {
		t.Fatalf("there are children already: %q", names)
	}
	before := w.contents(t)
	if got, err := w.growing().FindToken(t.Context(), Token{UserName: "a"}); err != nil || got.RefreshToken != "r" {
		t.Errorf("FindToken = %v, %v", got, err)
	}
	if got, err := w.growing().GetTokens(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("GetTokens = %v, %v", got, err)
	}
	if !slices.Equal(w.contents(t), before) {
		t.Error("a reader has written")
	}
	w.onPut = nil
	mustSave(t, w.growing(), Token{UserName: "u1", RefreshToken: "z"})
	if report, err := w.growing().Verify(t.Context()); err != nil || len(report.Findings) > 0 || report.Tokens != 2 {
		t.Errorf("Verify: %d tokens, %q, error %v", report.Tokens, problems(report.Findings), err)
	}
}

// failAfter makes all puts fail but the first one of this name.
func (w *world) failAfter(name string, err error) {
	first := true
	w.onPut = func(ctx context.Context, put string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if put == name && first {
			first = false
			return w.Secrets.Put(ctx, put, payload, rev)
		}
		return "", err
	}
}
