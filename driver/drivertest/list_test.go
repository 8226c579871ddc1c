package drivertest

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// lister is a driver in memory that lists, in a way that can be bent.
type lister struct {
	*memdriver.Secrets
	show  func(names []string) []string // what to list of the live names
	drops bool                          // the error of a context that has ended
	onGo  bool                          // goes on where the last range left off
}

func (l lister) Lag() time.Duration { return 0 }

func (l lister) List(ctx context.Context) iter.Seq2[string, error] {
	at := 0
	return func(yield func(string, error) bool) {
		if !l.onGo {
			at = 0
		}
		for names := l.show(l.Names()); at < len(names); {
			if err := ctx.Err(); err != nil {
				if !l.drops {
					yield("", err)
				}
				return
			}
			at++
			if !yield(names[at-1], nil) {
				return
			}
		}
	}
}

func TestListersAreChecked(t *testing.T) {
	const live = "a list names every live secret once, and else at most deleted ones"
	seen := map[*memdriver.Secrets][]string{}
	tests := []struct {
		name     string
		bend     func(l *lister)
		rejected []string
	}{
		{"a correct one", func(*lister) {}, nil},
		{"it leaves one out", func(l *lister) {
			l.show = func(names []string) []string { return names[:max(0, len(names)-1)] }
		}, []string{live, "a list can be left early and begun again", "a list ends with its context"}},
		{"it lists one twice", func(l *lister) {
			l.show = func(names []string) []string { return append(names, names[:min(1, len(names))]...) }
		}, []string{live, "a list can be left early and begun again", "a list ends with its context"}},
		{"it lists other folders", func(l *lister) {
			l.show = func(names []string) []string { return append(names, "../stranger") }
		}, []string{live, "a list of an empty folder is empty", "a list can be left early and begun again", "a list ends with its context"}},
		{"it goes on naming deleted secrets", func(l *lister) {
			l.show = func(names []string) []string {
				all := append(seen[l.Secrets], names...)
				slices.Sort(all)
				seen[l.Secrets] = slices.Compact(all)
				return seen[l.Secrets]
			}
		}, nil},
		{"it drops the error of its context", func(l *lister) { l.drops = true }, []string{"a list ends with its context"}},
		{"it goes on where it was left", func(l *lister) { l.onGo = true }, []string{"a list can be left early and begun again"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range listPromises {
				l := &lister{Secrets: new(memdriver.Secrets), show: func(names []string) []string { return names }}
				tt.bend(l)
				if p.fails(t, func() driver.Secrets { return l }) {
					got = append(got, p.sentence)
				}
			}
			if !slices.Equal(got, tt.rejected) {
				t.Errorf("the promises that reject it are %q; want %q", got, tt.rejected)
			}
		})
	}
}
