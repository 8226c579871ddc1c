package tokenkeep

import (
	"slices"
	"time"
)

// A lease says who is asking the provider for a token. It is economy, never truth: a commit goes by what was spent, not by
// who holds the lease.
type lease struct {
	Name   string    `json:"name"` // new at every take, the same holder's too
	At     time.Time `json:"at"`   // by the wall clock of the taker
	Number uint64    `json:"number"`
}

// coolDown keeps every process from asking the provider after a failure.
type coolDown struct {
	Failure    RefreshFailure `json:"failure"`
	Until      time.Time      `json:"until"`
	Seconds    int            `json:"seconds"`              // how long it is, for those whose clocks disagree about Until
	Failures   int            `json:"failures"`             // in a row
	Credential digest         `json:"credential,omitempty"` // it is about this one only
}

func (c coolDown) length() time.Duration { return time.Duration(c.Seconds) * time.Second }

// refreshState is what a record remembers for refreshes.
type refreshState struct {
	From      digest    `json:"from,omitempty"`      // the credential that was spent for the tokens held
	Lease     *lease    `json:"lease,omitempty"`     // nil: free
	Last      uint64    `json:"last,omitempty"`      // number of the last lease that was taken
	Committed uint64    `json:"committed,omitempty"` // number of the lease under which the tokens held were committed
	CoolDown  *coolDown `json:"cool_down,omitempty"`
	Refused   digest    `json:"refused,omitempty"` // the credential that Reauthorize is about
}

// credential returns what a refresh spends: the grant token while it is not used up, else the refresh token, else nothing.
func (r record) credential() string {
	if r.GrantToken != "" && !r.isSpent(r.GrantToken) {
		return r.GrantToken
	}
	return r.RefreshToken
}

// asking returns the token as it is shown to the provider: a grant token that is used up is left out.
func (r record) asking() Token {
	t := r.Token.clone()
	if r.isSpent(t.GrantToken) {
		t.GrantToken = ""
	}
	return t
}

// refused reports whether the provider refused the credential held for good.
func (r record) refused() bool {
	return r.Reauthorize != nil && (r.refresh.Refused == "" || r.refresh.Refused == digestOf(r.credential()))
}

// take returns the record with a lease of its own.
func (r record) take(name string, now time.Time) record {
	next := r.clone()
	next.refresh.Last++
	next.refresh.Lease = &lease{Name: name, At: stored(now), Number: next.refresh.Last}
	return next
}

// unblock returns the record without what keeps everybody from asking the provider.
func (r record) unblock() record {
	next := r.clone()
	next.Reauthorize, next.refresh.Refused, next.refresh.CoolDown = nil, "", nil
	return next
}

// release gives a lease back, unless somebody else has taken it since.
func (r record) release(name string) record {
	next := r.clone()
	if l := next.refresh.Lease; l != nil && l.Name == name {
		next.refresh.Lease = nil
	}
	return next
}

// fate is what becomes of a provider's answer.
type fate int

const (
	stores fate = iota // it is stored
	yields             // another answer is newer, and stays
	lost               // another answer stays, though a refresh token that nobody has comes with this one
)

// answer is what the provider gave for a credential.
type answer struct {
	Token
	spent  string // the credential
	number uint64 // of the lease
}

// fateOf decides whether an answer takes the place of what is stored, by what was spent for either. The order matters.
func (r record) fateOf(a answer) fate {
	refresh := a.RefreshToken
	if refresh == "" && a.spent != r.GrantToken {
		refresh = a.spent // the provider does not rotate
	}
	switch spent := digestOf(a.spent); {
	case r.RefreshToken == refresh && (refresh != "" || r.credential() == a.spent), spent != "" && r.refresh.From == spent:
		if a.number > r.refresh.Committed {
			return stores
		}
		return yields
	case r.credential() == a.spent, a.spent != "" && r.RefreshToken == a.spent:
		return stores
	}
	if a.RefreshToken != "" && a.RefreshToken != r.RefreshToken && !r.isOld(a.RefreshToken) {
		return lost
	}
	return yields
}

