package oauth

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
)

func TestManyCallersOfOneExpiredTokenMakeOneRequest(t *testing.T) {
	secrets := &memdriver.Secrets{}
	handle := func() tokenkeep.Store { return tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}) }
	for name, stores := range map[string]func(*testing.T) func() tokenkeep.Store{
		"handles of their own": func(t *testing.T) func() tokenkeep.Store { secretStore(t, secrets, ann(-time.Minute)); return handle },
		"one handle":           func(t *testing.T) func() tokenkeep.Store { return same(handle(), t) },
		"a store without leases": func(t *testing.T) func() tokenkeep.Store {
			return same(memstore.New(), t)
		},
		"a store without updates": func(t *testing.T) func() tokenkeep.Store {
			return same(&least{memstore.New()}, t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{rotates: true, delay: time.Second}
				store := stores(t)
				var wg sync.WaitGroup
				for range 5 {
					s := NewSource(store(), tokenkeep.Token{UserName: "ann", ClientID: "client"}, e.options())
					for range 50 {
						wg.Go(func() {
							if tok, err := s.TokenContext(t.Context()); err != nil || tok.AccessToken != "at1" {
								t.Errorf("%v, %v", accessOf(tok), err)
							}
						})
					}
				}
				wg.Wait()
				if n := e.count(); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
			})
			secrets = &memdriver.Secrets{}
		})
	}
}

// same returns the one store for all, with ann's expired token in it.
func same(store tokenkeep.Store, t *testing.T) func() tokenkeep.Store {
	t.Helper()
	if _, err := store.SaveToken(t.Context(), ann(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	return func() tokenkeep.Store { return store }
}

func TestALostReplyIsAskedForAgain(t *testing.T) {
	tests := []struct {
		name  string
		grace time.Duration
		waits time.Duration // until the second request
		want  string
	}{
		{"where that does no harm", time.Minute, 5 * time.Second, "at1"},
		{"not where a second request would end the login", 0, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
				e := &endpoint{rotates: true}
				o := e.options()
				o.Grace = tt.grace
				n := 0
				o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					if n++; n == 1 { // it is lost
						<-r.Context().Done()
						return nil, r.Context().Err()
					}
					return e.RoundTrip(r)
				})
				start := time.Now()
				tok, err := NewSource(store, tokenkeep.Token{ID: id}, o).TokenContext(t.Context())
				if tt.want == "" {
					if err == nil || n != 1 {
						t.Errorf("%d requests, error %v", n, err)
					}
					return
				}
				if err != nil || tok.AccessToken != tt.want || time.Since(start) != tt.waits {
					t.Errorf("%v, %v after %v", accessOf(tok), err, time.Since(start))
				}
			})
		})
	}
}

func TestCallersWaitAsLongAsTheirOwnContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &memdriver.Secrets{}
		store, id := secretStore(t, secrets, ann(-time.Minute))
		e := &endpoint{delay: 4 * time.Second}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.TokenContext(ctx)
			wantErr(t, err, context.Canceled)
		})
		synctest.Wait()
		wg.Go(func() { wantToken(t, s, "at1") })
		wg.Wait()
		if n := e.count(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestAnAnswerOutlivesWhoAskedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
		e := &endpoint{delay: 4 * time.Second, rotates: true}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := s.TokenContext(ctx)
		wantErr(t, err, context.Canceled)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if s.memory.Load() == nil {
			t.Error("the answer is not in memory")
		}
		wantToken(t, s, "at1")
		if n := e.count(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestACallerWithTooLittleTimeStartsNoRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
		e := &endpoint{}
		o := e.options()
		s := NewSource(store, tokenkeep.Token{ID: id}, o)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := s.TokenContext(ctx)
		wantErr(t, err, context.DeadlineExceeded)
		if n := e.count(); n != 0 {
			t.Errorf("%d requests", n)
		}
		o.Deadline = 4 * time.Second
		if tok, err := NewSource(store, tokenkeep.Token{ID: id}, o).TokenContext(ctx); err != nil || tok.AccessToken != "at1" {
			t.Errorf("with a shorter deadline: %v, %v", accessOf(tok), err)
		}
	})
}

func TestWorkThatNobodyWaitsForStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &memdriver.Secrets{}
		store, id := secretStore(t, secrets, ann(-time.Minute))
		slow := &endpoint{delay: 4900 * time.Millisecond} // another process
		busy := NewSource(tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}), tokenkeep.Token{ID: id}, slow.options())
		go func() { _, _ = busy.Token() }()
		synctest.Wait()
		s := NewSource(store, tokenkeep.Token{ID: id}, (&endpoint{}).options())
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := s.TokenContext(ctx)
		wantErr(t, err, context.DeadlineExceeded)
		synctest.Wait()
		secrets.Calls()
		time.Sleep(2 * time.Second)
		if calls := secrets.Calls(); len(calls) != 0 {
			t.Errorf("calls %v", calls)
		}
		if s.Err() != nil {
			t.Errorf("Err() = %v although nobody waited", s.Err())
		}
		wantToken(t, s, "at1") // as the other process got it
	})
}

func TestWhoComesAfterAFlightWasGivenUpStartsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
		s := NewSource(store, tokenkeep.Token{ID: id}, (&endpoint{}).options())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f := &flight{crew: newCrew(ctx), done: make(chan struct{})}
		who, _ := f.crew.join(ctx)
		f.crew.leave(who)
		s.flight = f
		time.AfterFunc(time.Second, func() { // it takes a while to stop
			f.tok, f.err = s.land(f, tokenkeep.Token{}, context.Canceled)
			close(f.done)
		})
		wantToken(t, s, "at1")
	})
}

func TestTheLatestDeadlineOfThoseWhoWaitCounts(t *testing.T) {
	near, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	far, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	c := newCrew(near)
	a, _ := c.join(near)
	b, _ := c.join(far)
	want, _ := far.Deadline()
	if got, ok := c.Deadline(); !ok || !got.Equal(want) {
		t.Errorf("deadline %v, %v; want %v", got, ok, want)
	}
	d, _ := c.join(t.Context())
	if _, ok := c.Deadline(); ok {
		t.Error("there is a deadline although one has none")
	}
	for _, who := range []*caller{a, b, d} {
		if c.Err() != nil {
			t.Error("it ended before the last one left")
		}
		c.leave(who)
	}
	if _, ok := c.join(t.Context()); ok && c.Err() != nil {
		t.Error("somebody joined what was given up")
	}
}
