//go:build !race

package tokenkeep

import (
	"context"
	"errors"
	"testing"
	"time"
)

// saveZ is by a user whose entries lie in the other half of the index than those of a and b, which part one level deeper.
var saveZ = act{verb: "save", token: Token{UserName: "u1", AccessToken: "z"}}

// The index splits in two as soon as it has two entries in different places.
func TestExploreGrowth(t *testing.T) {
	n := count(t)
	growing := func(faults int, before []act, programs ...[]act) scenario {
		sc := scenario{before: before}.with(faults, programs...)
		sc.growing, sc.warm = true, len(before) > 0
		return sc
	}
	more := scale() - 1
	n.mustHold(t, "two savers", growing(1+more, nil, []act{saveA1}, []act{saveZ}))
	n.mustHoldToo(t, "two savers whose entries part at the second level", growing(1+more, nil, []act{saveA1}, []act{saveB}))
	n.mustHoldToo(t, "two savers of one user and another", growing(more, []act{saveB}, []act{saveA1}, []act{saveA2}))
	n.mustHold(t, "a save into a leaf that another one splits", growing(1, []act{saveA1}, []act{saveZ}, []act{saveA2}))
	n.mustHold(t, "a reader beside a split", growing(1+more, []act{saveA1}, []act{saveZ}, []act{findA, {verb: "list"}}))
	n.mustHold(t, "DeleteTokens beside a split", growing(1+more, []act{saveA1}, []act{saveZ}, []act{clearAll}))
	n.mustHoldToo(t, "delete and save beside a split", growing(1+more, []act{saveA1}, []act{saveZ}, []act{deleteA, saveA2}))
	n.mustHoldToo(t, "a sweep beside a split", growing(1+more, []act{saveA1}, []act{saveZ}, []act{deleteA, sweep}))
	n.mustHoldToo(t, "a rename into a place of its own", growing(more, []act{saveA1}, []act{rename}, []act{saveB}))
	n.mustHold(t, "a nameless token with two keys", growing(more, nil, []act{{verb: "save", token: Token{GrantToken: "g", RefreshToken: "ra"}}}, []act{saveA2}))
	n.mustHold(t, "a name for a nameless token", growing(more, []act{saveR}, []act{nameR}, []act{saveA1}))
	repair := act{verb: "repair"}
	n.mustHold(t, "Repair beside a split", growing(more, []act{saveA1}, []act{saveZ}, []act{repair}))
	n.mustHold(t, "Repair beside a delete and a save", growing(more, []act{saveA1}, []act{deleteA, saveA2}, []act{repair}))
	three := growing(more, []act{saveA1}, []act{saveZ}, []act{saveB}, []act{saveA2})
	three.preempt = 2 + more
	n.mustHold(t, "three savers", three)
	if scale() > 1 {
		n.mustHold(t, "a rename and a save beside a split", growing(0, []act{saveA1}, []act{rename}, []act{saveZ}, []act{saveB}))
		n.mustHold(t, "savers and DeleteTokens", growing(1, nil, []act{saveA1}, []act{saveZ}, []act{clearAll}))
		n.mustHold(t, "a rename and a save beside a sweep", growing(1, []act{saveA1}, []act{rename}, []act{saveB}, []act{sweep}))
		n.mustHold(t, "two sweeps and two savers", growing(1, []act{saveA1, deleteA}, []act{saveZ}, []act{saveA2}, []act{sweep}))
	}
}

func TestExplorerCatchesASplitWithoutFreezing(t *testing.T) {
	sc := scenario{before: []act{saveA1}, growing: true, actors: [][]act{{saveZ}, {saveA2}, {saveB}}}
	sc.rule = func(_ *sim, s *SecretStore) { s.seams.freeze = s.moveUnfrozen }
	_, states, err := explore(sc)
	if err == nil {
		t.Fatalf("%d states, and no history breaks a promise", states)
	}
	t.Logf("%d states: %v", states, err)
}

// moveUnfrozen is how a leaf must not be split: it creates the children while others may add to the leaf.
func (s *SecretStore) moveUnfrozen(ctx context.Context, base *sheet, swept *node) (*sheet, error) {
	for _, path := range children(base.path, s.fan()) {
		if err := s.makeChild(ctx, &sheet{node: swept}, path); err != nil {
			return nil, err
		}
	}
	for {
		moved := &node{path: base.path, state: stateMoved}
		done, err := s.putNode(ctx, &sheet{rev: base.rev, at: s.now().Add(-time.Hour)}, moved)
		if !errors.Is(err, ErrConflict) {
			return done, err
		}
		if base, err = s.readNode(ctx, base.path); err != nil || base.state != stateLeaf {
			return base, err
		}
	}
}
