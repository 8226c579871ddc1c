package oauth

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
)

// places are the kinds of stores, each with ann's token in it. What open returns is the store of another program.
var places = map[string]func(t *testing.T, token tokenkeep.Token) (open func() tokenkeep.Store){
	"handles of their own": func(t *testing.T, token tokenkeep.Token) func() tokenkeep.Store {
		secrets := &memdriver.Secrets{}
		secretStore(t, secrets, token)
		return func() tokenkeep.Store { return tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}) }
	},
	"one handle": func(t *testing.T, token tokenkeep.Token) func() tokenkeep.Store {
		store, _ := secretStore(t, &memdriver.Secrets{}, token)
		return func() tokenkeep.Store { return store }
	},
	"a store without leases": func(t *testing.T, token tokenkeep.Token) func() tokenkeep.Store {
		store := memstore.New()
		if _, err := store.SaveToken(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		return func() tokenkeep.Store { return store }
	},
	"a store without updates": func(t *testing.T, token tokenkeep.Token) func() tokenkeep.Store {
		store := newBasic(t, token)
		return func() tokenkeep.Store { return store }
	},
}

// everyPlace runs f in a bubble of time, on each kind of store with ann's token, which lives on for life.
func everyPlace(t *testing.T, life time.Duration, f func(t *testing.T, e *endpoint, open func() tokenkeep.Store)) {
	t.Helper()
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, &endpoint{}, place(t, ann(life))) })
		})
	}
}

var whoIsAnn = tokenkeep.Token{UserName: "ann", ClientID: "client"}

func wantRefreshed(t *testing.T, s *Source, o RefreshOptions, want string) {
	t.Helper()
	if tok, err := s.Refresh(t.Context(), o); err != nil || tok.AccessToken != want {
		t.Errorf("Refresh = %v, %v; want %s", accessOf(tok), err, want)
	}
}

func wantRequests(t *testing.T, e *endpoint, want int) {
	t.Helper()
	if n := e.count(); n != want {
		t.Errorf("%d requests, want %d", n, want)
	}
}

func TestARefreshAsksThoughTheTokenIsGood(t *testing.T) {
	everyPlace(t, time.Hour, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		s := NewSource(open(), whoIsAnn, e.options())
		wantToken(t, s, "at0")
		wantRefreshed(t, s, RefreshOptions{}, "at1")
		wantToken(t, s, "at1")
		wantToken(t, NewSource(open(), whoIsAnn, e.options()), "at1")
		wantRefreshed(t, NewSource(open(), whoIsAnn, e.options()), RefreshOptions{Force: true}, "at2")
		wantRequests(t, e, 2)
	})
}

func TestARefreshTakesTheCallsOfAnyRefresh(t *testing.T) {
	for _, o := range []RefreshOptions{{}, {Force: true}, {Unless: func(tokenkeep.Token) bool { return false }}} {
		secrets := &memdriver.Secrets{}
		_, id := secretStore(t, secrets, ann(time.Hour))
		secrets.Calls()
		store := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
		wantRefreshed(t, NewSource(store, tokenkeep.Token{ID: id}, (&endpoint{}).options()), o, "at1")
		if calls := secrets.Calls(); calls["Put"] != 2 || calls["Get"]+calls["Latest"] != 1 {
			t.Errorf("calls %v; want a read and two puts", calls)
		}
	}
}

func TestManyRefreshesAtOnceMakeOneRequest(t *testing.T) {
	for name, o := range map[string]RefreshOptions{"as they are": {}, "forced": {Force: true}} {
		t.Run(name, func(t *testing.T) {
			everyPlace(t, time.Hour, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
				e.rotates, e.delay = true, time.Second
				var all sync.WaitGroup
				for range 5 {
					s := NewSource(open(), whoIsAnn, e.options())
					for range 5 {
						all.Go(func() { wantRefreshed(t, s, o, "at1") })
					}
				}
				all.Wait()
				wantRequests(t, e, 1)
			})
		})
	}
}

func TestARefreshIsNotDoneWhereWhatIsStoredIsFreshEnough(t *testing.T) {
	everyPlace(t, time.Hour, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		listed := "at0"
		unless := RefreshOptions{Unless: func(t tokenkeep.Token) bool { return t.AccessToken != listed }}
		first, second := NewSource(open(), whoIsAnn, e.options()), NewSource(open(), whoIsAnn, e.options())
		wantToken(t, second, "at0") // it knows which token is meant
		wantRefreshed(t, first, unless, "at1")
		wantRefreshed(t, second, unless, "at1")
		wantRefreshed(t, NewSource(open(), whoIsAnn, e.options()), unless, "at1")
		wantRequests(t, e, 1)
		unless.Force = true
		wantRefreshed(t, second, unless, "at2")
	})
}

