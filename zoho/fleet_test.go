package zoho

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// shortLived gives tokens that are to be replaced sooner than the accounts server would have it. It keeps the books of that.
type shortLived struct {
	*Provider
	life time.Duration

	mu      sync.Mutex
	expires time.Time       // of the newest token
	left    []time.Duration // of the life of a token when the next one was asked for
}

func (s *shortLived) Ask(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
	s.mu.Lock()
	now, ended := time.Now(), s.expires
	s.expires = now.Add(s.life)
	if !ended.IsZero() {
		s.left = append(s.left, ended.Sub(now))
	}
	s.mu.Unlock() // a mutex that is held over a pause would stop the clock of the bubble
	t, err := s.Provider.Ask(ctx, stored)
	t.ExpiresAt = now.Add(s.life)
	return t, err
}

// fleetRun is a number of sources that use a token for a while, each as in a process of its own.
type fleetRun struct {
	sources            int
	life, margin, time time.Duration
	pause              time.Duration // the longest between two uses; 0: they all come at the moment of expiry
}

// fleetResult is what became of it.
type fleetResult struct {
	refreshes, versions, tokens int
	left                        []time.Duration
}

func (f fleetRun) run(t *testing.T) fleetResult {
	t.Helper()
	a := newSimulated(accountsOptions{delay: func(string) { time.Sleep(300 * time.Millisecond) }})
	secrets := &versions{Secrets: &memdriver.Secrets{}}
	secrets.saveLogin(t, a)
	provider := &shortLived{Provider: a.newProvider(), life: f.life}
	end := time.Now().Add(f.time)
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range f.sources {
		source := oauth.NewSource(secrets.handle(), tokenkeep.Token{UserName: userEmail}, oauth.Options{Provider: provider, Margin: f.margin})
		all.Go(func() {
			for time.Now().Before(end) {
				tok, err := source.TokenContext(t.Context())
				if err != nil || !tok.Expiry.After(time.Now()) {
					t.Errorf("after %v: %v, %v", f.time-time.Until(end), tok, err)
					return
				}
				mu.Lock()
				seen[tok.AccessToken] = true
				mu.Unlock()
				pause := time.Until(tok.Expiry)
				if f.pause > 0 {
					pause = rand.N(f.pause)
				}
				time.Sleep(pause)
			}
		})
	}
	all.Wait()
	return fleetResult{a.count("refresh_token"), secrets.count(), len(seen), provider.left}
}

func TestAFleetRefreshesOncePerExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := fleetRun{sources: soak(100, 1000), life: 5 * time.Minute, margin: -1, time: time.Hour}.run(t)
		if got.refreshes != 12 || got.tokens != 12 || got.versions != 24 {
			t.Errorf("%+v; want 12 refreshes in an hour, each of which all sources see, and 2 versions for each", got)
		}
		for _, left := range got.left {
			if left > 0 {
				t.Errorf("a token was refreshed %v before its end", left)
			}
		}
	})
}

func TestAFleetRefreshesEarlyOncePerToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const life = 5 * time.Minute
		got := fleetRun{sources: soak(100, 1000), life: life, time: time.Hour, pause: 10 * time.Second}.run(t)
		// A quarter of its life before its end a token may be refreshed, so there are 12 to 16 in an hour.
		if got.refreshes != got.tokens || got.refreshes < 12 || got.refreshes > 16 || got.versions != 2*got.refreshes {
			t.Errorf("%+v; want 12 to 16 refreshes in an hour, each of which the sources see, and 2 versions for each", got)
		}
		for _, left := range got.left {
			if left <= 0 || left > life/4 {
				t.Errorf("a token was refreshed %v before its end, want within its last quarter", left)
			}
		}
		t.Logf("%d refreshes, %d versions", got.refreshes, got.versions)
	})
}

func TestADayOfHourlyTokensIs48Versions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := fleetRun{sources: 10, life: time.Hour, margin: -1, time: 24 * time.Hour}.run(t)
		if got.refreshes != 24 || got.versions != 48 {
			t.Errorf("%d refreshes and %d versions, want 24 and 48", got.refreshes, got.versions)
		}
	})
}

func TestADayOfHourlyTokensThatAreRefreshedEarlyFitsTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := fleetRun{sources: 10, life: time.Hour, time: 24 * time.Hour, pause: 20 * time.Second}.run(t)
		// Five minutes before its end at the earliest, so that a token lasts for 55.
		if got.refreshes < 24 || got.refreshes > 27 || got.versions != 2*got.refreshes {
			t.Errorf("%d refreshes and %d versions; want 24 to 27, and 2 for each", got.refreshes, got.versions)
		}
		t.Logf("%d refreshes, %d versions", got.refreshes, got.versions)
	})
}
