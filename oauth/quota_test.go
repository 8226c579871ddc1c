package oauth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// metered is a driver that counts the puts of tokens and, once a quota is set, takes no more of them than that.
type metered struct {
	*memdriver.Secrets
	mu    sync.Mutex
	taken map[string]int // by the name of the secret
	quota int            // how many more; negative: any number
}

func (m *metered) allow(puts int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.quota = puts
}

func (m *metered) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	if !strings.HasPrefix(name, "t_") {
		return m.Secrets.Put(ctx, name, payload, rev)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.quota == 0 {
		return "", &driver.Error{Op: "Put", Name: name, Err: driver.ErrQuota}
	}
	next, err := m.Secrets.Put(ctx, name, payload, rev)
	if err == nil {
		m.quota--
		m.taken[name]++
	}
	return next, err
}

// puts returns how many puts there were, and forgets them; all of them must have been of one secret.
func (m *metered) puts(t *testing.T) int {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.taken) != 1 {
		t.Fatalf("puts %v; want those of one secret", m.taken)
	}
	n := 0
	for _, puts := range m.taken {
		n += puts
	}
	m.taken = map[string]int{}
	return n
}

func newMetered() *metered {
	return &metered{Secrets: &memdriver.Secrets{}, taken: map[string]int{}, quota: -1}
}

func TestWhereTheQuotaCannotBeMet(t *testing.T) {
	for name, rotates := range map[string]bool{"the refresh token stays": false, "the refresh token is a new one": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				secrets := newMetered()
				store, id := secretStore(t, secrets, ann(-time.Minute))
				e := &endpoint{rotates: rotates}
				var l told
				s := l.source0(store, tokenkeep.Token{ID: id}, e.options())
				secrets.allow(1) // the lease, not the commit

				tok, err := s.TokenContext(t.Context())
				var unsaved *tokenkeep.UnsavedError
				if accessOf(tok) != "at1" || !errors.Is(err, tokenkeep.ErrQuota) || !errors.As(err, &unsaved) || unsaved.Rotated != rotates {
					t.Fatalf("TokenContext = %v, %v; want at1, and an UnsavedError because of ErrQuota", accessOf(tok), err)
				}
				if tok, err := s.Token(); accessOf(tok) != "at1" || err != nil {
					t.Errorf("Token() = %v, %v; want at1 and no error", accessOf(tok), err)
				}
				wantErr(t, s.Err(), tokenkeep.ErrQuota)
				l.check(t, 1, 0, 1)
				refresh := "a0"
				if rotates {
					refresh = "rt1"
				}
				told := l.persist[0]
				if told.ID != id || told.AccessToken != "" || rotates != (told.RefreshToken != "") || rotates && told.RefreshToken != refresh {
					t.Errorf("OnPersistError was told %v", told)
				}
				wantErr(t, l.errs[0], tokenkeep.ErrQuota)
				wantStored(t, store, "at0", "a0")

				secrets.allow(1)
				time.Sleep(savePause)
				wantToken(t, s, "at1")
				if s.Err() != nil {
					t.Errorf("Err() = %v after the token was stored", s.Err())
				}
				wantStored(t, store, "at1", refresh)
				l.check(t, 1, 0, 1)
				if n := e.count(); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
			})
		})
	}
}

// AWS takes about 100 versions of a secret a day.
func TestAnHourlyTokenMakes48VersionsADay(t *testing.T) {
	tests := []struct {
		name   string
		cold   bool
		margin time.Duration
		most   int
	}{
		{"sources that live on", false, -1, 48},
		{"a cold start for each call", true, -1, 48},
		{"refreshed early, up to 5 minutes of each hour", false, 0, 54},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				secrets := newMetered()
				_, id := secretStore(t, secrets, ann(-time.Minute))
				e := &endpoint{rotates: true, delay: 100 * time.Millisecond}
				o := e.options()
				o.Margin = tt.margin
				open := func() *Source {
					return NewSource(tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}), tokenkeep.Token{ID: id}, o)
				}
				sources := make([]*Source, 5)
				for i := range sources {
					sources[i] = open()
				}
				secrets.puts(t) // of the first save
				for begin := time.Now(); time.Since(begin) < 24*time.Hour-time.Minute; time.Sleep(time.Minute) {
					var wg sync.WaitGroup
					for _, s := range sources {
						if tt.cold {
							s = open()
						}
						wg.Go(func() { wantGoodToken(t, s) })
					}
					wg.Wait()
				}
				puts := secrets.puts(t)
				if puts < 48 || puts > tt.most {
					t.Errorf("%d versions, want 48 to %d: a lease and a token for each refresh", puts, tt.most)
				}
				if n := e.count(); 2*n != puts {
					t.Errorf("%d refreshes, want half of the %d versions", n, puts)
				}
			})
		})
	}
}

func wantGoodToken(t *testing.T, s *Source) {
	t.Helper()
	if tok, err := s.TokenContext(t.Context()); err != nil || !tok.Valid() {
		t.Errorf("TokenContext = %v, error %v; want a good token", accessOf(tok), err)
	}
}