func TestARefreshBesideLiveTrafficMakesOneRequest(t *testing.T) {
	everyPlace(t, -time.Minute, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		e.rotates, e.delay = true, 4*time.Second
		live, sweep := NewSource(open(), whoIsAnn, e.options()), NewSource(open(), whoIsAnn, e.options())
		var all sync.WaitGroup
		all.Go(func() { wantToken(t, live, "at1") })
		synctest.Wait()
		all.Go(func() { wantRefreshed(t, live, RefreshOptions{}, "at1") })
		all.Go(func() { wantRefreshed(t, sweep, RefreshOptions{}, "at1") })
		synctest.Wait()
		all.Go(func() { wantToken(t, sweep, "at1") })
		all.Wait()
		wantRequests(t, e, 1)
	})
}

func TestACallerWhoComesDuringARefreshGetsAGoodToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
		s := NewSource(store, tokenkeep.Token{ID: id}, (&endpoint{}).options())
		var all sync.WaitGroup
		o := RefreshOptions{Unless: func(tokenkeep.Token) bool {
			time.Sleep(time.Second)
			return true // although it has expired
		}}
		all.Go(func() { wantRefreshed(t, s, o, "at0") })
		synctest.Wait()
		wantToken(t, s, "at1")
		all.Wait()
	})
}

func TestARefreshAfterARefusalNeedsForce(t *testing.T) {
	everyPlace(t, -time.Minute, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		e.setFail(always(400, `{"error":"invalid_grant"}`))
		s := NewSource(open(), whoIsAnn, e.options())
		for range 2 {
			_, err := s.Refresh(t.Context(), RefreshOptions{})
			wantErr(t, err, ErrReauthorize)
		}
		wantRequests(t, e, 1)
		e.setFail(nil)
		wantRefreshed(t, s, RefreshOptions{Force: true}, "at2")
		if found, err := open().FindToken(t.Context(), whoIsAnn); err != nil || found.Reauthorize != nil {
			t.Errorf("stored is Reauthorize %v, error %v", found.Reauthorize, err)
		}
	})
}

func TestARefreshInACoolDownNeedsForce(t *testing.T) {
	everyPlace(t, -time.Minute, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		e.setFail(always(429, `{}`))
		s := NewSource(open(), whoIsAnn, e.options())
		for range 2 {
			_, err := s.Refresh(t.Context(), RefreshOptions{})
			var failure *tokenkeep.RefreshError
			if !errors.As(err, &failure) || !errors.Is(err, ErrThrottled) || failure.RetryAfter <= 0 {
				t.Errorf("error %v; want one that says for how long", err)
			}
		}
		wantRequests(t, e, 1)
		e.setFail(nil)
		wantRefreshed(t, s, RefreshOptions{Force: true}, "at2")
		wantRefreshed(t, s, RefreshOptions{}, "at3") // the cool-down is over
	})
}

func TestARefreshThatFailsSaysSoThoughTheOldTokenIsGood(t *testing.T) {
	everyPlace(t, time.Hour, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		e.setFail(always(400, `{"error":"invalid_grant"}`))
		var l told
		s := l.source0(open(), whoIsAnn, e.options())
		tok, err := s.Refresh(t.Context(), RefreshOptions{})
		wantErr(t, err, ErrReauthorize)
		if accessOf(tok) != "at0" {
			t.Errorf("%v comes with the error, want at0", accessOf(tok))
		}
		wantErr(t, s.Err(), ErrReauthorize)
		wantToken(t, s, "at0")
		if len(l.reauthorize) != 1 || len(l.refresh) != 0 {
			t.Errorf("told of %d logins and %d refreshes, want 1 and 0", len(l.reauthorize), len(l.refresh))
		}
	})
}

