package gcpsmtest

import (
	"maps"
	"math/rand/v2"
)

// WithStaleness lets reads be up to k commits late: GetSecret, GetSecretVersion, both lists, and AccessSecretVersion by an
// alias or latest. Each sees everything as it was before the last commits, which are all changes that any request or the
// clock has made: k at the first read, one fewer at each further read down to none, then k again. So a read that is
// repeated often enough is late no longer. A k of 0 or less is no staleness.
//
// Only AccessSecretVersion by number is never late, which is all that Google promises (Secret Manager documentation, Data
// consistency); other reads there converge within minutes, but may take hours. Writes and comparisons of etags are never
// late either, which its documentation implies and does not state.
func WithStaleness(k int) Option {
	return func(o *options) {
		turn := 0
		o.store.stale = staleness{most: max(k, 0), age: func() int {
			age := k - turn
			turn = (turn + 1) % (k + 1)
			return age
		}}
	}
}

// WithRandomStaleness is WithStaleness with ages from 0 to k in a random order that seed decides.
func WithRandomStaleness(k int, seed uint64) Option {
	return func(o *options) {
		random := rand.New(rand.NewPCG(seed, 0))
		o.store.stale = staleness{most: max(k, 0), age: func() int { return random.IntN(k + 1) }}
	}
}

// staleness remembers how all secrets were before the last commits. The zero staleness remembers nothing.
type staleness struct {
	most int
	age  func() int // how many commits late the next read is; called only where most is over 0
	past []map[string]*secret
}

// keep remembers the secrets before a commit.
func (s *staleness) keep(secrets map[string]*secret) {
	if s.most == 0 {
		return
	}
	s.past = append(s.past, maps.Clone(secrets))
	if len(s.past) > s.most {
		s.past = s.past[1:]
	}
}

// view is what a read that may be late sees.
func (st *store) view() map[string]*secret {
	s := &st.stale
	if s.most == 0 {
		return st.secrets
	}
	age := min(s.age(), len(s.past))
	if age == 0 {
		return st.secrets
	}
	return s.past[len(s.past)-age]
}
