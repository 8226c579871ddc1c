package oauth

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
)

// flight is one piece of work that all callers of a source wait for.
type flight struct {
	crew     *crew
	rejected string                     // the access token that Invalidate was told of before the flight
	good     func(tokenkeep.Token) bool // whether a stored token needs no refresh
	ordered  bool                       // by Refresh
	always   bool                       // it brings no token that was good before
	force    bool

	answer atomic.Pointer[string] // the access token that the provider gave to this process

	done   chan struct{}
	tok    *oauth2.Token
	err    error
	failed error // also where the old token is handed out without an error
}

// newFlight returns a flight for a token that is good enough for now; s.mu is held.
func (s *Source) newFlight(ctx context.Context) *flight {
	f := &flight{crew: newCrew(ctx), rejected: s.rejected, done: make(chan struct{})}
	f.good = func(t tokenkeep.Token) bool { return s.good(t, f.rejected) }
	return f
}

// crew is the context of a flight: it lasts while any caller waits and, from the moment on when the provider is asked, to the end
// of the work. Its deadline is the latest of those who wait.
type crew struct {
	context.Context // the first caller's values

	mu      sync.Mutex
	waiting map[*caller]bool
	held    bool
	done    chan struct{}
	err     error
}

// caller is somebody who waits for a flight.
type caller struct{ ctx context.Context }

func newCrew(ctx context.Context) *crew {
	return &crew{Context: context.WithoutCancel(ctx), waiting: map[*caller]bool{}, done: make(chan struct{})}
}

// join adds a caller, unless the flight has been given up.
func (c *crew) join(ctx context.Context) (*caller, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	who := &caller{ctx}
	if c.err == nil {
		c.waiting[who] = true
	}
	return who, c.err == nil
}

// leave takes out a caller whose context has ended. The last one ends the work, if it may.
func (c *crew) leave(who *caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, who)
	if len(c.waiting) == 0 && !c.held && c.err == nil {
		c.err = who.ctx.Err()
		close(c.done)
	}
}

// hold keeps the work going whoever leaves.
func (c *crew) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = true
}

// Deadline returns the latest deadline of those who wait.
func (c *crew) Deadline() (latest time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for who := range c.waiting {
		until, ok := who.ctx.Deadline()
		if !ok {
			return time.Time{}, false
		}
		if until.After(latest) {
			latest = until
		}
	}
	return latest, !latest.IsZero()
}

// Done is closed when nobody waits any more.
func (c *crew) Done() <-chan struct{} { return c.done }

// Err is that of the last caller who left.
func (c *crew) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// keyed is a set of locks that are waited for with a context.
type keyed struct {
	mu    sync.Mutex
	locks map[lockKey]*keyedLock
}

type lockKey struct {
	store any
	id    string
}

type keyedLock struct {
	free  chan struct{}
	users int
}

// refreshing holds the tokens that this process refreshes. Its sources share it, so that they need not meet in the store,
// which may not even offer that.
var refreshing = keyed{locks: map[lockKey]*keyedLock{}}

// keyOf names a token for the whole process.
func (s *Source) keyOf(id string) lockKey {
	if reflect.TypeOf(s.store).Kind() == reflect.Pointer {
		return lockKey{s.store, id}
	}
	return lockKey{s, id} // two equal stores need not be one
}

func (k *keyed) lock(ctx context.Context, key lockKey) (unlock func(), err error) {
	k.mu.Lock()
	l := k.locks[key]
	if l == nil {
		l = &keyedLock{free: make(chan struct{}, 1)}
		l.free <- struct{}{}
		k.locks[key] = l
	}
	l.users++
	k.mu.Unlock()
	leave := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(k.locks, key)
		}
	}
	select {
	case <-l.free:
		return func() { l.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
