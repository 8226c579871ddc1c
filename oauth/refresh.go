package oauth

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
)

// RefreshOptions say when [Source.Refresh] asks the provider. The zero value: once, unless a person must log in or the provider is
// to be left alone for a while.
type RefreshOptions struct {
	// Unless reports whether a stored token is fresh enough, and then nobody is asked. A sweep that keeps tokens alive
	// compares the token with what it has listed: another sweep may have refreshed it since. It is called often, does no
	// I/O, and must keep no token, since they have their credentials. nil: no token is.
	Unless func(stored tokenkeep.Token) bool

	// Force clears that a person must log in and the wait after a failure, where they are recorded, and asks no Unless.
	// See Force of tokenkeep.Refresh. A store that is no tokenkeep.Refresher has no place for the wait, which is this source's
	// own then; package filestore and package sqlstore have none for the login either.
	Force bool
}

// fresh reports whether a stored token needs no refresh.
func (o RefreshOptions) fresh(t tokenkeep.Token) bool {
	return !o.Force && o.Unless != nil && o.Unless(t)
}

// Refresh asks the provider for a new token although the one in memory or in the store may be good, and stores the answer, once
// for all processes that share the store: where another process or another call refreshes the token meanwhile, Refresh waits and returns
// what that one got. Options.OnRefresh tells whether it was this process. All that TokenContext does otherwise is done here
// too: the query is saved where it is new, hooks are called, and later calls of TokenContext have the new token from memory.
//
// The errors are those of TokenContext, but none is kept back: where the refresh failed and the old token is still good, it comes
// together with the error. Options.RefreshAlone does not count.
//
// Over a store that is no tokenkeep.Refresher only the calls of this process are one.
//
// Calls of the store: as a refresh by TokenContext.
func (s *Source) Refresh(ctx context.Context, o RefreshOptions) (*oauth2.Token, error) {
	if s.invalid != nil {
		return nil, s.invalid
	}
	for ctx.Err() == nil {
		f, who := s.boardOrdered(ctx, o)
		select {
		case <-f.done:
			if who != nil {
				return f.tok, f.failed
			}
			if f.failed == nil && (f.always || f.answer.Load() != nil) {
				return f.tok, nil // somebody refreshed it meanwhile
			}
		case <-ctx.Done():
			if who != nil {
				f.crew.leave(who)
			}
		}
	}
	return nil, fmt.Errorf("oauth: waiting for a refresh: %w", ctx.Err())
}

// boardOrdered starts a flight that refreshes the token, unless another one is under way: that has no caller then.
func (s *Source) boardOrdered(ctx context.Context, o RefreshOptions) (*flight, *caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight, nil
	}
	f := s.newFlight(ctx)
	f.ordered, f.always, f.force, f.good = true, o.Force || o.Unless == nil, o.Force, o.fresh
	s.flight = f
	who, _ := f.crew.join(ctx)
	go s.fly(f)
	return f, who
}
