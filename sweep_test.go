package tokenkeep

import (
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func TestSweepKeepsWhatAPutMayStillRelyOn(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	named, err := newRecord(Token{ID: "1", UserName: "ann", RefreshToken: "r2"})
	if err != nil {
		t.Fatal(err)
	}
	absent := func(at time.Time) *row { return &row{id: "1", fresh: true, at: at} }
	live := func(at time.Time) *row { return &row{id: "1", live: true, rec: named, fresh: true, at: at} }
	r1, r2 := digestOf("r1").short(), digestOf("r2").short()
	ann, bob := digestOf("ann").short(), digestOf("bob").short()
	tests := []struct {
		name  string
		entry entry
		read  *row
		want  []digest // the keys that are left; nil: the entry goes
	}{
		{"a young entry of an absent token", entry{ID: "1", User: ann, Keys: []digest{r1}, Stamp: ago(23 * time.Hour)}, absent(ago(0)), []digest{r1}},
		{"an old entry that nobody looked after", entry{ID: "1", User: ann, Keys: []digest{r1}, Stamp: ago(30 * time.Hour)}, nil, []digest{r1}},
		{"an old entry of a token that is absent", entry{ID: "1", User: ann, Keys: []digest{r1}, Stamp: ago(30 * time.Hour)}, absent(ago(time.Hour)), nil},
		{"one that was read before it came of age", entry{ID: "1", User: ann, Keys: []digest{r1}, Stamp: ago(30 * time.Hour)}, absent(ago(7 * time.Hour)), []digest{r1}},
		{"one that was not read strongly", entry{ID: "1", User: ann, Keys: []digest{r1}, Stamp: ago(30 * time.Hour)}, &row{id: "1", at: ago(time.Hour)}, []digest{r1}},
		{"an old name of a live token", entry{ID: "1", User: bob, Keys: []digest{r2}, Stamp: ago(30 * time.Hour)}, live(ago(time.Hour)), nil},
		{"an old key of a live token", entry{ID: "1", User: ann, Keys: []digest{r1, r2}, Stamp: ago(30 * time.Hour)}, live(ago(time.Hour)), []digest{r2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSecretStore(&memdriver.Secrets{}, Options{})
			s.seams.now = func() time.Time { return now }
			if tt.read != nil {
				s.cache.setRow(*tt.read)
			}
			l := &node{entries: entries{tt.entry}}
			changed := s.sweep(l) > 0
			if changed != !slices.Equal(tt.want, tt.entry.Keys) {
				t.Errorf("sweep reports a change: %v", changed)
			}
			switch {
			case tt.want == nil && len(l.entries) > 0:
				t.Error("the entry stays, it should go")
			case tt.want != nil && (len(l.entries) == 0 || !slices.Equal(l.entries[0].Keys, tt.want)):
				t.Errorf("entries %v, want one with the keys %v", l.entries, tt.want)
			}
		})
	}
}
