package oauth

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func TestEarlyRefresh(t *testing.T) {
	tests := []struct {
		name    string
		life    time.Duration // left of the hour
		options func(*Options)
		fail    func(int) *http.Response
		want    string
		wantErr bool // of Err
		asked   int
	}{
		{"nothing happens before the margin", 6 * time.Minute, nil, nil, "at0", false, 0},
		{"a token in the margin is refreshed", 2 * time.Minute, nil, nil, "at1", false, 1},
		{"a longer margin", 20 * time.Minute, func(o *Options) { o.Margin = time.Hour }, nil, "at0", false, 0},
		{"at most a quarter of the life", 7 * time.Minute, func(o *Options) { o.Margin = time.Hour }, nil, "at1", false, 1},
		{"no margin", time.Second, func(o *Options) { o.Margin = -1 }, nil, "at0", false, 0},
		{"none where a refresh ends old tokens", time.Second, func(o *Options) {
			o.Provider = (&endpoint{}).provider(Traits{KillsOldTokens: true})
		}, nil, "at0", false, 0},
		{"while it fails the token is used on", 2 * time.Minute, nil, always(503, ""), "at0", true, 2},
		{"also when a person must log in", 2 * time.Minute, nil, always(400, `{"error":"invalid_grant"}`), "at0", true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, id := secretStore(t, &memdriver.Secrets{}, ann(tt.life))
				e := &endpoint{fail: tt.fail}
				o := e.options()
				if tt.options != nil {
					tt.options(&o)
				}
				s := NewSource(store, tokenkeep.Token{ID: id}, o)
				wantToken(t, s, tt.want)
				wantToken(t, s, tt.want)
				if n := e.count(); n != tt.asked || (s.Err() != nil) != tt.wantErr {
					t.Errorf("%d requests, Err() = %v; want %d, error %v", n, s.Err(), tt.asked, tt.wantErr)
				}
			})
		})
	}
}

func TestAnExpiredTokenIsNotUsedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(10*time.Second))
		e := &endpoint{fail: always(503, "")}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		wantToken(t, s, "at0")
		time.Sleep(9 * time.Second)
		wantToken(t, s, "at0")
		time.Sleep(time.Second)
		if tok, err := s.Token(); tok != nil || err == nil {
			t.Errorf("%v, %v", accessOf(tok), err)
		}
	})
}

func TestNobodyWaitsForAnEarlyRefreshOfSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(10*time.Minute))
		e := &endpoint{delay: 3 * time.Second}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		wantToken(t, s, "at0")
		time.Sleep(8 * time.Minute)
		go func() { _, _ = s.Token() }()
		synctest.Wait()
		start := time.Now()
		wantToken(t, s, "at0")
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		wantToken(t, s, "at1")
	})
}

func TestATokenThatWasJustGivenIsReturnedHoweverShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
		e := &endpoint{life: time.Second}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		wantToken(t, s, "at1")
		time.Sleep(time.Second)
		wantToken(t, s, "at2")
	})
}

func TestInvalidate(t *testing.T) {
	tests := []struct {
		name     string
		age      time.Duration // of the stored token
		rejected string
		stored   string // by somebody else, after the source has read it
		want     string
		asked    int
	}{
		{"an old token is refreshed", 10 * time.Minute, "at0", "", "at1", 1},
		{"a young one is not", 30 * time.Second, "at0", "", "at0", 0},
		{"another process was faster", 10 * time.Minute, "at0", "b1", "b1", 0},
		{"a token that is none of the source's", 10 * time.Minute, "x", "", "at0", 0},
		{"nothing", 10 * time.Minute, "", "", "at0", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				token := ann(time.Hour)
				token.RefreshedAt = time.Now().Add(-tt.age)
				store, id := secretStore(t, &memdriver.Secrets{}, token)
				e := &endpoint{}
				s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
				wantToken(t, s, "at0")
				if tt.stored != "" {
					if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: id, AccessToken: tt.stored, ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Second) // past what the store remembers for a first look
				s.Invalidate(tt.rejected)
				wantToken(t, s, tt.want)
				s.Invalidate(tt.rejected)
				if tt.want != "at0" {
					wantToken(t, s, tt.want)
				}
				if n := e.count(); n != tt.asked {
					t.Errorf("%d requests, want %d", n, tt.asked)
				}
			})
		})
	}
}

func TestATokenThatIsRejectedDuringARefreshStaysRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, id := secretStore(t, &memdriver.Secrets{}, ann(2*time.Minute))
		e := &endpoint{delay: time.Second, fail: always(503, "")}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		go func() { _, _ = s.Token() }()
		time.Sleep(500 * time.Millisecond)
		s.Invalidate("at0")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if m := s.memory.Load(); m == nil || m.usable(s.now()) {
			t.Error("the rejected token is handed out")
		}
	})
}
