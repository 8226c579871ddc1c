//go:build !race

package tokenkeep

import (
	"cmp"
	"errors"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
)

// model is a store without processes, calls and faults: a List to which the operations of a history are applied one
// after the other, in every order that the history allows.
type model struct {
	run   *run
	steps []step
	ids   []string // all that DeleteTokens may meet
	tried map[uint64]bool
	blind bool // operations may miss what others do at the same moment
}

// maxTried bounds the search for an order: some long histories with many lost replies have millions, and are left undecided.
const maxTried = 200_000

var errUndecided = errors.New("too many orders of the operations to try")

// step is an operation or, of DeleteTokens, the part of it that deletes one token: DeleteTokens is no snapshot.
type step struct {
	*result
	id       string // of a deletion
	optional bool   // it may have had no effect
	when     int    // it probably took effect
	again    bool   // it is the second effect of an operation whose reply was lost
}

func newModel(r *run) *model {
	m := &model{run: r, tried: map[uint64]bool{}}
	seen := map[string]bool{}
	for name := range r.secrets {
		if id, ok := tokenID(name); ok {
			seen[id] = true
		}
	}
	m.ids = slices.Sorted(maps.Keys(seen))
	for _, res := range r.results {
		if !res.started || res.ended && res.err != nil && res.repeats == 0 {
			continue // nothing is written after an error, unless a reply was lost
		}
		optional := !res.ended || res.err != nil
		switch res.verb {
		case "find", "list", "sweep", "repair":
		case "clear":
			for _, id := range m.ids {
				when, ok := res.deleted[id]
				if !ok {
					when = res.began // the token was not there yet
				}
				m.add(step{result: res, id: id, optional: optional, when: when})
			}
		default:
			m.add(step{result: res, id: res.id, optional: optional, when: res.at})
		}
	}
	// Nearly always the order in which the operations wrote explains it.
	slices.SortStableFunc(m.steps, func(a, b step) int { return cmp.Compare(a.when, b.when) })
	return m
}

func (m *model) add(s step) {
	m.steps = append(m.steps, s)
	for range s.repeats {
		s.optional, s.again = true, true
		m.steps = append(m.steps, s)
	}
}

// explains reports whether some order of the steps leads from the first state to these tokens.
func (m *model) explains(tokens []Token) bool {
	start := &List{}
	for _, t := range m.run.initial {
		start.rows = append(start.rows, t.clone())
	}
	for _, m.blind = range []bool{false, true} {
		m.tried = map[uint64]bool{}
		if m.search(start, map[string]int{}, make([]bool, len(m.steps)), m.text(tokens)) {
			return true
		}
	}
	return false
}

// search applies the steps that are left, each as the next one. by tells which operation gave each row its identity.
func (m *model) search(l *List, by map[string]int, done []bool, want string) bool {
	texts := m.texts(l)
	if m.seen(done, by, texts) || len(m.tried) > maxTried {
		return false
	}
	left := false
	for i, s := range m.steps {
		if done[i] || !m.mayBeNext(s, done) {
			left = left || !done[i] && !s.optional
			continue
		}
		left = left || !s.optional
		done[i] = true
		for _, next := range m.outcomes(l, by, s) {
			after := maps.Clone(by)
			for _, row := range next.rows {
				if i := l.index(row.ID); i < 0 || l.rows[i].identity() != row.identity() {
					after[row.ID] = s.number
				}
			}
			if m.search(next, after, done, want) {
				return true
			}
		}
		done[i] = false
	}
	return !left && m.text(l.Tokens()) == want
}

// seen reports whether the search has been here before.
func (m *model) seen(done []bool, by map[string]int, texts map[string]string) bool {
	var h maphash.Hash
	h.SetSeed(simSeed)
	for _, d := range done {
		maphash.WriteComparable(&h, d)
	}
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		h.WriteString(id)
		h.WriteString(texts[id])
		maphash.WriteComparable(&h, by[id])
	}
	key := h.Sum64()
	if m.tried[key] {
		return true
	}
	m.tried[key] = true
	return false
}

// mayBeNext reports whether all that had ended when s began has been applied, and of s itself what comes before.
func (m *model) mayBeNext(s step, done []bool) bool {
	for i, o := range m.steps {
		if done[i] || o.optional {
			continue
		}
		if s.before[o.number] || s.again && o.result == s.result {
			return false
		}
	}
	return true
}

