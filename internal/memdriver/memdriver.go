// Package memdriver is a secrets manager in memory: the smallest driver that keeps every promise of package driver.
// The tests of the other packages run on it.
package memdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Secrets is a driver.Secrets in memory. Its zero value is empty and ready.
type Secrets struct {
	// Bounds is what Limits answers; puts over Bounds.Payload are refused.
	Bounds driver.Limits
	// Now is the clock that NotAfter is compared with; nil means time.Now.
	Now func() time.Time
	// Authoritative makes a store list its tokens by List.
	Authoritative bool

	mu      sync.Mutex
	secrets map[string]stored
	writes  int
	calls   map[string]int
}

// stored is a live secret and the revision that its last put was based on, so that the same put sent again is known.
type stored struct {
	driver.Secret
	base driver.Revision
}

var (
	_ driver.Secrets = (*Secrets)(nil)
	_ driver.Lister  = (*Secrets)(nil)
	_ driver.Clock   = (*Secrets)(nil)
)

// Calls returns how often each method was called, and forgets it.
func (s *Secrets) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// Names lists the live secrets in order.
func (s *Secrets) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.secrets))
	for name := range s.secrets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Secrets) begin(ctx context.Context, op string) error {
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[op]++
	return ctx.Err()
}

// Get is Latest: memory is never stale.
func (s *Secrets) Get(ctx context.Context, name string) (driver.Secret, error) {
	return s.read(ctx, "Get", name)
}

// Latest reads a secret.
func (s *Secrets) Latest(ctx context.Context, name string) (driver.Secret, error) {
	return s.read(ctx, "Latest", name)
}

func (s *Secrets) read(ctx context.Context, op, name string) (driver.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, op); err != nil {
		return driver.Secret{}, &driver.Error{Op: op, Name: name, Err: err}
	}
	secret, ok := s.secrets[name]
	if !ok {
		return driver.Secret{}, &driver.Error{Op: op, Name: name, Err: driver.ErrNotFound}
	}
	return clone(secret.Secret), nil
}

// GetMany reads the secrets in one call.
func (s *Secrets) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, "GetMany"); err != nil {
		return nil, fmt.Errorf("GetMany: %w", err)
	}
	found := make(map[string]driver.Secret, len(names))
	for _, name := range names {
		if secret, ok := s.secrets[name]; ok {
			found[name] = clone(secret.Secret)
		}
	}
	return found, nil
}

// Put writes a secret if it is at rev.
func (s *Secrets) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fail := func(err error) (driver.Revision, error) {
		return "", &driver.Error{Op: "Put", Name: name, Err: err}
	}
	if err := s.begin(ctx, "Put"); err != nil {
		return fail(err)
	}
	if t, ok := driver.NotAfter(ctx); ok && s.now().Round(0).After(t) {
		return fail(fmt.Errorf("the time to send this put has passed: %w", driver.ErrConflict))
	}
	if s.Bounds.Payload > 0 && len(payload) > s.Bounds.Payload {
		return fail(fmt.Errorf("payload is %d bytes, at most %d fit: %w", len(payload), s.Bounds.Payload, driver.ErrTooLarge))
	}
	live, ok := s.secrets[name]
	if ok && live.base == rev && bytes.Equal(live.Payload, payload) {
		return live.Revision, nil
	}
	if live.Revision != rev { // an absent secret has the zero Revision
		return fail(driver.ErrConflict)
	}
	if s.secrets == nil {
		s.secrets = map[string]stored{}
	}
	// Revisions count over all secrets, so that none comes back when a name is created again.
	s.writes++
	next := driver.Secret{Payload: slices.Clone(payload), Revision: driver.Revision(fmt.Sprintf("mem-%d", s.writes))}
	s.secrets[name] = stored{Secret: next, base: rev}
	return next.Revision, nil
}

// Delete removes a secret.
func (s *Secrets) Delete(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, "Delete"); err != nil {
		return &driver.Error{Op: "Delete", Name: name, Err: err}
	}
	delete(s.secrets, name)
	return nil
}

// List yields the names of the live secrets.
func (s *Secrets) List(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range s.Names() {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(name, nil) {
				return
			}
		}
	}
}

// Lag is 0 if Authoritative is set, and else as good as 0, but nothing except Verify relies on List then.
func (s *Secrets) Lag() time.Duration {
	if s.Authoritative {
		return 0
	}
	return time.Nanosecond
}

// Time is that of Now.
func (s *Secrets) Time(ctx context.Context) (time.Time, error) { return s.now(), ctx.Err() }

func (s *Secrets) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Limits returns Bounds.
func (s *Secrets) Limits() driver.Limits { return s.Bounds }

func clone(secret driver.Secret) driver.Secret {
	return driver.Secret{Payload: slices.Clone(secret.Payload), Revision: secret.Revision}
}

// Plant stores a payload as it is, whoever wrote it: what an operator does in the console.
func (s *Secrets) Plant(name string, payload []byte) {
	ctx := context.Background()
	rev := driver.Revision("")
	if old, err := s.Latest(ctx, name); err == nil {
		rev = old.Revision
	} else if !errors.Is(err, driver.ErrNotFound) {
		panic(err) // memory is always there
	}
	if _, err := s.Put(ctx, name, payload, rev); err != nil {
		panic(err)
	}
}
