//go:build !race

package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The explorer runs the real SecretStore in every order in which the calls of several handles can take place, with
// faults between them. Two histories that lead to the same state (the same secrets, and the same calls with the same
// answers for each handle, operations before and after each other alike) are followed once; so orders that differ
// only in calls about different secrets count once.

// scenario is what is explored.
type scenario struct {
	before  []act         // what one more handle does first, alone
	age     time.Duration // how long before the rest
	actors  [][]act       // what each handle does, one after the other
	warm    bool          // the handles have listed all tokens before they begin
	faults  int           // how many faults a history may have
	kinds   string        // which: c crash, l lost reply, f request that flies on, t tick
	ticks   []time.Duration
	growing bool // the index splits at more than one entry, in two
	preempt int  // how often a handle may be interrupted that could go on; 0: always
	rule    func(*sim, *SecretStore)
	server  *provider // of scenarios about refreshes: as it is at the start
}

// run is one history.
type run struct {
	*sim
	sc       *scenario
	results  []*result
	last     *actor // whose call took place last
	preempts int
	trace    []string
	blame    map[string]*result // who gave each live token its identity
	excused  bool               // two tokens of one identity were allowed
	initial  []record           // what is stored when the actors begin

	known     map[string]identity // of the live tokens, before the call that takes place
	strangers map[string]bool     // IDs whose token has another identity than they are derived from
	vacated   map[string]int      // when such a token was deleted
	stored    map[string]string   // the refresh token of each token, before the call that takes place
	rivals    error               // two operations asked the provider inside one lease
	late      map[string]bool     // IDs on which a put created a token that was under way when the ID was vacated
}

func newRun(sc *scenario) *run {
	r := &run{sc: sc, blame: map[string]*result{}, known: map[string]identity{}, strangers: map[string]bool{}, vacated: map[string]int{}, stored: map[string]string{}, late: map[string]bool{}, sim: &sim{
		secrets: map[string]*simSecret{}, faults: sc.faults, fan: fanOut,
		clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}}
	if sc.server != nil {
		r.server = sc.server.clone()
	}
	r.direct = true
	first := r.newActor("first", sc.before)
	for i := range sc.before {
		_ = first.perform(i) // a scenario may begin with a failure
	}
	if r.clock = r.clock.Add(sc.age); r.server != nil {
		r.server.open()
	}
	for i, program := range sc.actors {
		a := r.newActor(fmt.Sprint("P", i+1), program)
		if sc.warm {
			_, _ = a.store.GetTokens(context.Background())
		}
		r.actors = append(r.actors, a)
		for _, what := range program {
			res := &result{act: what, by: a, number: len(r.results), before: map[int]bool{}}
			r.results, a.results = append(r.results, res), append(a.results, res)
		}
	}
	live, _ := r.live()
	for _, id := range slices.Sorted(maps.Keys(live)) {
		r.initial = append(r.initial, live[id])
		r.known[id] = live[id].identity()
	}
	r.direct = false
	for _, a := range r.actors {
		go a.live(r.sim)
		r.await(a)
	}
	return r
}

func (r *run) newActor(name string, program []act) *actor {
	a := &actor{name: name, world: r.sim, program: program, events: make(chan event), grants: make(chan reply)}
	a.store = NewSecretStore(simHandle{r.sim, a}, Options{Parallel: 1})
	nonce := 0
	a.store.seams = seams{
		now:     func() time.Time { return r.clock },
		nonce:   func() string { nonce++; return fmt.Sprint(name, nonce) },
		noPause: true,
		wait: func(context.Context, time.Duration) error {
			return simHandle{r.sim, a}.do(&call{verb: "wait", seen: r.changes}).err
		},
	}
	if r.sc.growing {
		r.fan = 2
		a.store.seams.fanOut, a.store.seams.leafEntries = 2, 1
	}
	if r.sc.rule != nil {
		r.sc.rule(r.sim, a.store)
	}
	return a
}

