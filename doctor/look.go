package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

const (
	leaseSkew = time.Minute    // beyond it a live lease of a refresh may be taken away
	indexSkew = 23 * time.Hour // beyond it a token may get lost from the index
)

// clock compares this machine's clock with the manager's.
func (p *patient) clock(ctx context.Context) result {
	clock, can := p.Secrets.(driver.Clock)
	if !can {
		return unknown("the driver cannot ask for the time")
	}
	before := time.Now()
	at, err := clock.Time(ctx)
	if err != nil {
		return unknown("no time was told: %s", line(err))
	}
	return compareClocks(at, before, time.Since(before))
}

// compareClocks judges an answer to a request that was sent at before and took so long. The answer may be cut to the second.
func compareClocks(at, before time.Time, took time.Duration) result {
	const half = 500 * time.Millisecond
	skew := at.Add(half).Sub(before.Round(0).Add(took / 2))
	margin := took/2 + half
	side := "ahead of"
	if skew > 0 {
		side = "behind"
	}
	skew = skew.Abs()
	is := []any{skew.Round(10 * time.Millisecond), margin.Round(10 * time.Millisecond), side}
	switch {
	case skew-margin >= indexSkew:
		return failed("this machine is %v (±%v) %s the manager: set its clock right before it writes, as tokens may get unlisted", is...)
	case skew-margin >= leaseSkew:
		return failed("this machine is %v (±%v) %s the manager: over a minute, a refresh that is under way may be done twice", is...)
	case skew+margin >= leaseSkew:
		return unknown("this machine is %v (±%v) %s the manager, which is too inexact to judge", is...)
	}
	return ok("this machine is %v (±%v) %s the manager", is...)
}

// read looks for secrets that are not there. Without the right to read nothing is written, as nobody would see it gone.
func (p *patient) read(ctx context.Context) result {
	r := p.may.note(toRead, p.readAbsent(ctx))
	if r.verdict != OK {
		p.closed = "it could not be seen whether it is gone again: see read"
	}
	return r
}

func (p *patient) readAbsent(ctx context.Context) result {
	one, two := p.absent("a"), p.absent("b")
	for _, read := range []struct {
		op string
		do func(context.Context, string) (driver.Secret, error)
	}{{"Get", p.Get}, {"Latest", p.Latest}} {
		_, err := read.do(ctx, one.name)
		switch {
		case err == nil:
			return failed("%s finds a secret with a name that nobody has", read.op)
		case errors.Is(err, driver.ErrPermission):
			return result{Denied, read.op + " of a secret that is not there; with rights to single secrets, and not to all names that begin so, " +
				"this is the answer too: " + line(err)}
		case !errors.Is(err, driver.ErrNotFound):
			return broken(read.op+" of a secret that is not there", err)
		}
	}
	switch found, err := p.GetMany(ctx, []string{one.name, two.name}); {
	case err != nil:
		return broken("GetMany of secrets that are not there", err)
	case len(found) > 0:
		return failed("GetMany finds secrets with names that nobody has")
	}
	return ok("what is not there is not found, by Get, Latest and GetMany")
}

// index reads the first secret of the index.
func (p *patient) index(ctx context.Context) result {
	switch _, err := p.Latest(ctx, "i_r"); {
	case errors.Is(err, driver.ErrNotFound):
		return p.may.note(toIndex, ok("it is not there, so no token is listed; writing it is not tried"))
	case err != nil:
		return p.may.note(toIndex, broken("the first secret of the index", err))
	}
	return p.may.note(toIndex, ok("it can be read; writing it is not tried"))
}

// history asks whether a secret was rolled back by hand, as an operator does.
func (p *patient) history(ctx context.Context) result {
	checker, can := p.Secrets.(driver.RollbackChecker)
	if !can {
		return p.may.note(toHistory, ok("this manager needs no look at it"))
	}
	if _, err := checker.RolledBack(ctx, p.absent("a").name); err != nil && !errors.Is(err, driver.ErrNotFound) {
		return p.may.note(toHistory, broken("the versions of a secret that is not there", err))
	}
	return p.may.note(toHistory, ok("the versions of a secret can be looked at"))
}

// remove deletes what is not there. Where that is denied nothing is written, as it could not be removed.
func (p *patient) remove(ctx context.Context) result {
	none := p.absent("a").name
	if err := p.Delete(ctx, none); err != nil {
		p.closed = "it could not be removed again: see delete"
		return p.may.note(toDelete, broken("a delete of what is not there, which should succeed", err))
	}
	if forgetter, can := p.Secrets.(driver.Forgetter); can {
		switch err := forgetter.Forget(ctx, none); {
		case errors.Is(err, driver.ErrPermission) && forgetter.LeavesNames():
			p.names = true
		case err != nil:
			p.closed = "it could not be removed again: see delete"
			return p.may.note(toDelete, broken("to remove what a delete leaves", err))
		}
	}
	return p.may.note(toDelete, ok("deleting what is not there succeeds"))
}

// list looks for our own secret among the names.
func (p *patient) list(ctx context.Context) result {
	lister, can := p.Secrets.(driver.Lister)
	if !can {
		return p.may.note(toList, ok("this manager has no list"))
	}
	seen := 0
	for name, err := range lister.List(ctx) {
		if err != nil {
			return p.may.note(toList, broken("the names", err))
		}
		seen++
		if p.closed == "" && name == p.main.name {
			return p.may.note(toList, ok("a secret that was just written is listed"))
		}
	}
	switch {
	case p.closed != "":
		return p.may.note(toList, ok("%s; whether it shows what was just written was not tried", plural(seen, "name")))
	case lister.Lag() == 0:
		return p.may.note(toList, failed("a secret that was just written is not among %s, and this list should never be late",
			plural(seen, "name")))
	}
	return p.may.note(toList, ok("a secret that was just written is not listed yet, which may take %v", lister.Lag()))
}
