package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// linger is how long an index write waits for others to join it, where the manager limits writes.
	linger = 20 * time.Millisecond
	// groupTimeout ends a group's write; the writers that it is for may have left.
	groupTimeout = 30 * time.Second
)

// writer sends the index changes of a handle out together: one compare-and-swap for all that came while the one
// before was under way. No lock is held over a call.
type writer struct {
	mu      sync.Mutex
	waiting []*change
	running bool
}

// change is a wish to list a token under its keys.
type change struct {
	entry entry
	isNew bool // the token is not there yet
	// fits reports whether the writer knew all that matters of an index; otherwise it has to match again.
	fits func(*sheet) bool
	done chan outcome // takes one outcome without blocking
}

type outcome struct {
	at  time.Time // when the entry was stamped
	err error
}

// list writes an entry into the index, and returns its stamp. errAgain means that the index has changed in a way that
// matters: match again.
func (s *SecretStore) list(ctx context.Context, c *change) (time.Time, error) {
	c.done = make(chan outcome, 1)
	s.writer.mu.Lock()
	s.writer.waiting = append(s.writer.waiting, c)
	if !s.writer.running {
		s.writer.running = true
		go s.writeGroups(context.WithoutCancel(ctx))
	}
	s.writer.mu.Unlock()
	select {
	case o := <-c.done:
		return o.at, o.err
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("the token is not saved, its index entry may be: %w", ctx.Err())
	}
}

// writeGroups writes until nobody waits.
func (s *SecretStore) writeGroups(ctx context.Context) {
	for {
		if s.secrets.Limits().WritesPerDay > 0 {
			time.Sleep(linger)
		}
		s.writer.mu.Lock()
		group := s.writer.waiting
		s.writer.waiting = nil
		s.writer.running = len(group) > 0
		s.writer.mu.Unlock()
		if len(group) == 0 {
			return
		}
		s.writeGroup(ctx, group)
	}
}

// writeGroup writes the entries of a group with one compare-and-swap, as often as it takes.
func (s *SecretStore) writeGroup(ctx context.Context, group []*change) {
	ctx, cancel := context.WithTimeout(ctx, groupTimeout)
	defer cancel()
	base := s.cache.sheet(s.now(), time.Minute)
	for attempt := range maxAttempts {
		var err error
		if base == nil {
			if base, err = s.readIndex(ctx); err != nil {
				settle(group, outcome{err: err})
				return
			}
		}
		group = settleUnfit(group, base)
		if len(group) == 0 {
			return
		}
		var stamp time.Time
		if group, stamp, err = s.swapIndex(ctx, base, group); err == nil {
			settle(group, outcome{at: stamp})
			return
		}
		s.cache.setSheet(nil)
		if !errors.Is(err, ErrConflict) {
			settle(group, outcome{err: fmt.Errorf("index: %w", err)})
			return
		}
		base = nil
		if err := s.pause(ctx, attempt); err != nil {
			settle(group, outcome{err: err})
			return
		}
	}
	settle(group, outcome{err: fmt.Errorf("index: other writers won %d attempts in a row; try again: %w", maxAttempts, ErrUnavailable)})
}

func settle(group []*change, o outcome) {
	for _, c := range group {
		c.done <- o
	}
}

// settleUnfit sends the writers back that must match again, and returns the others.
func settleUnfit(group []*change, base *sheet) []*change {
	var fit []*change
	for _, c := range group {
		if c.fits(base) {
			fit = append(fit, c)
			continue
		}
		c.done <- outcome{err: errAgain}
	}
	return fit
}

// swapIndex writes the entries of a group onto the index as it was read, and sweeps it on the way. New tokens that no longer fit
// in it are refused and leave the group.
func (s *SecretStore) swapIndex(ctx context.Context, base *sheet, group []*change) ([]*change, time.Time, error) {
	swept := base.leaf.clone()
	s.sweep(swept)
	if err := s.sweepOldest(ctx, swept); err != nil {
		return group, time.Time{}, err
	}
	stamp := s.now().UTC().Truncate(time.Second)
	next, payload, err := s.extend(swept, group, stamp)
	for err == nil && len(payload) > maxLeaf {
		last := lastNew(group)
		if last < 0 {
			break
		}
		group[last].done <- outcome{err: fmt.Errorf("the index would be %d bytes, it takes new tokens up to %d; delete tokens "+
			"(their entries go within a day or two), or keep some under another prefix: %w", len(payload), maxLeaf, ErrTooLarge)}
		if group = slices.Delete(group, last, last+1); len(group) == 0 {
			return nil, stamp, nil
		}
		next, payload, err = s.extend(swept, group, stamp)
	}
	if err != nil {
		return group, stamp, err
	}
	at, tick := s.now(), s.cache.tick()
	rev, err := s.put(ctx, indexName, payload, base.rev, base.at.Add(maxRevisionAge))
	if err != nil {
		return group, stamp, err
	}
	s.cache.setSheet(&sheet{leaf: next, rev: rev, at: at, tick: tick})
	return group, stamp, nil
}

// extend returns the index with the entries of a group, and its payload.
func (s *SecretStore) extend(base *leaf, group []*change, stamp time.Time) (*leaf, []byte, error) {
	next := base.clone()
	for _, c := range group {
		c.entry.Stamp = stamp
		next.add(c.entry)
	}
	payload, err := next.encode(s.seams.nonce())
	return next, payload, err
}

// lastNew returns the last change of a group that is for a new token.
func lastNew(group []*change) int {
	last := len(group) - 1
	for last >= 0 && !group[last].isNew {
		last--
	}
	return last
}
