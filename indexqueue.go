package tokenkeep

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// linger is how long an index write waits for others to join it, where the manager limits writes.
	linger = 20 * time.Millisecond
	// groupTimeout ends a group's write; the writers that it is for may have left.
	groupTimeout = 30 * time.Second
)

// queue sends the index changes of a handle out together: all that came while those before were under way. No lock is
// held over a call.
type queue struct {
	mu      sync.Mutex
	waiting []*change
	running bool
}

// change is a wish to list a token under its keys.
type change struct {
	entry entry
	isNew bool // the token is not there yet
	// fits reports whether the writer knew all that matters of an index secret; otherwise it has to match again.
	fits func(*sheet) bool
	done chan outcome // takes one outcome without blocking

	stamp time.Time // of the first part that was written
	over  bool      // the outcome is known
}

type outcome struct {
	at  time.Time // when the entry was stamped
	err error
}

// settle tells the writer the outcome, unless it has heard of one.
func (c *change) settle(o outcome) {
	if !c.over {
		c.over = true
		c.done <- o
	}
}

// change returns what the index has to learn before a plan is carried out.
func (p plan) change() *change {
	return &change{entry: entryOf(p.next), isNew: !p.stored.live, fits: p.fits}
}

// list writes what a plan needs into the index, unless a change that does so is under way, and returns its stamp. errAgain
// means that the index has changed in a way that matters: match again.
func (s *SecretStore) list(ctx context.Context, underWay *change, p plan) (time.Time, error) {
	c := underWay
	if c == nil {
		c = p.change()
		s.enqueue(ctx, c)
	}
	return c.await(ctx)
}

// enqueue hands changes over to the queue, all together.
func (s *SecretStore) enqueue(ctx context.Context, changes ...*change) {
	if len(changes) == 0 {
		return
	}
	for _, c := range changes {
		c.done = make(chan outcome, 1)
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.queue.waiting = append(s.queue.waiting, changes...)
	if !s.queue.running {
		s.queue.running = true
		go s.writeGroups(context.WithoutCancel(ctx))
	}
}

// await waits until the change is written. Who leaves earlier leaves it to its fate.
func (c *change) await(ctx context.Context) (time.Time, error) {
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
		s.queue.mu.Lock()
		group := s.queue.waiting
		s.queue.waiting = nil
		s.queue.running = len(group) > 0
		s.queue.mu.Unlock()
		if len(group) == 0 {
			return
		}
		s.writeGroup(ctx, group)
	}
}

// writeGroup writes the entries of a group, each wherever it is listed.
func (s *SecretStore) writeGroup(ctx context.Context, group []*change) {
	ctx, cancel := context.WithTimeout(ctx, groupTimeout)
	defer cancel()
	parts := make([]part, len(group))
	for i, c := range group {
		parts[i] = part{c, c.entry}
	}
	s.writeUnder(ctx, "", parts)
	for _, c := range group {
		c.settle(outcome{at: c.stamp})
	}
}
