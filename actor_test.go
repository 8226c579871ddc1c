//go:build !race

package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// act is one operation.
type act struct {
	verb  string // save, update, delete, clear, find, list, sweep
	token Token  // to save or find
	id    string // to update or delete
	set   func(*Token)
}

func (a act) String() string {
	what := a.id
	if a.verb == "save" || a.verb == "find" {
		what = fmt.Sprintf("%s/%s/%s", a.token.ID, a.token.UserName, firstOf(a.token.GrantToken, a.token.RefreshToken, a.token.AccessToken))
	}
	return strings.TrimSpace(a.verb + " " + what)
}

// actor is a process with one handle on the store.
type actor struct {
	name    string
	world   *sim
	store   *SecretStore
	program []act
	current int
	events  chan event
	grants  chan reply

	pending *call
	crashed bool
	done    bool
	past    uint64 // hash of its calls and their answers
	results []*result
	indexed int // when it last made a call about the index
}

// event is what an actor does next: a call, or nothing more.
type event struct {
	call *call
	act  int
}

// result is how an operation went.
type result struct {
	act
	by       *actor
	number   int // over all actors
	started  bool
	ended    bool
	err      error
	repeats  int            // it may have taken effect that many times more
	before   map[int]bool   // the operations that had ended when it began
	renamed  bool           // it changed the identity of a live token
	received string         // the last refresh token that the provider gave it
	spent    string         // the credential that it last asked the provider for
	asked    time.Time      // when, by the clock
	settled  int            // when it first wrote after that, in steps of the history; 0: not yet
	began    int            // when it made its first call, in steps of the history
	deleted  map[string]int // when it deleted tokens
	at       int            // when it last wrote, in steps of the history; if it never did, when it ended
}

// live runs the program of an actor, one operation after the other.
func (a *actor) live(w *sim) {
	for a.current = range a.program {
		simHandle{w, a}.do(&call{verb: "begin"}) // it looks at the clock only from here on
		if a.crashed || w.stopped {
			break
		}
		a.results[a.current].err = a.perform(a.current)
	}
	a.current = len(a.program)
	a.events <- event{act: a.current}
}

func (a *actor) perform(i int) error {
	ctx, what := context.Background(), a.program[i]
	var err error
	switch what.verb {
	case "save":
		_, err = a.store.SaveToken(ctx, what.token)
	case "update":
		_, err = a.store.UpdateToken(ctx, what.id, func(t Token) (Token, error) { what.set(&t); return t, nil })
	case "delete":
		err = a.store.DeleteToken(ctx, what.id)
	case "delete and drop the entry":
		err = a.deleteAndDrop(ctx, what.id, false)
	case "delete and drop the unchanged entry":
		err = a.deleteAndDrop(ctx, what.id, true)
	case "refresh", "force":
		_, err = a.store.RefreshToken(ctx, what.id, a.refresh(what.verb == "force"))
	case "unblock and refresh":
		err = a.unblockAndRefresh(ctx, what.id)
	case "clear":
		err = a.store.DeleteTokens(ctx)
	case "find":
		_, err = a.store.FindToken(ctx, what.token)
	case "list":
		_, err = a.store.GetTokens(ctx)
	case "sweep":
		err = a.sweep(ctx)
	case "repair":
		err = a.repair(ctx)
	}
	return err
}

// refresh is how an actor refreshes a token.
func (a *actor) refresh(force bool) Refresh {
	h := simHandle{a.world, a}
	return Refresh{
		Force: force,
		Good:  func(t Token) bool { return t.ExpiresAt.After(h.clock) },
		Ask: func(ctx context.Context, stored Token) (Token, error) {
			until, _ := driver.NotAfter(ctx)
			r := h.do(&call{verb: "ask", payload: []byte(firstOf(stored.GrantToken, stored.RefreshToken)), until: until})
			return r.token, r.err
		},
	}
}

// repair must find nothing wrong with what others are doing.
func (a *actor) repair(ctx context.Context) error {
	report, err := a.store.Repair(ctx)
	for _, f := range report.Findings {
		if f.Problem != Stale && f.Problem != Unfinished && f.Problem != Twins {
			err = errors.Join(err, fmt.Errorf("a false alarm: %s of %q", f.Problem, firstOf(f.ID, f.Secret)))
		}
	}
	return err
}

// sweep reads every token that the index lists, and removes what may go.
func (a *actor) sweep(ctx context.Context) error {
	index, err := a.store.readIndex(ctx, everywhere)
	if err != nil {
		return err
	}
	if _, err := a.store.fetch(ctx, index.ids()); err != nil {
		return err
	}
	for _, leaf := range index.sheets {
		err = errors.Join(err, a.store.sweepLeaf(ctx, leaf))
	}
	return err
}
