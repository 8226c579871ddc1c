//go:build !race

package tokenkeep

import (
	"errors"
	"fmt"
	"slices"
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
	fails   *RefreshError // what it answers instead
	heals   bool          // it does so only before the actors begin

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

// open makes the provider ready for the actors.
func (p *provider) open() {
	p.requests = 0
	if p.heals {
		p.fails = nil
	}
}

// knows reports whether a refresh token would be answered.
func (p *provider) knows(refresh string, now time.Time) bool {
	since, used := p.used[refresh]
	return p.fails == nil && refresh != "" && !p.revoked[refresh[0]] && (refresh == p.live[refresh[0]] || used && now.Sub(since) < p.grace)
}

func (p *provider) ask(c *call, now time.Time) reply {
	if now.After(c.until) && !p.tardy {
		return reply{err: ErrTooLate}
	}
	p.requests++
	if p.fails != nil {
		return reply{err: p.fails}
	}
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

// requested notes that an operation asks the provider. Nobody else may have done so for this login inside the lease, unless
// what came of it was stored before the operation began; nor may a login have brought a good token since then.
func (r *run) requested(res *result, spent string) {
	for _, o := range r.results {
		if o.token.RefreshToken == spent && o.token.ExpiresAt.After(r.clock) && o.at > res.began {
			r.rivals = fmt.Errorf("%s spends %s, and %s has just logged in", res.by.name, spent, o.by.name)
		}
		if o == res || o.spent == "" || o.spent[0] != spent[0] || r.clock.Sub(o.asked) >= defaultLease {
			continue
		}
		if o.settled == 0 || o.settled > res.began {
			r.rivals = fmt.Errorf("%s spends %s, and %s has spent %s inside one lease", res.by.name, spent, o.by.name, o.spent)
		}
	}
	res.spent, res.asked, res.settled = spent, r.clock, 0
}

// checkRefreshes checks what must hold in every state while a provider is asked.
func (r *run) checkRefreshes() error {
	live, err := r.sim.live()
	if err != nil || r.rivals != nil {
		return errors.Join(err, r.rivals)
	}
	if err := r.checkForced(live); err != nil {
		return err
	}
	if p := r.server; p.reused != "" {
		if now := live[idA].RefreshToken; now != p.reused && now != "" && now[0] == p.reused[0] {
			return fmt.Errorf("%s was spent again while %s was stored", p.reused, now)
		}
		p.reused = ""
	}
	for id, rec := range live {
		if rec.refused() && r.server.knows(rec.credential(), r.clock) && !r.blockedFirst(rec) {
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

// blockedFirst reports whether a token still is refused as it was before anybody had forced a refresh.
func (r *run) blockedFirst(rec record) bool {
	return slices.ContainsFunc(r.initial, func(o record) bool { return o.refused() && o.Reauthorize.Since.Equal(rec.Reauthorize.Since) })
}

// checkForced checks what must hold in every state of forced refreshes, and of deletes beside them.
func (r *run) checkForced(live map[string]record) error {
	for _, res := range r.results {
		for id := range res.deleted {
			if _, ok := live[id]; ok {
				return fmt.Errorf("token %s has come back after %s deleted it", id, res.by.name)
			}
		}
		rec, ok := live[res.id]
		if !res.forces() || !res.ended || res.err != nil || !ok {
			continue
		}
		if rec.Reauthorize != nil && r.blockedFirst(rec) {
			return fmt.Errorf("token %s is still refused after %s forced a refresh", res.id, res.by.name)
		}
		if rec.AccessToken == r.initial[0].AccessToken {
			return fmt.Errorf("%s forced a refresh, and token %s is as it was", res.by.name, res.id)
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
		excused := spoiled || deleted || p.fails != nil || r.initial[0].blocked() && !res.forces()
		if (res.verb == refresh.verb || res.forces()) && res.err != nil && !excused {
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
	if most := r.mostRequests(); !spoiled && !late && !deleted && p.requests > most {
		return fmt.Errorf("%d requests, and %d are enough", p.requests, most)
	}
	return nil
}

// mostRequests is how often a provider may be asked where nothing goes wrong.
func (r *run) mostRequests() int {
	most := 0
	if first := r.initial[0]; !first.blocked() && !first.ExpiresAt.After(r.clock) {
		most = 1
	}
	for _, res := range r.results {
		if res.forces() {
			most++
		}
	}
	return most
}

// blocked reports whether a refresh that is not forced would not ask.
func (r record) blocked() bool { return r.refused() || r.refresh.CoolDown != nil }