// outcomes returns what a step may make of a list.
func (m *model) outcomes(l *List, by map[string]int, s step) []*List {
	switch s.verb {
	case "delete", "clear", "delete and drop the entry", "delete and drop the unchanged entry":
		next := l.copy()
		next.Delete(s.id)
		return []*List{next}
	case "update":
		next := l.copy()
		_, err := next.Update(s.id, func(t Token) (Token, error) { s.set(&t); return t, nil })
		return m.allowed(next, err, s)
	}
	var all []*List
	for _, hidden := range m.blindSpots(l, by, s) {
		for slot := range 3 {
			all = append(all, m.save(l, by, hidden, slot, s)...)
		}
	}
	return all
}

// save applies a save that does not see the hidden rows, and whose new token gets the ID of a slot.
func (m *model) save(l *List, by map[string]int, hidden []string, slot int, s step) []*List {
	seen, unseen, overlooked := l.copy(), []record{}, false
	seen.rows = slices.DeleteFunc(seen.rows, func(r record) bool {
		if slices.Contains(hidden, r.ID) {
			unseen = append(unseen, r)
			overlooked = overlooked || !m.concurrent(by[r.ID], s)
			return true
		}
		return false
	})
	seen.NewID = func() string {
		fresh, _ := newRecord(s.token)
		return fresh.identity().derivedID(slot)
	}
	before := len(seen.rows)
	_, err := seen.Save(s.token)
	if overlooked && len(seen.rows) > before {
		return nil // a remembered index hides a better match, but no token
	}
	ids := map[string]bool{}
	for _, r := range append(seen.rows, unseen...) {
		if ids[r.ID] {
			return nil // that ID is not free
		}
		ids[r.ID] = true
	}
	seen.rows = append(seen.rows, unseen...)
	return m.allowed(seen, err, s)
}

// allowed drops an outcome that is an error although the operation succeeded.
func (m *model) allowed(l *List, err error, s step) []*List {
	if err != nil {
		return nil
	}
	return []*List{l}
}

// blindSpots returns the sets of rows that a save may miss: rows of another identity, or named ones, that an operation
// at the same moment wrote; and rows that make ambiguous what a handle still remembers.
func (m *model) blindSpots(l *List, by map[string]int, s step) [][]string {
	spots := [][]string{nil}
	if !m.blind {
		return spots
	}
	for _, row := range l.rows {
		writer, ok := by[row.ID]
		if !m.matters(row, s.token) {
			continue
		}
		if !ok || m.run.results[writer].by == s.by && !s.again {
			continue
		}
		other := m.run.results[writer]
		concurrent := m.concurrent(writer, s)
		equal := row.identity().equal(s.token.identity())
		if concurrent && (!equal || s.named() || other.named()) || !concurrent || m.run.excused {
			for _, spot := range slices.Clone(spots) {
				spots = append(spots, append(slices.Clone(spot), row.ID))
			}
		}
	}
	return spots
}

// matters reports whether it makes a difference to a save if it misses a row.
func (m *model) matters(row record, saved Token) bool {
	return saved.UserName != "" && row.UserName == saved.UserName ||
		saved.RefreshToken != "" && row.holds(saved.RefreshToken) || saved.UserName == "" && row.AccessToken == saved.AccessToken
}

// concurrent reports whether an operation took place at the same moment as s. What takes effect again was sent long ago.
func (m *model) concurrent(number int, s step) bool {
	return s.again || !s.before[number] && !m.run.results[number].before[s.number]
}

func (l *List) copy() *List {
	c := &List{}
	for _, r := range l.rows {
		c.rows = append(c.rows, r.clone())
	}
	return c
}

// texts describes the records of a list, with all that they remember.
func (m *model) texts(l *List) map[string]string {
	all := make(map[string]string, len(l.rows))
	for _, r := range l.rows {
		text, _ := r.encode("")
		all[r.ID] = string(text)
	}
	return all
}

// text describes tokens.
func (m *model) text(tokens []Token) string {
	all := []string{}
	for _, t := range tokens {
		text, _ := EncodeToken(t)
		all = append(all, strings.TrimPrefix(string(text), `{"tokenkeep":1,"kind":"token",`))
	}
	return strings.Join(all, " ")
}
