package awssm_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/internal/faults"
)

// ordeal is an operation that meets every fault at each of its requests.
type ordeal struct {
	operation, start string

	o         awssm.Options
	prepare   []func(c *trial) error // by other processes
	warm      bool                   // the handle has listed all tokens before
	do        func(ctx context.Context, s *tokenkeep.SecretStore, c *trial) error
	changes   []change
	index     int  // secrets of the index after it; 0: any number
	refreshes bool // ann's token, which comes first in changes
	soak      bool // with TOKENKEEP_SOAK only
}

// change is what an operation does to a token; "" is none.
type change struct{ before, after string }

// trial is one run of an ordeal.
type trial struct {
	*ordeal
	t       *testing.T
	account *faults.Account
	process *faults.Process
	sound   *secretsmanager.Client // of other processes
	fault   faults.Fault
	request int
	err     error // of the operation

	provider *provider
	unsaved  *tokenkeep.UnsavedError
	saved    []tokenkeep.Token // acknowledged although the operation failed
}

// outcome is what the caller of an operation gets.
type outcome string

const (
	success     outcome = "success"
	unavailable outcome = "ErrUnavailable"
	left        outcome = "the context's error"
	unsaved     outcome = "UnsavedError"
	nobody      outcome = "nobody is left"
)

// cell is an ordeal and a fault.
type cell struct {
	ordeal *ordeal
	fault  string
}

// matrix counts outcomes. It is safe for concurrent use.
type matrix struct {
	mu    sync.Mutex
	cells map[cell]map[outcome]int
}

func (m *matrix) add(c cell, o outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells[c] == nil {
		m.cells[c] = map[outcome]int{}
	}
	m.cells[c][o]++
}

// Every operation of a store meets every fault at every request that it makes. Whatever happens: the outcome is a success
// or an error with a type; what was acknowledged stays; every live token is listed; the same operation succeeds later,
// and after a repair nothing is left to find.
func TestEveryOperationMeetsEveryFaultAtEveryRequest(t *testing.T) {
	t.Parallel()
	all := ordeals()
	m := &matrix{cells: map[cell]map[outcome]int{}}
	passed := t.Run("of", func(t *testing.T) {
		for _, o := range all {
			t.Run(o.operation+", "+o.start, func(t *testing.T) {
				if o.soak && os.Getenv("TOKENKEEP_SOAK") == "" {
					t.Skip("with TOKENKEEP_SOAK only")
				}
				t.Parallel()
				outside := faults.NewOutside(t)
				synctest.Test(t, func(t *testing.T) { o.run(t, outside, m) })
			})
		}
	})
	if passed {
		compareWithDocs(t, all, m)
	}
}

func (o *ordeal) run(t *testing.T, outside faults.Outside, m *matrix) {
	seen := verdicts{}
	var c *trial
	defer func() { c.close() }()
	for _, fault := range faults.All {
		for n := 1; ; n++ {
			if c == nil || c.account.Writes() > 0 {
				c.close()
				c = o.begin(t, outside)
			}
			c.renew(fault, n)
			met := c.meet()
			if !met && c.err != nil {
				t.Errorf("without a fault: %v", c.err)
			}
			what := c.outcome()
			c.judge(seen)
			if t.Failed() {
				t.Fatalf("fault: %s, at request %d", fault.Name, n)
			}
			if !met {
				break
			}
			m.add(cell{o, fault.Name}, what)
		}
	}
}

// begin starts an account and brings it into the state in which the ordeal starts.
func (o *ordeal) begin(t *testing.T, outside faults.Outside) *trial {
	account, err := outside.Open()
	if err != nil {
		t.Fatal(err)
	}
	c := &trial{ordeal: o, t: t, account: account}
	c.o.Prefix = "crm/prod"
	if os.Getenv("TOKENKEEP_SOAK") == "" {
		c.o.Store.Parallel = 1 // so that fewer states are possible
	}
	c.sound = account.Process().Client()
	for _, prepare := range o.prepare {
		if err := prepare(c); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *trial) close() {
	if c != nil {
		c.account.Close()
	}
}

// renew begins the trial of another case in the state at hand.
func (c *trial) renew(fault faults.Fault, n int) {
	c.fault, c.request, c.provider, c.unsaved, c.saved = fault, n, newProvider(), nil, nil
	c.process = c.account.Process()
}

// other returns a handle of another process.
func (c *trial) other() *tokenkeep.SecretStore { return newStore(c.t, c.sound, c.o) }

// meet runs the operation, which meets the fault, and reports whether it did.
func (c *trial) meet() bool {
	store := newStore(c.t, c.process.Client(), c.o)
	if c.warm {
		if err := list(c.t.Context(), store); err != nil {
			c.t.Fatal(err)
		}
	}
	c.account.ResetCalls()
	met, err := c.process.Meet(c.t.Context(), c.fault, c.request, func(ctx context.Context) error { return c.do(ctx, store, c) })
	if c.err = err; c.dead() {
		return met
	}
	c.checkError()
	if c.unsaved != nil {
		if _, err := c.unsaved.Save(c.t.Context()); err != nil {
			c.t.Errorf("saving what was unsaved: %v", err)
		}
	}
	return met
}

// dead reports whether nobody is left who could hear of the outcome.
func (c *trial) dead() bool { return c.fault.Dies && c.process.Dead() }

func (c *trial) outcome() outcome {
	switch {
	case c.dead():
		return nobody
	case c.err == nil:
		return success
	case errors.Is(c.err, context.Canceled):
		return left
	case c.unsaved != nil:
		return unsaved
	}
	return unavailable
}

func (c *trial) checkError() {
	err := c.err
	switch {
	case err == nil:
	case strings.Contains(err.Error(), canary):
		c.t.Errorf("the error tells a credential: %v", err)
	case !errors.Is(err, tokenkeep.ErrUnavailable) && !(c.fault.Leaves && errors.Is(err, context.Canceled)):
		c.t.Errorf("error %v; want success, ErrUnavailable or, if he leaves, the context's", err)
	}
}
