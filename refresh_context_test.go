package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// refuses makes the manager refuse every put, or take them again.
func (m *manager) refuses(err error) {
	m.onPut = nil
	if err != nil {
		m.onPut = func(_ context.Context, name string, _ []byte, _ driver.Revision) (driver.Revision, error) {
			return "", &driver.Error{Op: "Put", Name: name, Err: err}
		}
	}
}

func TestRefreshIsNotBegunWithTooLittleTimeLeft(t *testing.T) {
	for _, tt := range []struct {
		name     string
		left     time.Duration
		deadline time.Duration
		begun    bool
	}{
		{"just too little", 20*time.Second - 1, 0, false}, {"just enough", 20 * time.Second, 0, true},
		{"a shorter deadline", 5 * time.Second, 5 * time.Second, true}, {"too little for that", 5*time.Second - 1, 5 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.left)
				defer cancel()
				r := p.refresh()
				r.Deadline = tt.deadline
				_, err := m.process(0).RefreshToken(ctx, id, r)
				if tt.begun {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if need := firstPositive(tt.deadline, defaultDeadline).String(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), need) ||
					!strings.Contains(err.Error(), "Deadline") {
					t.Errorf("RefreshToken: %v; want DeadlineExceeded that names %s and Deadline", err, need)
				}
				if calls := m.Calls(); calls["Put"] > 0 {
					t.Errorf("calls %v; nothing may be written", calls)
				}
				p.check(t)
			})
		})
	}
}

func firstPositive(a, b time.Duration) time.Duration {
	if a > 0 {
		return a
	}
	return b
}

func TestRefreshGoesOnWithoutItsCaller(t *testing.T) {
	for name, when := range map[string]time.Duration{"while the provider is asked": 2 * time.Second, "while the answer is committed": 6 * time.Second} {
		t.Run(name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.takes = 5 * time.Second
				committed := make(chan struct{})
				writes := 0
				m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
					if writes++; writes == 1 {
						return m.Secrets.Put(ctx, name, payload, rev)
					}
					defer close(committed)
					time.Sleep(2 * time.Second)
					return m.Secrets.Put(ctx, name, payload, rev)
				}
				r := p.refresh()
				r.Ask = func(ctx context.Context, stored Token) (Token, error) {
					answer, err := p.ask(ctx, stored)
					if ctx.Err() != nil {
						t.Errorf("the context of the request ended with the caller's: %v", ctx.Err())
					}
					return answer, err
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := goRefresh(ctx, m.process(0), id, r)
				time.Sleep(when)
				cancel()
				started := time.Now()
				if got := <-done; !errors.Is(got.err, context.Canceled) || time.Since(started) > 0 {
					t.Errorf("%v after it was cancelled, RefreshToken: %v; want context.Canceled at once", time.Since(started), got.err)
				}
				<-committed
				m.onPut = nil
				m.check(t, id, "r1", "A1")
			})
		})
	}
}

// unsaved refreshes a token while the store refuses to take the answer.
func unsaved(t *testing.T, m *manager, p *issuer, s *SecretStore, id string) (Token, *UnsavedError) {
	t.Helper()
	r := p.refresh()
	r.Ask = func(ctx context.Context, stored Token) (Token, error) {
		m.refuses(ErrUnavailable)
		return p.ask(ctx, stored)
	}
	got, err := s.RefreshToken(t.Context(), id, r)
	var failure *UnsavedError
	if !errors.As(err, &failure) || !errors.Is(err, ErrUnavailable) {
		t.Fatalf("RefreshToken: %v, want an *UnsavedError that wraps the store's", err)
	}
	return got, failure
}

func TestRefreshThatTheStoreDoesNotTakeIsHandedOver(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		mustSave(t, m.process(0), Token{ID: id, ClientID: "c", ClientSecret: "s", AccountsURL: "acc", Scopes: []string{"x"}})
		started := time.Now()
		got, failure := unsaved(t, m, p, m.process(0), id)
		if tried := time.Since(started); tried < 10*time.Second || tried > 11*time.Second {
			t.Errorf("the store was tried for %v, want 10 seconds", tried)
		}
		if !failure.Rotated {
			t.Error("the error does not say that the refresh token was rotated")
		}
		want := Token{ID: id, UserName: "ann", ClientID: "c", ClientSecret: "s", AccountsURL: "acc", Scopes: []string{"x"},
			RefreshToken: "r1", AccessToken: "A1", ExpiresAt: started.Add(time.Hour)}
		got.RefreshedAt = time.Time{}
		if fmt.Sprint(readable(got)) != fmt.Sprint(readable(want)) {
			t.Errorf("RefreshToken = %v; want the whole token, %v", readable(got), readable(want))
		}
		if again, err := failure.Save(t.Context()); !errors.As(err, new(*UnsavedError)) || again.AccessToken != "A1" {
			t.Errorf("Save while the store still refuses = %q, %v; want A1 and an *UnsavedError", again.AccessToken, err)
		}
		m.refuses(nil)
		m.check(t, id, "r0", "A0")
		if saved, err := failure.Save(t.Context()); err != nil || saved.AccessToken != "A1" || saved.UserName != "ann" {
			t.Errorf("Save = %q, %v; want A1", saved.AccessToken, err)
		}
		m.check(t, id, "r1", "A1")
	})
}

