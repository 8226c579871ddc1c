package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// takes makes the issuer's answers come after these times, one after another, in the order in which it was asked.
func (p *issuer) takesEach(times ...time.Duration) {
	p.answers = func(n int, _ Token) (Token, error) {
		time.Sleep(times[min(n, len(times))-1])
		return p.answer(n)
	}
}

// refreshTwice lets two processes refresh, the second a second after the first, and returns what they got.
func refreshTwice(t *testing.T, m *manager, p *issuer, id string) (first, second refreshed) {
	t.Helper()
	one := goRefresh(t.Context(), m.process(0), id, p.refresh())
	time.Sleep(time.Second)
	two := goRefresh(t.Context(), m.process(0), id, p.refresh())
	first, second = <-one, <-two
	if err := errors.Join(first.err, second.err); err != nil {
		t.Error(err)
	}
	return first, second
}

func TestRefreshHolderThatOutlivesItsLeaseKeepsItsRotatedToken(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.answers = func(n int, _ Token) (Token, error) {
			if n == 1 {
				time.Sleep(30 * time.Second)
				return p.answer(n)
			}
			time.Sleep(10 * time.Second)
			return Token{}, &RefreshError{Failure: Refused} // there is no grace: the thief replays
		}
		first, second := refreshTwice(t, m, p, id)
		if first.AccessToken != "A1" || second.AccessToken != "A1" {
			t.Errorf("the processes got %q and %q, want A1", first.AccessToken, second.AccessToken)
		}
		if r := m.check(t, id, "r1", "A1"); r.Reauthorize != nil {
			t.Errorf("a person must log in, although the refresh token is good: %v", r.Reauthorize)
		}
		p.check(t, "r0", "r0")
	})
}

func TestRefreshLateHolderDoesNotPutItsDeadAccessTokenOverANewer(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.rotates = false
		p.takesEach(40*time.Second, 0)
		first, second := refreshTwice(t, m, p, id)
		if first.AccessToken != "A2" || second.AccessToken != "A2" {
			t.Errorf("the processes got %q and %q, want A2", first.AccessToken, second.AccessToken)
		}
		m.check(t, id, "r0", "A2")
		p.check(t, "r0", "r0")
	})
}

func TestRefreshThatAReplayOutdidIsNotTheOneThatStays(t *testing.T) {
	for name, first := range map[string]time.Duration{"the late holder commits first": 30 * time.Second, "the thief commits first": 50 * time.Second} {
		t.Run(name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.takesEach(first, 10*time.Second)
				refreshTwice(t, m, p, id)
				m.check(t, id, "r2", "A2")
				p.check(t, "r0", "r0")
			})
		})
	}
}

func TestRefreshThatALoginOvertookIsLostAndTold(t *testing.T) {
	for _, tt := range []struct {
		name    string
		rotates bool
		hook    bool
		want    int
	}{{"a rotated token", true, true, 1}, {"a rotated token, and nobody listens", true, false, 0}, {"no rotated token", false, true, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.rotates, p.takes = tt.rotates, 10*time.Second
				r, told := p.refresh(), 0
				if tt.hook {
					r.Lost = func(answer Token) {
						if told++; answer.RefreshToken != "r1" || answer.AccessToken != "A1" {
							t.Errorf("lost was %q with %q", answer.RefreshToken, answer.AccessToken)
						}
					}
				}
				done := goRefresh(t.Context(), m.process(0), id, r)
				time.Sleep(time.Second)
				mustSave(t, m.process(0), Token{ID: id, RefreshToken: "login", AccessToken: "LA", ExpiresAt: time.Now().Add(time.Hour)})
				if got := <-done; got.err != nil || got.AccessToken != "LA" || told != tt.want {
					t.Errorf("RefreshToken = %q, %v; told %d times; want LA and %d", got.AccessToken, got.err, told, tt.want)
				}
				m.check(t, id, "login", "LA")
			})
		})
	}
}