func TestTheHookTellsWhetherThisProcessRefreshed(t *testing.T) {
	everyPlace(t, time.Hour, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		e.delay = time.Second
		var mine, other told
		var all sync.WaitGroup
		first, second := mine.source0(open(), whoIsAnn, e.options()), other.source0(open(), whoIsAnn, e.options())
		all.Go(func() { wantRefreshed(t, first, RefreshOptions{}, "at1") })
		synctest.Wait()
		all.Go(func() { wantRefreshed(t, second, RefreshOptions{}, "at1") })
		all.Wait()
		if len(mine.refresh) != 1 || len(other.refresh) != 0 {
			t.Errorf("told of %d and %d refreshes, want 1 and 0", len(mine.refresh), len(other.refresh))
		}
	})
}

func TestARefreshThatIsNotStoredIsStoredBeforeTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &shaky{Secrets: &memdriver.Secrets{}}
		store, id := secretStore(t, secrets, ann(time.Hour))
		e := &endpoint{rotates: true, fail: func(int) *http.Response {
			secrets.set(func(op string) error {
				if op == "Put" {
					return driver.ErrUnavailable
				}
				return nil
			})
			return nil
		}}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		for range 2 {
			tok, err := s.Refresh(t.Context(), RefreshOptions{})
			var unsaved *tokenkeep.UnsavedError
			if accessOf(tok) != "at1" || !errors.As(err, &unsaved) || !unsaved.Rotated {
				t.Errorf("%v, %v; want at1 and an UnsavedError", accessOf(tok), err)
			}
		}
		wantRequests(t, e, 1)
		e.setFail(nil)
		secrets.set(nil)
		wantRefreshed(t, s, RefreshOptions{}, "at2")
		if got := e.requests[1].Get("refresh_token"); got != "rt1" {
			t.Errorf("%s was spent, want rt1", got)
		}
	})
}

func TestARefreshIsNeverDoneByThisProcessAlone(t *testing.T) {
	secrets := &shaky{Secrets: &memdriver.Secrets{}}
	store, id := secretStore(t, secrets, ann(-time.Minute))
	e := &endpoint{}
	o := e.options()
	o.RefreshAlone = true
	s := NewSource(store, tokenkeep.Token{ID: id, ClientID: "client", RefreshToken: "a0"}, o)
	secrets.set(func(string) error { return driver.ErrUnavailable })
	_, err := s.Refresh(t.Context(), RefreshOptions{})
	wantErr(t, err, tokenkeep.ErrUnavailable)
	wantRequests(t, e, 0)
}

func TestARefreshGoesOnWithoutItsCaller(t *testing.T) {
	everyPlace(t, time.Hour, func(t *testing.T, e *endpoint, open func() tokenkeep.Store) {
		e.rotates, e.delay = true, 4*time.Second
		s := NewSource(open(), whoIsAnn, e.options())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err := s.Refresh(ctx, RefreshOptions{})
		wantErr(t, err, context.Canceled)
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("the caller left after %v", waited)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if found, err := open().FindToken(t.Context(), whoIsAnn); err != nil || found.AccessToken != "at1" || found.RefreshToken != "rt1" {
			t.Errorf("stored are %q and %q, error %v", found.AccessToken, found.RefreshToken, err)
		}
		_, err = s.Refresh(ctx, RefreshOptions{})
		wantErr(t, err, context.Canceled)
		wantRequests(t, e, 1)
	})
}

func TestARefreshThatNobodyWaitsForStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &memdriver.Secrets{}
		store, id := secretStore(t, secrets, ann(time.Hour))
		other, slow := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}), &endpoint{delay: 4900 * time.Millisecond}
		busy := NewSource(other, tokenkeep.Token{ID: id}, slow.options())
		go func() { _, _ = busy.Refresh(context.Background(), RefreshOptions{}) }() // another process, which has the lease
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := NewSource(store, tokenkeep.Token{ID: id}, (&endpoint{}).options()).Refresh(ctx, RefreshOptions{})
		wantErr(t, err, context.DeadlineExceeded)
		synctest.Wait()
		secrets.Calls()
		time.Sleep(2 * time.Second)
		if calls := secrets.Calls(); len(calls) != 0 {
			t.Errorf("calls %v", calls)
		}
		time.Sleep(2 * time.Second)
	})
}

func TestARefreshWithWrongOptionsIsInvalid(t *testing.T) {
	both := Options{Config: &oauth2.Config{}, Provider: (&endpoint{}).provider(Traits{})}
	_, err := NewSource(memstore.New(), whoIsAnn, both).Refresh(t.Context(), RefreshOptions{})
	wantErr(t, err, tokenkeep.ErrInvalid)
}