func TestRefreshThatIsHandedOverYieldsToANewerOne(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.rotates = false
		got, failure := unsaved(t, m, p, m.process(0), id)
		if failure.Rotated || got.RefreshToken != "r0" || got.AccessToken != "A1" {
			t.Errorf("RefreshToken = %q and %q, rotated %v; want r0 and A1", got.RefreshToken, got.AccessToken, failure.Rotated)
		}
		m.refuses(nil)
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
		if saved, err := failure.Save(t.Context()); err != nil || saved.AccessToken != "A2" {
			t.Errorf("Save = %q, %v; want the newer A2", saved.AccessToken, err)
		}
		m.check(t, id, "r0", "A2")
	})
}

func TestRefreshThatIsHandedOverDoesNotBringADeletedTokenBack(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		_, failure := unsaved(t, m, p, m.process(0), id)
		m.refuses(nil)
		if err := m.process(0).DeleteToken(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if saved, err := failure.Save(t.Context()); !isNotFound(err) {
			t.Errorf("Save of a deleted token = %q, %v; want ErrNotFound", saved.AccessToken, err)
		}
		if got, err := m.process(0).GetTokens(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("GetTokens: %d tokens, %v; want none", len(got), err)
		}
	})
}

func TestRefreshThatIsHandedOverIsNoRefreshTokenOfAGrant(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, _ string) {
		p.rotates = false // the exchange brings an access token alone
		id := mustSave(t, m.process(0), Token{UserName: "bob", GrantToken: "grant"}).ID
		got, failure := unsaved(t, m, p, m.process(0), id)
		if got.RefreshToken != "" || got.AccessToken != "A1" || failure.Rotated {
			t.Errorf("RefreshToken = refresh %q and access %q, rotated %v; want no refresh token and A1", got.RefreshToken, got.AccessToken, failure.Rotated)
		}
	})
}

func TestRefreshIsStoredAtLastWhereTheStoreFailsForAWhile(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		r := p.refresh()
		r.Ask = func(ctx context.Context, stored Token) (Token, error) {
			failures := 0
			m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
				if failures++; failures < 5 {
					return "", &driver.Error{Op: "Put", Name: name, Err: ErrUnavailable}
				}
				return m.Secrets.Put(ctx, name, payload, rev)
			}
			return p.ask(ctx, stored)
		}
		mustRefresh(t, m.process(0), id, r, "A1")
		m.check(t, id, "r1", "A1")
		p.check(t, "r0")
	})
}

func TestRefreshErrorsHoldNoCredential(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, _ string) {
		const canary = "canary"
		mustNotLeak := func(how, text string) {
			t.Helper()
			if strings.Contains(text, canary) {
				t.Errorf("the error of %s holds a credential: %s", how, text)
			}
		}
		secret := Token{ClientID: "c", ClientSecret: canary + "-s", RefreshToken: canary + "-r", AccessToken: canary + "-a", AccountsURL: "https://" + canary}
		fresh := func(user string) string {
			t := secret
			t.UserName, t.RefreshToken = user, t.RefreshToken+user
			saved, err := m.process(0).SaveToken(context.Background(), t)
			if err != nil {
				panic(err)
			}
			return saved.ID
		}
		tell := func(how string, err error) {
			t.Helper()
			if err == nil {
				t.Errorf("%s is no error", how)
			}
			mustNotLeak(how, fmt.Sprintf("%v %+v %q %s", err, err, err, err))
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				mustNotLeak(how, cause.Error())
			}
		}
		for i, failure := range []RefreshFailure{Refused, Misconfigured, Throttled, Transient} {
			id := fresh(fmt.Sprint("user", i))
			p.answers = func(int, Token) (Token, error) { return Token{}, &RefreshError{Failure: failure} }
			for range 2 {
				_, err := m.process(0).RefreshToken(t.Context(), id, p.refresh())
				tell(string(failure), err)
			}
		}
		p.answers = nil
		id := fresh("late")
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.process(0).RefreshToken(short, id, p.refresh())
		tell("too little time", err)
		m.abandon(t, id, time.Now())
		_, err = m.process(0).RefreshToken(short, id, p.refresh())
		tell("another's lease", err)
		p.answers = func(int, Token) (Token, error) {
			return Token{AccessToken: canary + "-b", RefreshToken: canary + "-q", ExpiresAt: time.Now().Add(time.Hour)}, nil
		}
		_, failure := unsaved(t, m, p, m.process(0), fresh("unsaved"))
		tell("an unsaved token", failure)
		mustNotLeak("an unsaved token", fmt.Sprintf("%+v %#v", failure, failure.Err))
		m.refuses(nil)
		m.Plant(SecretName("x"), []byte(`{"tokenkeep": 1, "kind": "token", "id": "x", "refresh_token": "`+canary+`", "lease": "`+canary+`", "cool_down": 7}`))
		_, err = m.process(0).RefreshToken(t.Context(), "x", p.refresh())
		tell("a damaged token", err)
		p.answers = func(int, Token) (Token, error) {
			return Token{AccessToken: canary, ExpiresAt: time.Date(10001, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
		}
		_, err = m.process(0).RefreshToken(t.Context(), fresh("far"), p.refresh())
		tell("an answer that cannot be stored", err)
	})
}