// commit returns the record with an answer of the provider, free for the next refresh.
func (r record) commit(a answer, now time.Time) record {
	next := r.clone()
	if next.GrantToken != "" && next.GrantToken == a.spent {
		next.spend(a.spent)
		next.GrantToken = ""
	}
	if a.RefreshToken != "" && a.RefreshToken != next.RefreshToken {
		next.spend(next.RefreshToken)
		next.RefreshToken, next.RefreshExpiresAt = a.RefreshToken, a.RefreshExpiresAt
		next.forget(a.RefreshToken)
	} else if a.RefreshToken != "" {
		next.RefreshExpiresAt = pairExpiry(next.RefreshToken, next.RefreshExpiresAt, a.RefreshToken, a.RefreshExpiresAt)
	}
	next.AccessToken, next.ExpiresAt = a.AccessToken, stored(a.ExpiresAt)
	next.RefreshExpiresAt = stored(next.RefreshExpiresAt)
	next.RefreshedAt, next.Reauthorize = stored(now), nil
	overlay(&next.Token, Token{Extra: a.Extra})
	if next.APIDomain == "" && next.learned == "" {
		next.learned = a.APIDomain
	}
	next.refresh = refreshState{From: digestOf(a.spent), Last: max(r.refresh.Last, a.number), Committed: a.number}
	if l := r.refresh.Lease; l != nil && l.Number > a.number && r.credential() != a.spent && r.credential() == next.credential() {
		next.refresh.Lease = l // somebody exchanges a login's grant token, which this answer is not about
	}
	return next
}

// spend lists a credential as used up. If a save had brought it, it stays a key.
func (r *record) spend(credential string) {
	d := digestOf(credential)
	switch {
	case d == "" || r.isSpent(credential):
	case slices.Contains(r.saved, d):
		r.saved = without(r.saved, d)
		r.spentSaved = appendDigest(r.spentSaved, d, maxSpentSaved)
	default:
		r.spent = appendDigest(r.spent, d, maxSpent)
	}
}

// refuse returns the record after the provider refused its credential for good: a grant token beside a refresh token is used
// up, anything else needs a person.
func (r record) refuse(now time.Time) record {
	next := r.clone()
	credential := r.credential()
	if credential == r.GrantToken && r.RefreshToken != "" {
		next.spend(credential)
		return next
	}
	next.Reauthorize = &Reauthorize{Since: stored(now), Reason: string(Refused)}
	next.refresh.Refused = digestOf(credential)
	return next
}

// within shortens a first cool-down so that the provider is asked once more while it still takes a refresh token that was
// used: the replies that did not come may have brought its successor.
func (r record) within(grace time.Duration) record {
	c := r.refresh.CoolDown
	short := max(grace/3, leastCoolDown)
	if c.Failure == Transient && c.Failures == 1 && grace > 0 && short < c.length() {
		c.Until = c.Until.Add(short - c.length())
		c.Seconds = int(short / time.Second)
	}
	return r
}

// failureSteps are the lengths of the cool-downs after failures in a row.
var failureSteps = []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}

// leastCoolDown bounds how often a provider that says "in a second" is asked, and the secret written.
const leastCoolDown = 10 * time.Second

// cool returns the record with a cool-down after a failure. Each attempt takes two writes, and all attempts of a day no more
// than half of what the manager allows.
func (r record) cool(failure *RefreshError, now time.Time, writesPerDay int) record {
	next := r.clone()
	credential := digestOf(r.credential())
	failures := 1
	if c := r.refresh.CoolDown; c != nil && c.Credential == credential {
		failures = c.Failures + 1
	}
	length := failureSteps[min(failures, len(failureSteps))-1]
	if failures > len(failureSteps) && writesPerDay > 0 {
		length = max(length, 4*24*time.Hour/time.Duration(writesPerDay))
	}
	if failure.RetryAfter > 0 {
		length = max(failure.RetryAfter, leastCoolDown)
	}
	seconds := int((length + time.Second - 1) / time.Second)
	next.refresh.CoolDown = &coolDown{
		Failure: failure.Failure, Until: stored(now).Add(time.Duration(seconds) * time.Second).Truncate(time.Second),
		Seconds: seconds, Failures: failures, Credential: credential,
	}
	return next
}
