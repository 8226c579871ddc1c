package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// refuses makes the issuer refuse all but some credentials.
func (p *issuer) refuses(but ...string) {
	p.answers = func(n int, stored Token) (Token, error) {
		for _, good := range but {
			if firstOf(stored.GrantToken, stored.RefreshToken) == good {
				return p.answer(n)
			}
		}
		return Token{}, &RefreshError{Failure: Refused}
	}
}

// beforeReauthorize calls do once, before a put that sets Reauthorize.
func (m *manager) beforeReauthorize(id string, do func()) {
	m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if r, err := decodeRecord(id, payload); err == nil && r.Reauthorize != nil {
			m.onPut = nil
			do()
		}
		return m.Secrets.Put(ctx, name, payload, rev)
	}
}

func TestRefreshExchangesAGrantTokenFirst(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		mustSave(t, m.process(0), Token{ID: id, GrantToken: "grant"})
		got := mustRefresh(t, m.process(0), id, p.refresh(), "A1")
		if r := m.check(t, id, "r1", "A1"); got.GrantToken != "" || r.GrantToken != "" || !r.isSpent("grant") || !r.isSpent("r0") {
			t.Errorf("the grant token is %q, spent: %v; want it removed and spent, and r0 spent", r.GrantToken, r.isSpent("grant"))
		}
		mustSave(t, m.process(0), Token{ID: id, GrantToken: "grant"}) // by a process with an old environment
		time.Sleep(2 * time.Hour)
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
		p.check(t, "grant", "r1")
		for _, past := range []Token{{GrantToken: "grant"}, {RefreshToken: "r0"}} {
			if found, err := m.process(0).FindToken(t.Context(), past); err != nil || found.ID != id || found.RefreshToken != "r2" || found.GrantToken != "" {
				t.Errorf("FindToken by a spent token = %q, %v; want the token with r2", found.ID, err)
			}
		}
	})
}

func TestRefreshOfARefusedGrantTokenTriesTheRefreshToken(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		mustSave(t, m.process(0), Token{ID: id, GrantToken: "grant"})
		p.refuses("r0")
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
		if r := m.check(t, id, "r2", "A2"); r.Reauthorize != nil || !r.isSpent("grant") {
			t.Errorf("Reauthorize %v, grant token spent %v; want it spent, and no more", r.Reauthorize, r.isSpent("grant"))
		}
		p.check(t, "grant", "r0")
	})
}

func TestRefreshOfARefusedGrantTokenAloneNeedsAPerson(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, _ string) {
		id := mustSave(t, m.process(0), Token{UserName: "bob", GrantToken: "grant"}).ID
		p.refuses()
		for range 2 {
			failsToRefresh(t, m.process(0), id, p.refresh(), ErrReauthorize, "")
		}
		p.check(t, "grant")
	})
}

func TestRefreshThatWasRefusedStopsEveryProcessUntilALogin(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.refuses("login")
		s := m.process(0)
		failsToRefresh(t, s, id, p.refresh(), ErrReauthorize, "")
		for _, other := range []*SecretStore{s, m.process(0), m.process(time.Hour)} {
			time.Sleep(time.Hour)
			failsToRefresh(t, other, id, p.refresh(), ErrReauthorize, "")
			mustSave(t, other, Token{ID: id, RefreshToken: "r0", RedirectURL: "u"}) // no login
		}
		r := m.check(t, id, "r0", "A0")
		if r.Reauthorize == nil || r.Reauthorize.Reason != string(Refused) || r.refresh.Refused != digestOf("r0") || r.refresh.Lease != nil {
			t.Errorf("stored are Reauthorize %v and %+v; want it about r0, and no lease", r.Reauthorize, r.refresh)
		}
		if found, err := m.process(0).FindTokenByID(t.Context(), id); err != nil || found.Reauthorize == nil {
			t.Errorf("a look-up shows Reauthorize %v, %v", found.Reauthorize, err)
		}
		p.check(t, "r0")
		if saved := mustSave(t, m.process(0), Token{ID: id, RefreshToken: "login"}); saved.Reauthorize != nil {
			t.Errorf("after a login Reauthorize is still %v", saved.Reauthorize)
		}
		mustRefresh(t, s, id, p.refresh(), "A2")
	})
}

func TestRefreshLooksForALoginAtMostOnceASecond(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.refuses()
		s := m.process(0)
		failsToRefresh(t, s, id, p.refresh(), ErrReauthorize, "")
		m.Calls()
		for range 40 {
			failsToRefresh(t, s, id, p.refresh(), ErrReauthorize, "")
			time.Sleep(100 * time.Millisecond)
		}
		if got := m.Calls(); got["Latest"] != 3 || got["Put"] > 0 {
			t.Errorf("calls in 4 seconds: %v; want 3 reads, one a second", got)
		}
	})
}

