package zoho

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/oauth"
)

const (
	rotationGrace = 30 * time.Second
	// outlived is above the lease, 25 seconds with this grace, and below the grace.
	outlived = 28 * time.Second
)

// mishap is what happens to the one who refreshes first at an expiry.
type mishap int

const (
	none            mishap = iota
	slowAnswer             // the answer comes when the lease is over
	lostReply              // it takes effect, and does not come
	frozenWithIt           // the process stands still with the answer until the lease is over
	frozenBefore           // or before it asks
	numberOfMishaps        // they take turns
)

// rotating is a provider that rotates with a grace, and the mishaps of its processes.
type rotating struct {
	*Provider
	accounts *accounts

	mu       sync.Mutex
	first    map[string]bool // refresh tokens that somebody has spent, or begun to
	slow     bool
	happened [numberOfMishaps]int
}

func (r *rotating) Traits() oauth.Traits {
	traits := r.Provider.Traits()
	traits.Rotates, traits.Grace = true, rotationGrace
	return traits
}

// delay is that of the accounts server.
func (r *rotating) delay(string) {
	r.mu.Lock()
	slow := r.slow
	r.slow = false
	r.mu.Unlock()
	if slow {
		time.Sleep(outlived)
	}
	time.Sleep(200 * time.Millisecond)
}

func (r *rotating) Ask(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
	m := r.mishapOf(stored.RefreshToken)
	if m == frozenBefore {
		time.Sleep(outlived)
	}
	t, err := r.Provider.Ask(ctx, stored)
	if m == frozenWithIt {
		time.Sleep(outlived)
	}
	return t, err
}

// mishapOf returns none to all but the first who spends a refresh token.
func (r *rotating) mishapOf(refresh string) mishap {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first[refresh] {
		return none
	}
	m := mishap(len(r.first)) % numberOfMishaps
	r.first[refresh] = true
	r.happened[m]++
	switch m {
	case slowAnswer:
		r.slow = true
	case lostReply:
		r.accounts.mu.Lock()
		defer r.accounts.mu.Unlock()
		r.accounts.options.lose = 1
	}
	return m
}

func TestHoldersThatOutliveTheirLeaseDoNotEndTheLogin(t *testing.T) {
	for name, same := range map[string]bool{"a replay brings another successor": false, "a replay brings the same successor": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { outliveLeases(t, same, soak(20, 200)) })
		})
	}
}

// outliveLeases lets four processes, each with a source, meet at so many expiries of hourly tokens.
func outliveLeases(t *testing.T, same bool, expiries int) {
	r := &rotating{first: map[string]bool{}}
	r.accounts = newSimulated(accountsOptions{rotate: true, grace: rotationGrace, sameSuccessor: same, delay: r.delay})
	r.Provider = r.accounts.newProvider()
	secrets := &versions{Secrets: &memdriver.Secrets{}}
	secrets.saveLogin(t, r.accounts)
	seen := map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		source := oauth.NewSource(secrets.handle(), tokenkeep.Token{UserName: userEmail}, oauth.Options{Provider: r, Margin: -1})
		all.Go(func() {
			for range expiries {
				tok, err := source.TokenContext(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[tok.AccessToken] = true
				mu.Unlock()
				time.Sleep(time.Until(tok.Expiry))
			}
		})
	}
	all.Wait()
	time.Sleep(outlived) // answers that nobody waits for
	if n := r.accounts.ended(); n > 0 || len(seen) < expiries {
		t.Errorf("%d refresh tokens are revoked, want none; the sources had %d access tokens, want %d", n, len(seen), expiries)
	}
	for m, n := range r.happened {
		if n != expiries/int(numberOfMishaps) {
			t.Errorf("mishap %d happened %d times, in %d expiries", m, n, expiries)
		}
	}
	want := expiries + r.happened[slowAnswer] + r.happened[lostReply] + r.happened[frozenWithIt] // who was late before, never asked
	if n := r.accounts.count("refresh_token"); n != want {
		t.Errorf("%d refreshes, want %d: one for each expiry, and one more where an answer was late or lost", n, want)
	}
	t.Logf("%d expiries, %d refreshes, %d access tokens seen, mishaps %v", expiries, r.accounts.count("refresh_token"), len(seen), r.happened)
}