// await waits until an actor wants to make a call, or has done all it had to do.
func (r *run) await(a *actor) {
	e := <-a.events
	if e.call != nil && e.call.verb == "begin" && !strings.Contains(r.sc.kinds, "t") && !a.crashed && !r.stopped {
		a.grants <- reply{}
		e = <-a.events
	}
	a.pending, a.done = e.call, e.call == nil
	for _, res := range a.results[:e.act] {
		if !a.crashed && !r.stopped && !res.ended {
			res.ended = true
			if res.at == 0 {
				res.at = len(r.trace) // it wrote nothing
			}
		}
	}
}

// take lets a choice happen.
func (r *run) take(c choice) {
	switch c.what {
	case "tick":
		r.note("the clock goes on by %v", c.tick)
		if len(r.choices()) > 1 {
			r.faults--
		}
		r.clock, r.changes = r.clock.Add(c.tick), r.changes+1
		r.flying = nil // no request takes place that late
		return
	case "land":
		f := r.flying[c.flight]
		r.flying = append(r.flying[:c.flight:c.flight], r.flying[c.flight+1:]...)
		r.effect(f.by, f.call, f.by.result(), f.indexed)
		return
	}
	a := c.by
	if r.last != a && r.last != nil && r.last.pending != nil && !r.last.done {
		r.preempts++
	}
	r.last = a
	if a.pending.verb == "begin" {
		r.answer(a, reply{})
		return
	}
	res := a.result()
	r.start(res)
	switch c.what {
	case "go":
		rep := r.effect(a, a.pending, res, a.indexed)
		res.received = firstOf(rep.token.RefreshToken, res.received)
		r.answer(a, rep)
	case "crash":
		r.effect(a, a.pending, res, a.indexed)
		r.note("%s crashes", a.name)
		r.faults--
		a.crashed = true
		r.answer(a, reply{err: errCrashed})
	case "lose":
		r.effect(a, a.pending, res, a.indexed)
		r.lose(a, res)
	case "fly":
		r.note("%s: %v stays in the network", a.name, a.pending)
		r.flying = append(r.flying, flight{a, a.pending, a.indexed})
		r.lose(a, res)
	}
}

// lose keeps the reply of a call from an actor, whose driver will send it again.
func (r *run) lose(a *actor, res *result) {
	r.note("%s gets no answer", a.name)
	r.faults--
	res.repeats++
	if a.pending.verb == "ask" {
		r.answer(a, reply{err: &RefreshError{Failure: Transient}})
		return
	}
	again := *a.pending
	again.resent = true
	a.pending = &again
}

func (a *actor) result() *result { return a.results[min(a.current, len(a.results)-1)] }

func (r *run) start(res *result) {
	if res.started {
		return
	}
	res.started, res.began, res.deleted = true, len(r.trace), map[string]int{}
	for _, o := range r.results {
		if o.ended {
			res.before[o.number] = true
		}
	}
}

// effect lets a call take place, and notes what the oracle needs to know. The caller had last heard of the index when
// indexed says.
func (r *run) effect(a *actor, c *call, res *result, indexed int) reply {
	rep := r.execute(c)
	if c.verb == "ask" && c == a.pending && !errors.Is(rep.err, ErrTooLate) {
		r.requested(res, string(c.payload))
	}
	if rep.err != nil {
		r.note("%s (%v): %v: %v", a.name, res.act, c, rep.err)
	} else {
		r.note("%s (%v): %v", a.name, res.act, c)
	}
	if slices.ContainsFunc(c.names, func(name string) bool { return strings.HasPrefix(name, indexName) }) {
		a.indexed = len(r.trace)
	}
	if len(c.names) == 0 {
		return rep
	}
	if id, ok := tokenID(c.names[0]); ok && c.verb != "read" && rep.err == nil {
		res.at = len(r.trace)
		if res.settled == 0 {
			res.settled = res.at
		}
		if c.verb == "delete" {
			res.deleted[id] = res.at
		}
		r.observe(id, c, res, indexed)
	}
	return rep
}

