//go:build !race

package tokenkeep

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// The operations that are explored, on a store with the token of user a, who may be renamed to b, and one without a
// user that holds the refresh token r.
var (
	idA = Token{UserName: "a"}.identity().derivedID(0)

	saveA1   = act{verb: "save", token: Token{UserName: "a", AccessToken: "a1"}}
	saveA2   = act{verb: "save", token: Token{UserName: "a", RefreshToken: "ra", AccessToken: "a2"}}
	saveB    = act{verb: "save", token: Token{UserName: "b", AccessToken: "b1"}}
	saveAC   = act{verb: "save", token: Token{UserName: "a", ClientID: "c", AccessToken: "ac"}}
	saveR    = act{verb: "save", token: Token{RefreshToken: "r", AccessToken: "r1"}}
	saveX    = act{verb: "save", token: Token{ID: "x", UserName: "a", AccessToken: "x1"}}
	rename   = act{verb: "save", token: Token{ID: idA, UserName: "b"}}
	restore  = act{verb: "update", id: idA, set: func(t *Token) { t.UserName = "a" }}
	nameR    = act{verb: "save", token: Token{UserName: "a", RefreshToken: "r"}}
	update   = act{verb: "update", id: idA, set: func(t *Token) { t.RedirectURL = "u" }}
	deleteA  = act{verb: "delete", id: idA}
	clearAll = act{verb: "clear"}
	findA    = act{verb: "find", token: Token{UserName: "a"}}
	sweep    = act{verb: "sweep"}

	operations = []act{saveA1, saveA2, saveAC, saveB, saveR, saveX, rename, nameR, update, deleteA, clearAll, findA, sweep}
)

// The states of the store that histories begin with.
var starts = map[string]scenario{
	"empty":                            {},
	"both are there, the handles warm": {before: []act{saveA1, saveR}, warm: true},
	"somebody else, the handles warm":  {before: []act{saveB}, warm: true},
	"both were deleted a day ago":      {before: []act{saveA1, saveR, clearAll}, age: 25 * time.Hour, warm: true},
}

// creates reports whether an operation creates a token on a derived ID where there is none.
func (a act) creates() bool { return a.verb == saveA1.verb && a.token.ID == "" }

// with returns a scenario with programs for its processes. The clock makes leaps only where somebody sweeps: nothing else
// goes by what is a day old.
func (sc scenario) with(faults int, programs ...[]act) scenario {
	sc.actors, sc.faults, sc.kinds = programs, faults, "clf"
	for _, program := range programs {
		for _, what := range program {
			if what.verb == sweep.verb {
				sc.kinds, sc.ticks = "clft", []time.Duration{25 * time.Hour}
			}
		}
	}
	return sc
}

// scale is how many times as much as in make test is explored; make soak sets it.
func scale() int {
	if n, err := strconv.Atoi(os.Getenv("TOKENKEEP_SOAK")); err == nil && n > 1 {
		return n
	}
	return 1
}

// tally counts what a test and its subtests explored.
type tally struct{ histories, states atomic.Int64 }

func count(t *testing.T) *tally {
	var n tally
	t.Cleanup(func() { t.Logf("%d histories, %d states", n.histories.Load(), n.states.Load()) })
	return &n
}

// thorough reports whether to explore what takes seconds: make test does, go test alone need not.
func thorough() bool { return os.Getenv("TOKENKEEP_EXPLORE") != "" || scale() > 1 }

// mustHoldToo is mustHold for what takes seconds.
func (n *tally) mustHoldToo(t *testing.T, name string, sc scenario) {
	if thorough() {
		n.mustHold(t, name, sc)
	}
}

// mustHold explores a scenario as a subtest.
func (n *tally) mustHold(t *testing.T, name string, sc scenario) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		histories, states, err := explore(sc)
		n.histories.Add(int64(histories))
		n.states.Add(int64(states))
		if err != nil {
			t.Error(err)
		}
	})
}

func TestExploreEveryTwoOperationsWithTwoFaults(t *testing.T) {
	n := count(t)
	for _, start := range slices.Sorted(maps.Keys(starts)) {
		if start != "empty" && !thorough() {
			continue
		}
		faults := 2
		if !thorough() {
			faults = 1
		}
		if scale() == 1 && start != "empty" {
			faults = 1
		}
		for i, p := range operations {
			for _, q := range operations[i:] {
				n.mustHold(t, fmt.Sprintf("%s/%v and %v", start, p, q), starts[start].with(faults, []act{p}, []act{q}))
			}
		}
	}
}

