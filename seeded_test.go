//go:build !race

package tokenkeep

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// Each rule of the protocol, switched off, must make the explorer find a history that breaks a promise.
func TestExplorerCatchesEachRuleSwitchedOff(t *testing.T) {
	minutes := []time.Duration{2 * time.Minute}
	drop := act{verb: "delete and drop the entry", id: idA}
	dropUnchanged := act{verb: "delete and drop the unchanged entry", id: idA}
	tests := []struct {
		name string
		sc   scenario
		rule func(*sim, *SecretStore)
	}{
		{
			"W1: a delete drops the entry, and a warm save relies on it",
			scenario{before: []act{saveA1}, warm: true, actors: [][]act{{drop}, {saveA2}}},
			func(_ *sim, s *SecretStore) { s.seams.trustCache = true },
		},
		{
			"W2: a delete drops the entry if the index is unchanged",
			scenario{before: []act{saveA1}, actors: [][]act{{dropUnchanged}, {saveA2}}},
			func(_ *sim, s *SecretStore) { s.seams.trustCache = true },
		},
		{
			"W3: the same beside a first save",
			scenario{actors: [][]act{{saveA1}, {dropUnchanged}}},
			nil,
		},
		{
			"W4: a create that meets a token merges into it",
			scenario{actors: [][]act{{saveA1}, {saveA2, rename}}},
			func(_ *sim, s *SecretStore) { s.seams.createConflict = s.mergeBlindly },
		},
		{
			"W5: a revision comes back in a later life",
			scenario{before: []act{saveA1}, actors: [][]act{{update}, {deleteA, saveA2}}},
			func(w *sim, _ *SecretStore) { w.revisionsRestart = true },
		},
		{
			"W6: the sweep's age is below the window for puts",
			scenario{actors: [][]act{{saveA1}, {sweep}}, faults: 1, kinds: "t", ticks: minutes},
			func(_ *sim, s *SecretStore) { s.seams.grace = time.Minute },
		},
		{
			"W7: a create is sent again after its window",
			scenario{actors: [][]act{{saveA1}, {sweep}}, faults: 2, kinds: "ft", ticks: []time.Duration{25 * time.Hour}},
			func(w *sim, _ *SecretStore) { w.windowIgnored = true },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.sc.rule = tt.rule
			_, states, err := explore(tt.sc)
			if err == nil {
				t.Fatalf("%d states, and no history breaks a promise", states)
			}
			t.Logf("%d states: %v", states, err)
		})
	}
}

// mergeBlindly is what a create that meets a token must not do.
func (s *SecretStore) mergeBlindly(ctx context.Context, op *operation, p plan) (Token, error) {
	rows, err := s.fetch(ctx, []string{p.next.ID})
	if at := rows[p.next.ID]; err == nil && at.live {
		return s.carryOut(ctx, op, plan{stored: at, next: at.rec.save(p.next.Token), fits: always})
	}
	return Token{}, errors.Join(err, errAgain)
}

// deleteAndDrop is what DeleteToken must not do: it takes the entry of the token out of the index.
func (a *actor) deleteAndDrop(ctx context.Context, id string, ifUnchanged bool) error {
	s := a.store
	before, err := s.readNode(ctx, "")
	if err != nil {
		return err
	}
	if err := s.deleteRow(ctx, id); err != nil {
		return err
	}
	for {
		if !ifUnchanged {
			if before, err = s.readNode(ctx, ""); err != nil {
				return err
			}
		}
		next := before.clone()
		next.entries = slices.DeleteFunc(next.entries, func(e entry) bool { return e.ID == id })
		_, err := s.putNode(ctx, before, next)
		if !errors.Is(err, ErrConflict) || ifUnchanged {
			return nil
		}
	}
}
