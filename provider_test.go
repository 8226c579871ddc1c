//go:build !race

package tokenkeep

import (
	"fmt"
	"time"
)

// provider is an authorization server in a simulation. A refresh token is called after its family, a letter, and its
// generation: a0, a1, a2.
type provider struct {
	rotates bool
	grace   time.Duration // for how long a used refresh token is still answered
	same    bool          // a replay in the grace gets the successor that there is, not a new one
	kills   bool          // a refresh ends older access tokens
	tardy   bool          // switched off: nobody asks after the deadline

	live     map[byte]string      // the newest refresh token of each family
	used     map[string]time.Time // since when a refresh token has had a successor
	revoked  map[byte]bool        // families of which somebody used one again
	reused   string               // that one, if it was sent after its time, until that is looked at
	issued   int                  // access tokens
	newest   string               // access token
	requests int
}

func (p *provider) clone() *provider {
	c := *p
	c.live = map[byte]string{'a': "a0", 'b': "b0"}
	c.used = map[string]time.Time{}
	c.revoked = map[byte]bool{}
	return &c
}

// knows reports whether a refresh token would be answered.
func (p *provider) knows(refresh string, now time.Time) bool {
	since, used := p.used[refresh]
	return refresh != "" && !p.revoked[refresh[0]] && (refresh == p.live[refresh[0]] || used && now.Sub(since) < p.grace)
}

func (p *provider) ask(c *call, now time.Time) reply {
	if now.After(c.until) && !p.tardy {
		return reply{err: ErrTooLate}
	}
	p.requests++
	refresh := string(c.payload)
	if !p.knows(refresh, now) {
		if _, used := p.used[refresh]; used {
			p.revoked[refresh[0]] = true
			if now.After(c.until) {
				p.reused = refresh
			}
		}
		return reply{err: &RefreshError{Failure: Refused}}
	}
	p.issued++
	p.newest = fmt.Sprint("at", p.issued)
	t := Token{AccessToken: p.newest, ExpiresAt: now.Add(time.Hour)}
	if p.rotates {
		family := refresh[0]
		if refresh == p.live[family] || !p.same {
			if _, used := p.used[refresh]; !used {
				p.used[refresh] = now
			}
			p.live[family] = fmt.Sprint(refresh[:1], generation(p.live[family])+1)
		}
		t.RefreshToken = p.live[family]
	}
	return reply{token: t}
}

func generation(refresh string) int {
	n := 0
	_, _ = fmt.Sscanf(refresh[1:], "%d", &n)
	return n
}

// checkRefreshes checks what must hold in every state while a provider is asked.
func (r *run) checkRefreshes() error {
	live, err := r.sim.live()
	if err != nil {
		return err
	}
	if p := r.server; p.reused != "" {
		if now := live[idA].RefreshToken; now != p.reused && now != "" && now[0] == p.reused[0] {
			return fmt.Errorf("%s was spent again while %s was stored", p.reused, now)
		}
		p.reused = ""
	}
	for id, rec := range live {
		if rec.refused() && r.server.knows(rec.credential(), r.clock) {
			return fmt.Errorf("token %s: Reauthorize stands against %s, which the provider takes", id, rec.credential())
		}
		before, known := r.stored[id]
		if known && rec.RefreshToken != before && rec.RefreshToken[0] == before[0] && generation(rec.RefreshToken) < generation(before) {
			return fmt.Errorf("token %s: %s was written over %s", id, rec.RefreshToken, before)
		}
		if known && before[0] == 'b' && rec.RefreshToken[0] == 'a' {
			return fmt.Errorf("token %s: %s was written over a login's %s", id, rec.RefreshToken, before)
		}
		r.stored[id] = rec.RefreshToken
		for _, res := range r.results {
			got := res.received
			if res.ended && got != "" && got[0] == rec.RefreshToken[0] && generation(rec.RefreshToken) < generation(got) {
				return fmt.Errorf("%s got %s, and let it go: %s is stored", res.by.name, got, rec.RefreshToken)
			}
		}
	}
	return nil
}

// checkRefreshed checks what must hold when all who refreshed are done.
func (r *run) checkRefreshed() error {
	live, err := r.sim.live()
	if err != nil {
		return err
	}
	p := r.server
	spoiled, deleted := len(p.revoked) > 0, false // a reply that nobody got, or a holder that stood still, may end a family
	for _, res := range r.results {
		spoiled = spoiled || !res.ended || res.repeats > 0
		deleted = deleted || res.verb == deleteA.verb
	}
	for _, res := range r.results {
		if res.verb == refresh.verb && res.err != nil && !spoiled && !deleted {
			return fmt.Errorf("%s %v: %w", res.by.name, res.act, res.err)
		}
	}
	late := r.faults < r.sc.faults
	for id, rec := range live {
		if live := p.live[rec.RefreshToken[0]]; rec.RefreshToken != live && !spoiled {
			return fmt.Errorf("token %s: %s is stored, and %s is the live one", id, rec.RefreshToken, live)
		}
		if p.kills && rec.RefreshToken[0] == 'a' && rec.AccessToken != p.newest && !spoiled {
			return fmt.Errorf("token %s: access token %s is stored, and only %s lives", id, rec.AccessToken, p.newest)
		}
	}
	if !spoiled && !late && !deleted && p.requests > 1 {
		return fmt.Errorf("%d requests for one expiry", p.requests)
	}
	return nil
}