func TestRefreshReturnsAnAccessTokenThatStillWorksWithTheError(t *testing.T) {
	for _, failure := range []RefreshFailure{Refused, Misconfigured, Throttled, Transient} {
		t.Run(string(failure), func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				mustSave(t, m.process(0), Token{ID: id, AccessToken: "A9", ExpiresAt: time.Now().Add(10 * time.Second)})
				r := p.refresh()
				r.Good = func(t Token) bool { return t.ExpiresAt.After(time.Now().Add(10 * time.Minute)) }
				p.answers = func(int, Token) (Token, error) { return Token{}, &RefreshError{Failure: failure} }
				s := m.process(0)
				for _, want := range []string{"A9", "A9", ""} {
					got, err := s.RefreshToken(t.Context(), id, r)
					var cause *RefreshError
					if !errors.As(err, &cause) || cause.Failure != failure || got.AccessToken != want {
						t.Errorf("RefreshToken = %q, %v; want %q and the class %q", got.AccessToken, err, want, failure)
					}
					if errors.Is(err, ErrReauthorize) != (failure == Refused) || errors.Is(err, ErrThrottled) != (failure == Throttled) {
						t.Errorf("of the class %q is the error %v", failure, err)
					}
					time.Sleep(5 * time.Second)
				}
				if r := m.record(t, id); (r.Reauthorize != nil) != (failure == Refused) {
					t.Errorf("after the class %q Reauthorize is %v", failure, r.Reauthorize)
				}
			})
		})
	}
}

func TestRefreshDoesNotBelieveARefusalAfterALogin(t *testing.T) {
	for name, credential := range map[string]Token{"a refresh token": {RefreshToken: "login"}, "a grant token": {GrantToken: "login"}} {
		t.Run(name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				credential.ID = id
				p.answers = func(n int, _ Token) (Token, error) {
					if n == 1 {
						mustSave(t, m.process(0), credential)
						return Token{}, &RefreshError{Failure: Refused}
					}
					return p.answer(n)
				}
				mustRefresh(t, m.process(0), id, p.refresh(), "A2")
				if r := m.record(t, id); r.Reauthorize != nil {
					t.Errorf("a person who has just logged in must log in: %v", r.Reauthorize)
				}
				p.check(t, "r0", "login")
			})
		})
	}
}

func TestRefreshIsDecidedAnewWhereALoginComesBeforeReauthorize(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.refuses("login")
		m.beforeReauthorize(id, func() { mustSave(t, m.process(0), Token{ID: id, RefreshToken: "login"}) })
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
		if r := m.check(t, id, "r2", "A2"); r.Reauthorize != nil {
			t.Errorf("Reauthorize %v stands against a login", r.Reauthorize)
		}
		p.check(t, "r0", "login")
	})
}

func TestRefreshIsRefusedAllTheSameWhereAnotherSaveComesBeforeReauthorize(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.refuses()
		m.beforeReauthorize(id, func() { mustSave(t, m.process(0), Token{ID: id, RedirectURL: "u"}) })
		failsToRefresh(t, m.process(0), id, p.refresh(), ErrReauthorize, "")
		if r := m.record(t, id); r.Reauthorize == nil || r.RedirectURL != "u" {
			t.Errorf("Reauthorize %v and redirect URL %q; want both", r.Reauthorize, r.RedirectURL)
		}
		p.check(t, "r0")
	})
}

func TestRefreshIsRefusedOnlyOnWhatTheStoreSaysNow(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.answers = func(int, Token) (Token, error) {
			m.onRead = func(string) error { return driver.ErrUnavailable }
			return Token{}, &RefreshError{Failure: Refused}
		}
		failsToRefresh(t, m.process(0), id, p.refresh(), ErrUnavailable, "")
		m.onRead = nil
		if r := m.record(t, id); r.Reauthorize != nil {
			t.Errorf("the store could not be read, and Reauthorize is %v", r.Reauthorize)
		}
	})
}

func TestRefreshIsNotRefusedForWhatIsNoRefusal(t *testing.T) {
	for i, failure := range []error{
		&RefreshError{Failure: Transient}, &RefreshError{Failure: Throttled}, &RefreshError{Failure: Misconfigured}, &RefreshError{},
		errors.New("anything"), fmt.Errorf("wrapped: %w", ErrReauthorize), nil, // nil: an answer without access token
	} {
		refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
			p.answers = func(int, Token) (Token, error) { return Token{}, failure }
			if got, err := m.process(0).RefreshToken(t.Context(), id, p.refresh()); err == nil || got.AccessToken != "" {
				t.Errorf("error %d, %v: RefreshToken = %q, %v", i, failure, got.AccessToken, err)
			}
			if r := m.check(t, id, "r0", "A0"); r.Reauthorize != nil || r.refresh.CoolDown == nil || r.refresh.Lease != nil {
				t.Errorf("error %d, %v: Reauthorize %v and %+v; want a cool-down only", i, failure, r.Reauthorize, r.refresh)
			}
		})
	}
}

func TestRefreshByAnOperatorWhoTookReauthorizeAway(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.refuses()
		failsToRefresh(t, m.process(0), id, p.refresh(), ErrReauthorize, "")
		p.answers = nil
		if _, err := m.process(0).UpdateToken(t.Context(), id, func(t Token) (Token, error) { t.Reauthorize = nil; return t, nil }); err != nil {
			t.Fatal(err)
		}
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
	})
}

func TestRefreshOfAClientSpendsNothing(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, _ string) {
		id := mustSave(t, m.process(0), Token{UserName: "app", ClientID: "c", ClientSecret: "s"}).ID
		p.rotates = false
		p.takesEach(40*time.Second, 0)
		first, second := refreshTwice(t, m, p, id)
		if first.AccessToken != "A2" || second.AccessToken != "A2" {
			t.Errorf("the processes got %q and %q, want A2", first.AccessToken, second.AccessToken)
		}
		time.Sleep(2 * time.Hour)
		p.refuses()
		for range 2 {
			failsToRefresh(t, m.process(0), id, p.refresh(), ErrReauthorize, "")
		}
		p.check(t, "client", "client", "client")
	})
}
