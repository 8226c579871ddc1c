package localstack_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenkeep/tokenkeep/internal/mototest"
	"github.com/tokenkeep/tokenkeep/localstack"
)

const (
	sequences = 16 // TOKENKEEP_SOAK times as many
	length    = 30 // of a sequence
)

// TestServerAnswersAsMotoButForTheDifferencesListed sends the same random calls to the server and to moto, and compares what
// they answer and, after a call for changing a secret, what they show of it. What is allowed to differ is in the table allowed:
// another difference fails the test, and so does an entry for which there was no difference.
//
// Where one of them has done what the other has refused, the secret is no longer the same on both. It is deleted by force on
// both then and, if it was there before, made again with one version, and the sequence goes on.
func TestServerAnswersAsMotoButForTheDifferencesListed(t *testing.T) {
	d := newDifferential(t)
	n := uint64(sequences)
	if factor, err := strconv.ParseUint(os.Getenv("TOKENKEEP_SOAK"), 10, 16); err == nil {
		n *= max(factor, 1)
	}
	for name, calls := range usual {
		d.compare(name, slices.Concat(begin, calls))
	}
	for i, a := range allowed {
		if a.example != nil {
			d.compare(fmt.Sprintf("the example of %q", a.name), slices.Concat(begin, a.example))
			if d.used[i] == 0 {
				t.Errorf("the example of %q does not show it", a.name)
			}
		}
	}
	for seed := range n {
		d.compare(fmt.Sprint("sequence ", seed), randomCalls(rand.New(rand.NewPCG(seed, 0)), length))
	}
	for i, used := range d.used {
		if used == 0 {
			t.Errorf("no call showed the difference %q", allowed[i].name)
		}
	}
}

// shrink leaves calls out, many at once and then fewer, as long as what is left fails.
func shrink(sequence []call, fails func([]call) bool) []call {
	for size := len(sequence) / 2; size > 0; {
		shorter := false
		for at := 0; at+size <= len(sequence); {
			rest := slices.Concat(sequence[:at], sequence[at+size:])
			if !fails(rest) {
				at += size
				continue
			}
			sequence, shorter = rest, true
		}
		if !shorter || size > len(sequence) {
			size /= 2
		}
	}
	return sequence
}

// differential has the two servers and counts which differences they have shown.
type differential struct {
	t      *testing.T
	server *localstack.Server
	own    *secretsmanager.Client
	moto   aws.Config
	runs   int
	used   []int // by the index of allowed
}

func newDifferential(t *testing.T) *differential {
	environment(t, nil)
	moto, err := localstack.ConfigFor(mototest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	moto.RetryMaxAttempts = 1
	server := startServer(t)
	own := server.Config()
	own.RetryMaxAttempts = 1
	return &differential{t: t, server: server, own: secretsmanager.NewFromConfig(own), moto: moto, used: make([]int, len(allowed))}
}

// compare fails the test if there is a difference in a sequence that is not allowed.
func (d *differential) compare(name string, sequence []call) {
	if d.run(sequence) == nil {
		return
	}
	sequence = shrink(sequence, func(s []call) bool { return d.run(s) != nil })
	d.t.Fatalf("%s, without the calls that don't matter:\n%s", name, strings.Join(d.run(sequence), "\n"))
}

// run sends a sequence to an empty account on either server. It returns nil, or where they differ all that was sent and
// answered until then.
func (d *differential) run(sequence []call) (trace []string) {
	r := d.newRun()
	for _, c := range sequence {
		o := r.observe(d.t.Context(), c)
		trace = append(trace, o.String())
		if !o.differ() {
			r.note(o)
			continue
		}
		i := slices.IndexFunc(allowed, func(a difference) bool { return a.allows(o) })
		if i < 0 {
			return append(trace, "This difference is not allowed.")
		}
		d.used[i]++
		trace = append(trace, "  allowed: "+allowed[i].name)
		if !allowed[i].diverges && !o.after.moto.equal(o.after.own) {
			return append(trace, "This makes the secret another one on moto, which is not allowed.")
		}
		if r.note(o); allowed[i].diverges {
			r.reset(d.t.Context(), o)
		}
	}
	return nil
}

// newRun empties the server and takes another account of moto's, which serves any number of them (moto, Multi-Account
// support).
func (d *differential) newRun() *run {
	d.runs++
	account := fmt.Sprintf("%012d", d.runs)
	inAccount := secretsmanager.WithAPIOptions(smithyhttp.SetHeaderValue("x-moto-account-id", account))
	d.server.Empty()
	return &run{
		moto:   side{secretsmanager.NewFromConfig(d.moto, inAccount), arnPrefix(account), map[string][]string{}},
		own:    side{d.own, arnPrefix("000000000000"), map[string][]string{}},
		states: map[string]state{},
		used:   d.used,
	}
}

func arnPrefix(account string) string {
	return "arn:aws:secretsmanager:us-east-1:" + account + ":secret:"
}

// run is one sequence on its way.
type run struct {
	moto, own side
	states    map[string]state // of the secrets that there are
	used      []int
}

func (r *run) observe(ctx context.Context, c call) observed {
	o := observed{call: c, states: r.states}
	o.before, o.exists = r.states[c.Secret]
	if c.From == itsHolder {
		o.From = o.before.holder(c.Stage)
	}
	if c.To == itsHolder {
		o.To = o.before.holder(c.Stage)
	}
	o.answers = r.ask(ctx, o.call)
	if o.changed() {
		o.after = r.ask(ctx, call{Action: "DescribeSecret", Secret: c.Secret})
	}
	return o
}

// ask sends a call to both, and takes out of moto's answer what moto is known to add.
func (r *run) ask(ctx context.Context, c call) answers {
	a := answers{r.moto.do(ctx, c), r.own.do(ctx, c)}
	for i, d := range allowed {
		if d.mend == nil || a.moto.equal(a.own) {
			continue
		}
		var mended []string
		for _, line := range a.moto.lines {
			if line = d.mend(c, line); line != "" {
				mended = append(mended, line)
			}
		}
		if !slices.Equal(a.moto.lines, mended) {
			r.used[i]++
			a.moto.lines = mended
		}
	}
	return a
}

// note keeps what a call has made of its secret.
func (r *run) note(o observed) {
	if !o.changed() {
		return
	}
	delete(r.states, o.Secret)
	if o.after.own.code != "" {
		return
	}
	now := o.after.own.state()
	now.motoDefault = o.before.motoDefault
	if o.Action != moving && now.holder(current) != o.before.holder(current) {
		now.motoDefault = now.holder(current)
	}
	r.states[o.Secret] = now
}

// reset makes a secret the same on both servers: one with a version, if there was one, or none.
func (r *run) reset(ctx context.Context, o observed) {
	r.ask(ctx, call{Action: "DeleteSecret", Secret: o.Secret, Force: true})
	delete(r.states, o.Secret)
	if o.exists {
		r.note(r.observe(ctx, call{Action: "CreateSecret", Secret: o.Secret, Token: "v1", Value: "one"}))
	}
}
