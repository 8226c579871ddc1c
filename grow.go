package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// How the index grows. A leaf that gets too large, or is written too often for the manager, is first frozen: from then on
// nobody can add an entry to it. Then its children are created, each with the entries that go there; it does not matter by
// whom, since all do it from the same frozen entries. Then it drops them. A writer that stops on the way leaves the rest
// to the next one. A handle that has not noticed loses its next compare-and-swap on the leaf.

// maxLeafWrites is how many writes in 24 hours a leaf takes before it is split, on a manager that limits them.
const maxLeafWrites = 60

// noteWrite adds a write to those of an index secret, where the manager limits them.
func (s *SecretStore) noteWrite(n *node) {
	if s.secrets.Limits().WritesPerDay == 0 {
		return
	}
	now := s.now().UTC().Truncate(time.Second)
	recent := []time.Time{now}
	for _, at := range n.writes {
		if young(at, now, 24*time.Hour) || at.Equal(now) {
			recent = append(recent, at)
		}
	}
	n.writes = recent
}

// mustGrow reports whether a leaf, which would have this content and size, is to be split instead. One whose entries all have the
// same place is not: its children would be no better.
func (s *SecretStore) mustGrow(next *node, size int) bool {
	full := size > maxLeaf || len(next.writes) > maxLeafWrites
	if s.seams.leafEntries > 0 {
		full = full || len(next.entries) > s.seams.leafEntries
	}
	return full && s.divides(next)
}

// divides reports whether the entries of a node have more than one place.
func (s *SecretStore) divides(n *node) bool {
	var first place
	for _, e := range n.entries {
		for _, p := range s.whereListed(e).places {
			if first != "" && p != first {
				return true
			}
			first = p
		}
	}
	return false
}

// freeze begins a split: it leaves a leaf, as it was read or swept since, for ever as it is.
func (s *SecretStore) freeze(ctx context.Context, base *sheet, swept *node) (*sheet, error) {
	if s.seams.freeze != nil {
		return s.seams.freeze(ctx, base, swept)
	}
	swept.state = stateSplit
	return s.putNode(ctx, base, swept)
}

// finishSplit creates the children of a frozen index secret that do not exist yet, and drops its entries.
func (s *SecretStore) finishSplit(ctx context.Context, n *sheet) error {
	if !young(n.at, s.now(), maxRevisionAge) {
		var err error
		if n, err = s.readNode(ctx, n.path); err != nil || n.state != stateSplit {
			return err
		}
	}
	var group errgroup.Group
	group.SetLimit(s.options.Parallel)
	for _, path := range children(n.path, s.fan()) {
		group.Go(func() error { return s.makeChild(ctx, n, path) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	moved := n.clone()
	moved.state, moved.entries, moved.writes = stateMoved, nil, nil
	_, err := s.putNode(ctx, n, moved)
	if errors.Is(err, ErrConflict) {
		_, err = s.readNode(ctx, n.path) // another writer has done it
	}
	return err
}

// makeChild creates a child of a frozen index secret, unless it exists.
func (s *SecretStore) makeChild(ctx context.Context, parent *sheet, path string) error {
	if known := s.cache.sheet(path, s.now(), maxRevisionAge); known != nil && !known.unmade {
		return nil
	}
	child := &node{path: path, state: stateLeaf, entries: parent.entries.under(path, s.fan())}
	_, err := s.putNode(ctx, &sheet{at: s.now()}, child)
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}