func TestExploreThreeOperationsWithOneFault(t *testing.T) {
	n := count(t)
	some, from := []act{saveA1, saveA2, rename, deleteA, sweep}, []string{"empty"}
	if scale() > 1 {
		some, from = operations, slices.Sorted(maps.Keys(starts))
	}
	for _, start := range from {
		for i, p := range some {
			for j, q := range some[i:] {
				for _, r := range some[i+j:] {
					if scale() == 1 && p.creates() && q.creates() && r.verb != deleteA.verb {
						continue // nine tenths of all states; make soak sees them
					}
					n.mustHold(t, fmt.Sprintf("%s/%v and %v and %v", start, p, q, r), starts[start].with(1, []act{p}, []act{q}, []act{r}))
				}
			}
		}
	}
}

func TestExploreLives(t *testing.T) {
	n := count(t)
	start, faults := starts["empty"], scale()-1
	n.mustHold(t, "save, delete and save beside a save", start.with(faults, []act{saveA1, deleteA, saveA2}, []act{saveA2}))
	n.mustHoldToo(t, "save, delete and save beside sweeps", start.with(1, []act{saveA1, deleteA, saveA2}, []act{sweep, sweep}))
	n.mustHold(t, "rename there and back beside a sweep", start.with(1, []act{saveA1, rename, restore}, []act{sweep}))
	n.mustHoldToo(t, "a renames, signs up again, and both go", start.with(faults, []act{saveA1, rename, saveA2, clearAll}, []act{saveA2}))
	n.mustHold(t, "a stranger leaves the first derived ID", scenario{before: []act{saveA1, rename}}.with(1, []act{saveA1}, []act{deleteA, saveA2}))
	n.mustHold(t, "the same, and both savers find it listed", scenario{before: []act{saveA1, rename}}.with(faults, []act{saveA1}, []act{deleteA, saveA1}))
	n.mustHold(t, "two lives of a nameless token", start.with(faults, []act{saveR, clearAll, nameR}, []act{saveR, sweep}))
}

func TestExploreFourProcesses(t *testing.T) {
	n := count(t)
	four := func(before []act, programs ...[]act) scenario {
		sc := scenario{before: before}.with(scale()-1, programs...)
		sc.preempt = 3
		return sc
	}
	n.mustHoldToo(t, "three first saves and a delete", four(nil, []act{saveA1}, []act{saveA2}, []act{saveA1}, []act{deleteA}))
	n.mustHoldToo(t, "two saves, a delete and a sweep", four([]act{saveA1}, []act{saveA1}, []act{saveA2}, []act{deleteA}, []act{sweep}))
	if scale() > 1 {
		n.mustHold(t, "a name for a nameless token", four([]act{saveR}, []act{nameR}, []act{saveA1}, []act{saveR}, []act{sweep}))
		n.mustHold(t, "a rename among saves", four([]act{saveA1}, []act{rename}, []act{saveA2}, []act{saveB}, []act{clearAll}))
	}
}

func TestExploreAtRandom(t *testing.T) {
	histories := 200
	switch {
	case scale() > 1:
		histories = 100_000 * scale()
	case thorough():
		histories = 600
	}
	names := slices.Sorted(maps.Keys(starts))
	for shard := range 4 {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			undecided := 0
			for i := range histories / 4 {
				rng := rand.New(rand.NewPCG(uint64(shard), uint64(i)))
				sc := starts[names[rng.IntN(len(names))]]
				sc.growing = i%2 == 1
				sc.faults, sc.kinds, sc.ticks = 3, "clft", []time.Duration{6 * time.Minute, 11 * time.Minute, 25 * time.Hour}
				for range 4 {
					var program []act
					for range 3 {
						program = append(program, append(operations, restore, saveZ)[rng.IntN(len(operations)+2)])
					}
					sc.actors = append(sc.actors[:len(sc.actors):len(sc.actors)], program)
				}
				if err := wander(sc, rng); errors.Is(err, errUndecided) {
					undecided++
				} else if err != nil {
					t.Fatalf("history %d of shard %d: %v", i, shard, err)
				}
			}
			t.Logf("%d histories, %d of them undecided", histories/4, undecided)
		})
	}
}
