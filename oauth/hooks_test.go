package oauth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// told is what hooks and log were told.
type told struct {
	mu                        sync.Mutex
	refresh, reauthorize      []tokenkeep.Token
	persist                   []tokenkeep.Token
	errs                      []error
	busy                      int
	log                       bytes.Buffer
	during                    func()
	source                    *Source
	overlapped, withALockHeld bool
}

func (l *told) hook(keep func()) {
	l.mu.Lock()
	l.busy++
	l.overlapped = l.overlapped || l.busy > 1
	keep()
	during := l.during
	l.mu.Unlock()
	if !l.source.mu.TryLock() {
		l.withALockHeld = true
	} else {
		l.source.mu.Unlock()
	}
	if during != nil {
		during()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
}

func (l *told) source0(store tokenkeep.Store, query tokenkeep.Token, o Options) *Source {
	o.OnRefresh = func(t tokenkeep.Token) { l.hook(func() { l.refresh = append(l.refresh, t) }) }
	o.OnReauthorize = func(t tokenkeep.Token) { l.hook(func() { l.reauthorize = append(l.reauthorize, t) }) }
	o.OnPersistError = func(t tokenkeep.Token, err error) {
		l.hook(func() { l.persist, l.errs = append(l.persist, t), append(l.errs, err) })
	}
	o.Logger = slog.New(slog.NewTextHandler(&l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.source = NewSource(store, query, o)
	return l.source
}

// check fails where hooks ran at once or with a lock held, or where anything told a credential.
func (l *told) check(t *testing.T, refresh, reauthorize, persist int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.refresh) != refresh || len(l.reauthorize) != reauthorize || len(l.persist) != persist {
		t.Errorf("hooks called %d, %d, %d times; want %d, %d, %d", len(l.refresh), len(l.reauthorize), len(l.persist), refresh, reauthorize, persist)
	}
	if l.overlapped || l.withALockHeld {
		t.Error("hooks ran at once, or with a lock held")
	}
	for _, token := range append(append([]tokenkeep.Token{}, l.refresh...), l.reauthorize...) {
		if token.AccessToken+token.RefreshToken+token.GrantToken+token.ClientSecret+token.RedirectURL != "" || token.Extra != nil || token.ID == "" {
			t.Errorf("a hook was told a credential, or no ID: %v", token)
		}
	}
	for _, credential := range []string{"secret", "a0", "at0", "at1", "rt1", "rt2"} {
		if strings.Contains(l.log.String(), "="+credential) || strings.Contains(l.log.String(), `"`+credential) {
			t.Errorf("%q is logged:\n%s", credential, l.log.String())
		}
	}
}

func TestHooksOfARefreshAndALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &memdriver.Secrets{}
		token := ann(-time.Minute)
		token.Extra = map[string]string{"x": "y"}
		store, id := secretStore(t, secrets, token)
		e := &endpoint{}
		var l told
		s := l.source0(store, tokenkeep.Token{ID: id}, e.options())
		l.during = func() { _, _ = s.Token() } // a hook may use the source
		wantToken(t, s, "at1")
		other := NewSource(tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}), tokenkeep.Token{ID: id}, e.options())
		time.Sleep(time.Hour)
		wantToken(t, other, "at2")
		wantToken(t, s, "at2")
		l.check(t, 1, 0, 0) // of the other one's refresh this one tells nothing
		if s.Err() != nil {
			t.Errorf("Err() = %v", s.Err())
		}

		e.setFail(always(400, `{"error":"invalid_grant"}`))
		time.Sleep(time.Hour)
		for range 3 {
			_, err := s.Token()
			wantErr(t, err, ErrReauthorize)
			wantErr(t, s.Err(), ErrReauthorize)
			time.Sleep(2 * time.Second)
		}
		l.check(t, 1, 1, 0)
		if l.reauthorize[0].Reauthorize == nil || l.reauthorize[0].UserName != "ann" {
			t.Errorf("told %v", l.reauthorize[0])
		}
	})
}

// unsavedSource is a source whose token was refreshed, while the store took the lease and nothing after it.
func unsavedSource(t *testing.T, l *told, life time.Duration) (*Source, *shaky, *tokenkeep.SecretStore, *endpoint) {
	t.Helper()
	secrets := &shaky{Secrets: &memdriver.Secrets{}}
	store, id := secretStore(t, secrets, ann(-time.Minute))
	e := &endpoint{rotates: true, life: life}
	s := l.source0(store, tokenkeep.Token{ID: id}, e.options())
	puts := 0
	secrets.set(func(op string) error {
		if op == "Put" {
			puts++
		}
		if puts > 1 {
			return driver.ErrQuota
		}
		return nil
	})
	tok, err := s.TokenContext(t.Context())
	var unsaved *tokenkeep.UnsavedError
	if accessOf(tok) != "at1" || !errors.As(err, &unsaved) || !errors.Is(err, tokenkeep.ErrQuota) {
		t.Fatalf("%v, %v; want at1 and an UnsavedError", accessOf(tok), err)
	}
	return s, secrets, store, e
}

func wantStored(t *testing.T, store tokenkeep.Store, access, refresh string) {
	t.Helper()
	tokens, err := store.GetTokens(t.Context())
	if err != nil || len(tokens) != 1 || tokens[0].AccessToken != access || tokens[0].RefreshToken != refresh {
		t.Errorf("stored %v, %v; want one token with %s, %s", tokens, err, access, refresh)
	}
}

func TestATokenThatIsNotStoredIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l told
		s, secrets, store, _ := unsavedSource(t, &l, time.Hour)
		for attempt := range 2 {
			if tok, err := s.Token(); accessOf(tok) != "at1" || err != nil {
				t.Errorf("Token() = %v, %v", accessOf(tok), err)
			}
			wantErr(t, s.Err(), tokenkeep.ErrQuota)
			l.check(t, 1, 0, 1+attempt)
			if got := l.persist[attempt]; got.RefreshToken != "rt1" || got.AccessToken != "" || !errors.Is(l.errs[attempt], tokenkeep.ErrQuota) {
				t.Errorf("told %v, %v", got, l.errs[attempt])
			}
			time.Sleep(savePause)
		}
		secrets.set(nil)
		time.Sleep(2 * savePause)
		wantToken(t, s, "at1")
		if s.Err() != nil {
			t.Errorf("Err() = %v", s.Err())
		}
		wantStored(t, store, "at1", "rt1")
	})
}

func TestARefreshTokenThatIsNotStoredIsSavedBeforeItIsSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l told
		s, secrets, store, e := unsavedSource(t, &l, 20*time.Second)
		time.Sleep(20 * time.Second)
		if tok, err := s.Token(); tok != nil || !errors.Is(err, tokenkeep.ErrQuota) {
			t.Errorf("%v, %v", accessOf(tok), err)
		}
		if n := e.count(); n != 1 {
			t.Errorf("%d requests: the stored refresh token was spent again", n)
		}
		secrets.set(nil)
		wantToken(t, s, "at2")
		wantStored(t, store, "at2", "rt2")
	})
}

func TestADeletedTokenIsNotSavedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l told
		s, secrets, store, _ := unsavedSource(t, &l, time.Hour)
		secrets.set(nil)
		if err := store.DeleteTokens(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(savePause)
		_, err := s.TokenContext(t.Context())
		wantErr(t, err, tokenkeep.ErrNotFound)
		if tokens, err := store.GetTokens(t.Context()); err != nil || len(tokens) != 0 {
			t.Errorf("stored %v, %v", tokens, err)
		}
	})
}

func TestAStoreThatStandsInTheWayOfAnEarlyRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &shaky{Secrets: &memdriver.Secrets{}}
		store, id := secretStore(t, secrets, ann(2*time.Minute))
		secrets.set(func(op string) error {
			if op == "Put" {
				return driver.ErrQuota
			}
			return nil
		})
		e := &endpoint{}
		var l told
		s := l.source0(store, tokenkeep.Token{ID: id}, e.options())
		wantToken(t, s, "at0")
		wantToken(t, s, "at0")
		l.check(t, 0, 0, 1)
		wantErr(t, s.Err(), tokenkeep.ErrQuota)
		time.Sleep(failPause)
		secrets.set(nil)
		wantToken(t, s, "at1")
	})
}

func TestALoginDuringARefreshIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
		e := &endpoint{rotates: true, delay: time.Second}
		var l told
		s := l.source0(store, tokenkeep.Token{ID: id}, e.options())
		time.AfterFunc(500*time.Millisecond, func() {
			_, err := store.SaveToken(context.Background(), tokenkeep.Token{ID: id, RefreshToken: "b0", AccessToken: "bt", ExpiresAt: time.Now().Add(time.Hour)})
			if err != nil {
				t.Error(err)
			}
		})
		wantToken(t, s, "bt")
		l.check(t, 0, 0, 1)
		if l.persist[0].RefreshToken != "rt1" {
			t.Errorf("told %v", l.persist[0])
		}
	})
}

func TestRefreshAlone(t *testing.T) {
	tests := []struct {
		name  string
		alone bool
		trait Traits
		cold  bool
		want  string
	}{
		{"not by default", false, Traits{}, false, ""},
		{"where it is asked for", true, Traits{}, false, "at1"},
		{"from the query, at a cold start", true, Traits{}, true, "at1"},
		{"not where the provider rotates", true, Traits{Rotates: true}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				secrets := &shaky{Secrets: &memdriver.Secrets{}}
				query := tokenkeep.Token{UserName: "ann", ClientID: "client", RefreshToken: "a0"}
				store, _ := secretStore(t, secrets, ann(10*time.Minute))
				e := &endpoint{rotates: tt.trait.Rotates}
				o := e.options()
				o.RefreshAlone = tt.alone
				s := NewSource(store, query, o)
				if !tt.cold {
					wantToken(t, s, "at0")
				}
				time.Sleep(time.Hour)
				secrets.set(func(string) error { return driver.ErrUnavailable })
				tok, err := s.Token()
				if tt.want == "" {
					wantErr(t, err, tokenkeep.ErrUnavailable)
					return
				}
				if err != nil || tok.AccessToken != tt.want {
					t.Fatalf("%v, %v; want %s", accessOf(tok), err, tt.want)
				}
				e.setFail(always(429, ""))
				time.Sleep(time.Hour)
				for range 3 {
					if _, err := s.Token(); !errors.Is(err, tokenkeep.ErrUnavailable) {
						t.Errorf("error %v", err)
					}
					time.Sleep(2 * time.Second)
				}
				if n := e.count(); n != 2 {
					t.Errorf("%d requests; want a pause after a failure", n)
				}
			})
		})
	}
}