func TestRefreshThatALoginWithoutAccessTokenOvertookIsDoneAnew(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 10 * time.Second
		done := goRefresh(t.Context(), m.process(0), id, p.refresh())
		time.Sleep(time.Second)
		mustSave(t, m.process(0), Token{ID: id, RefreshToken: "login"})
		if got := <-done; got.err != nil || got.AccessToken != "A2" {
			t.Errorf("RefreshToken = %q, %v; want a good token, A2", got.AccessToken, got.err)
		}
		p.check(t, "r0", "login")
	})
}

func TestRefreshIsNotUndoneByASaveOfAnOldCopy(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		warm, cold := m.process(0), m.process(0)
		old, err := warm.FindTokenByID(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		mustRefresh(t, m.process(0), id, p.refresh(), "A1")
		for i, s := range []*SecretStore{warm, cold} {
			old.RedirectURL = fmt.Sprint("u", i)
			if got := mustSave(t, s, old); got.RefreshToken != "r1" || got.AccessToken != "A1" || got.RedirectURL != old.RedirectURL {
				t.Errorf("the save returned %q, %q and redirect URL %q", got.RefreshToken, got.AccessToken, got.RedirectURL)
			}
			m.check(t, id, "r1", "A1")
		}
		mustSave(t, cold, Token{UserName: "ann", RefreshToken: "r0"}) // a login that is sent again
		m.check(t, id, "r1", "A1")
	})
}

func TestRefreshIsNotUndoneByTheEnvironmentOfAnOlderDeployment(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		older, newer := Token{UserName: "ann", RefreshToken: "r0"}, Token{UserName: "ann", RefreshToken: "login"}
		for range 3 {
			mustSave(t, m.process(0), newer)
			mustRefresh(t, m.process(0), id, p.refresh(), "A1")
			mustSave(t, m.process(0), older)
			m.check(t, id, "r1", "A1")
		}
		p.check(t, "login")
	})
}

func TestRefreshLeavesATokenToBeFoundByItsFirstRefreshToken(t *testing.T) {
	for name, user := range map[string]string{"a user's": "ann", "nobody's": ""} {
		t.Run(name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				if user == "" {
					id = mustSave(t, m.process(0), Token{RefreshToken: "first"}).ID
				} else {
					mustSave(t, m.process(0), Token{ID: id, RefreshToken: "first"})
				}
				for i := range 20 {
					mustRefresh(t, m.process(0), id, p.refresh(), fmt.Sprint("A", i+1))
					time.Sleep(time.Hour)
				}
				for _, s := range []*SecretStore{m.process(0), m.process(0)} {
					got, err := s.FindToken(t.Context(), Token{RefreshToken: "first"})
					if err != nil || got.ID != id || got.RefreshToken != "r20" {
						t.Errorf("FindToken by the first refresh token = %q with %q, %v; want %q with r20", got.ID, got.RefreshToken, err, id)
					}
				}
				got, err := m.process(0).FindToken(t.Context(), Token{RefreshToken: "r4"})
				if err == nil && got.ID != id || err != nil && !isNotFound(err) {
					t.Errorf("FindToken by a refresh token that 16 others followed = %q, %v; want %q or not found", got.ID, err, id)
				}
				if saved := mustSave(t, m.process(0), Token{UserName: user, RefreshToken: "first"}); saved.ID != id || saved.RefreshToken != "r20" {
					t.Errorf("a save of the first refresh token made %q of %q", saved.RefreshToken, saved.ID)
				}
				all, err := m.process(0).GetTokens(t.Context())
				if want := map[string]int{"ann": 1, "": 2}[user]; err != nil || len(all) != want {
					t.Errorf("there are %d tokens, %v; want %d", len(all), err, want)
				}
			})
		})
	}
}