func (r *run) answer(a *actor, rep reply) {
	var h maphash.Hash
	h.SetSeed(simSeed)
	fmt.Fprint(&h, a.past, a.crashed, r.clock.UnixNano()) // from here to its next call it may look at the clock
	a.pending.hash(&h)
	rep.hash(&h)
	a.past = h.Sum64()
	a.pending = nil
	a.grants <- rep
	r.await(a)
}

func (r *run) note(format string, args ...any) {
	r.trace = append(r.trace, fmt.Sprintf(format, args...))
}

// state identifies where a history has come to.
func (r *run) state() uint64 {
	var h maphash.Hash
	h.SetSeed(simSeed)
	r.hash(&h)
	for _, a := range r.actors {
		fmt.Fprint(&h, a.past, a.current, a.crashed)
		if a.pending != nil {
			a.pending.hash(&h)
			fmt.Fprint(&h, a.pending.verb == "wait" && a.pending.seen == r.changes)
		}
	}
	for _, res := range r.results {
		fmt.Fprint(&h, res.started, res.ended, res.repeats, res.before)
	}
	if r.sc.preempt > 0 {
		fmt.Fprint(&h, r.preempts, r.lastName())
	}
	return h.Sum64()
}

// lastName tells whom it would interrupt if another one went on.
func (r *run) lastName() string {
	if r.last == nil || r.last.done {
		return ""
	}
	return r.last.name
}

// stop ends a history early: every call fails, every actor comes to its end.
func (r *run) stop() {
	r.stopped = true
	for _, a := range r.actors {
		if !a.done {
			a.grants <- reply{err: errCrashed}
			<-a.events
		}
	}
}

// failure is a history that breaks a promise.
type failure struct {
	err   error
	trace []string
}

func (f *failure) Unwrap() error { return f.err }

func (f *failure) Error() string { return f.err.Error() + "\n\t" + strings.Join(f.trace, "\n\t") }

// step takes a choice and checks what must hold in every state.
func (r *run) step(c choice) error {
	r.take(c)
	err := r.checkState()
	if err == nil && r.server != nil {
		err = r.checkRefreshes()
	}
	if err != nil {
		r.stop()
		return &failure{err, r.trace}
	}
	return nil
}

// end checks what must hold when all is done.
func (r *run) end() error {
	check := r.checkEnd
	if r.server != nil {
		check = r.checkRefreshed
	}
	if err := check(); err != nil {
		return &failure{err, r.trace}
	}
	return nil
}

// explore follows every history of a scenario until one fails. It returns how many it saw end, and how many states
// there were.
func explore(sc scenario) (histories, states int, err error) {
	seen := map[uint64]bool{}
	var path, width []int // which choice was taken at each depth, and of how many
	for {
		r := newRun(&sc)
		finished := false
		for depth := 0; ; depth++ {
			all := r.choices()
			if len(all) == 0 {
				finished = true
				break
			}
			if depth == len(path) {
				if s := r.state(); seen[s] {
					break
				} else {
					seen[s] = true
				}
				path, width = append(path, 0), append(width, len(all))
			}
			if err := r.step(all[path[depth]]); err != nil {
				return histories, len(seen), err
			}
		}
		if !finished {
			r.stop()
		} else if histories++; true {
			if err := r.end(); err != nil {
				return histories, len(seen), err
			}
		}
		for len(path) > 0 && path[len(path)-1] == width[len(width)-1]-1 {
			path, width = path[:len(path)-1], width[:len(width)-1]
		}
		if len(path) == 0 {
			return histories, len(seen), nil
		}
		path[len(path)-1]++
	}
}

// wander follows one random history; faults are as rare as calls are many.
func wander(sc scenario, rng *rand.Rand) error {
	r := newRun(&sc)
	for {
		all := r.choices()
		if len(all) == 0 {
			return r.end()
		}
		c := all[rng.IntN(len(all))]
		if c.what != "go" && c.what != "land" && rng.IntN(4) > 0 {
			continue
		}
		if err := r.step(c); err != nil {
			return err
		}
	}
}
