package commandline

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// newRandom returns random numbers. Their seed is in the log, to be put here for a second run.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// list returns the tokens of a store, without credentials.
func list(t *testing.T, env []string, url string) []tokenkeep.Token {
	t.Helper()
	var shown []struct {
		ID   string `json:"id"`
		User string `json:"user_name"`
	}
	if err := json.Unmarshal([]byte(run(t, env, 0, "list", "--json", "--store", url).stdout), &shown); err != nil {
		t.Fatal(err)
	}
	tokens := make([]tokenkeep.Token, len(shown))
	for i, s := range shown {
		tokens[i] = tokenkeep.Token{ID: s.ID, UserName: s.User}
	}
	return tokens
}

// length is how long a whole copy to a kind of store is.
type length struct {
	pieces int // through its gate
	took   time.Duration
}

func measure(t *testing.T, env []string, to medium, seed string) (l length) {
	t.Helper()
	if to.gate != nil {
		to.gate.arm(0, false, nil)
	}
	begun := time.Now()
	p := start(t, env, "copy", "--from", "file:"+seed, "--to", to.url("measured"))
	if r := p.wait(); r.status != 0 {
		t.Fatalf("copy: exit status %d\n%s", r.status, r.stderr)
	}
	l.took = time.Since(begun)
	if to.gate != nil {
		l.pieces = to.gate.disarm()
	}
	return l
}

// killed copies a store to another one and kills the copy at a random moment of it. A copy that is shorter comes to its end.
func killed(t *testing.T, env []string, random *rand.Rand, l length, from string, to medium, target string) result {
	t.Helper()
	args := []string{"copy", "--from", from, "--to", target}
	if to.gate == nil {
		p := start(t, env, args...)
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(l.took))), p.kill)
		defer timer.Stop()
		return p.wait()
	}
	started := make(chan *process, 1)
	to.gate.arm(1+random.IntN(l.pieces), random.IntN(2) == 0, func() {
		p := <-started
		p.kill()
		started <- p
	})
	p := start(t, env, args...)
	started <- p
	defer to.gate.disarm()
	return p.wait()
}

func TestACopyThatIsKilledGoesOnBetweenAllKindsOfStores(t *testing.T) {
	const n = 40
	media, env := startAll(t)
	random := newRandom(t)
	seed := writeFile(t, users(n))
	lengths := map[string]length{}
	for _, m := range media {
		lengths[m.name] = measure(t, env, m, seed)
		copyAll(t, env, "file:"+seed, m.url("source"), n)
	}
	inTheMiddle := 0
	for _, from := range media {
		for _, to := range media {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				source, target := from.url("source"), to.url("from"+from.name)
				killed(t, env, random, lengths[to.name], source, to, target)
				there := len(list(t, env, target)) // it is readable
				if there > 0 && there < n {
					inTheMiddle++
				}
				if c := copyAll(t, env, source, target, n); len(c.Present) < there {
					t.Errorf("%d tokens were there, and %d when the copy went on", there, len(c.Present))
				}
				check(t, env, target, users(n))
				check(t, env, source, users(n))
			})
		}
	}
	t.Logf("%d of %d copies were killed when some tokens were there", inTheMiddle, len(media)*len(media))
	if inTheMiddle == 0 {
		t.Error("no copy was killed in its middle")
	}
}

func TestACopyOfThousandsThatIsKilledAgainAndAgainComesToItsEnd(t *testing.T) {
	const n, kills = 2000, 20
	localstack := kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == "localstack" })]
	g, env, format := localstack.start(t)
	to := medium{localstack, g, format}
	random := newRandom(t)
	seed := writeFile(t, users(n))
	whole := measure(t, env, to, seed)
	target, moments := to.url("target"), whole.pieces/(kills/2)
	var there []int
	for range kills {
		if r := killed(t, env, random, length{pieces: moments}, "file:"+seed, to, target); r.status != -1 {
			t.Fatalf("a copy that was to be killed ended with exit status %d\n%s%s", r.status, r.stdout, r.stderr)
		}
		there = append(there, len(list(t, env, target)))
	}
	t.Logf("after the kills there were %d tokens", there)
	if !slices.IsSorted(there) || there[kills-1] == 0 || there[kills-1] == n {
		t.Errorf("there were %d tokens; want more and more, and the last kill in the middle", there)
	}
	copyAll(t, env, "file:"+seed, target, n)
	check(t, env, target, users(n))
}