func TestRefreshOfATokenThatIsDeletedMeanwhileDoesNotBringItBack(t *testing.T) {
	for name, when := range map[string]time.Duration{"while the provider is asked": time.Second, "while others wait": 0} {
		t.Run(name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				if p.takes = 2 * time.Second; when == 0 {
					m.abandon(t, id, time.Now())
				}
				done := goRefresh(t.Context(), m.process(0), id, p.refresh())
				time.Sleep(time.Second)
				if err := m.process(0).DeleteToken(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				if got := <-done; !isNotFound(got.err) || got.AccessToken != "" {
					t.Errorf("RefreshToken = %q, %v; want ErrNotFound", got.AccessToken, got.err)
				}
				if _, err := m.process(0).FindTokenByID(t.Context(), id); !isNotFound(err) {
					t.Errorf("after the delete, FindTokenByID: %v", err)
				}
			})
		})
	}
}

func TestRefreshOfATokenThatIsReplacedMeanwhileLeavesTheNewOneAlone(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 2 * time.Second
		done := goRefresh(t.Context(), m.process(0), id, p.refresh())
		time.Sleep(time.Second)
		if err := m.process(0).DeleteToken(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		again := mustSave(t, m.process(0), Token{UserName: "ann", RefreshToken: "new", AccessToken: "NA", ExpiresAt: time.Now().Add(time.Hour)})
		if got := <-done; again.ID != id || got.err != nil || got.AccessToken != "NA" {
			t.Errorf("RefreshToken of %q = %q, %v; want NA, of the token %q that was created anew", id, got.AccessToken, got.err, again.ID)
		}
		m.check(t, id, "new", "NA")
	})
}

func TestRefreshKeepsWhatOthersSaveMeanwhile(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 2 * time.Second
		done := goRefresh(t.Context(), m.process(0), id, p.refresh())
		time.Sleep(time.Second)
		mustSave(t, m.process(0), Token{ID: id, UserName: "bob", RedirectURL: "u", Extra: map[string]string{"k": "v"}})
		got := <-done
		if r := m.check(t, id, "r1", "A1"); r.UserName != "bob" || r.RedirectURL != "u" || r.Extra["k"] != "v" || got.UserName != "bob" {
			t.Errorf("stored is %v, returned %v; want the other process's changes", readable(r.Token), readable(got.Token))
		}
	})
}

func TestRefreshDoesNotTouchTheIndexNorTheIdentity(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if name == indexName {
				t.Error("the index was written")
			}
			return m.Secrets.Put(ctx, name, payload, rev)
		}
		domains := []string{"https://eu", "https://in", ""}
		p.answers = func(n int, _ Token) (Token, error) {
			answer, err := p.answer(n)
			answer.APIDomain = domains[n-1]
			return answer, err
		}
		before := m.record(t, id).identity()
		for i := range domains {
			if got := mustRefresh(t, m.process(0), id, p.refresh(), fmt.Sprint("A", i+1)); got.APIDomain != "https://eu" {
				t.Errorf("refresh %d returned the API domain %q, want the one that the first answer named", i+1, got.APIDomain)
			}
			time.Sleep(time.Hour)
		}
		if after := m.record(t, id).identity(); after != before {
			t.Errorf("the identity went from %+v to %+v", before, after)
		}
		for domain, want := range map[string]error{"": nil, "https://eu": nil, "https://in": ErrNotFound} {
			if got, err := m.process(0).FindToken(t.Context(), Token{UserName: "ann", APIDomain: domain}); !errors.Is(err, want) || err == nil && (got.ID != id || got.APIDomain != "https://eu") {
				t.Errorf("FindToken of the API domain %q = %q on %q, %v; want %v", domain, got.ID, got.APIDomain, err, want)
			}
		}
		if _, err := m.process(0).UpdateToken(t.Context(), id, func(t Token) (Token, error) { t.RedirectURL = "u"; return t, nil }); err != nil {
			t.Error(err)
		}
		if saved := mustSave(t, m.process(0), Token{UserName: "ann", RedirectURL: "v"}); saved.ID != id {
			t.Errorf("a save of the user made another token, %q", saved.ID)
		}
	})
}
