package storetest

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

var contextCases = []scenario{
	{"every method stops when its context was cancelled", stopsWhenCancelled},
	{"every method stops when its deadline is over", stopsAtDeadline},
}

func stopsWhenCancelled(s *subject) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	s.stops(ctx, context.Canceled)
}

func stopsAtDeadline(s *subject) {
	ctx, cancel := context.WithDeadline(s.Context(), time.Now().Add(-time.Second))
	defer cancel()
	s.stops(ctx, context.DeadlineExceeded)
}

// stops checks that every method fails with want under ctx, and that nothing is written.
func (s *subject) stops(ctx context.Context, want error) {
	saved := s.save(full("a"))
	calls := map[string]func(tokenkeep.Store) (token, error){
		"FindToken":       func(h tokenkeep.Store) (token, error) { return h.FindToken(ctx, token{UserName: "a"}) },
		"FindToken by ID": func(h tokenkeep.Store) (token, error) { return h.FindToken(ctx, token{ID: saved.ID}) },
		"FindTokenByID":   func(h tokenkeep.Store) (token, error) { return h.FindTokenByID(ctx, saved.ID) },
		"SaveToken of a change": func(h tokenkeep.Store) (token, error) {
			return h.SaveToken(ctx, token{UserName: "a", AccessToken: "A9"})
		},
		"SaveToken of a new":   func(h tokenkeep.Store) (token, error) { return h.SaveToken(ctx, s.fit(full("b"))) },
		"SaveToken of nothing": func(h tokenkeep.Store) (token, error) { return h.SaveToken(ctx, token{ID: saved.ID}) },
		"DeleteToken":          func(h tokenkeep.Store) (token, error) { return token{}, h.DeleteToken(ctx, saved.ID) },
		"DeleteTokens":         func(h tokenkeep.Store) (token, error) { return token{}, h.DeleteTokens(ctx) },
		"GetTokens": func(h tokenkeep.Store) (token, error) {
			_, err := h.GetTokens(ctx)
			return token{}, err
		},
		"UpdateToken": func(h tokenkeep.Store) (token, error) {
			u, ok := h.(tokenkeep.Updater)
			if !ok {
				return token{}, want
			}
			return u.UpdateToken(ctx, saved.ID, func(t token) (token, error) {
				t.AccessToken = "A9"
				return t, nil
			})
		},
	}
	cold := s.open()
	for name, call := range calls {
		for _, handle := range []tokenkeep.Store{s.Store, cold} {
			got, err := call(handle)
			if !errors.Is(err, want) {
				s.Errorf("%s: error %v, want one that is %q", name, err, want)
			}
			if !reflect.DeepEqual(got, token{}) {
				s.Errorf("%s returned %v, want no token", name, got)
			}
		}
	}
	s.holds(saved)
}
