package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/tokenkeep/tokenkeep/driver"
)

// create makes the secret that most checks write.
func (p *patient) create(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return p.may.note(toCreate, why)
	}
	p.main = p.take(p.absent("main"))
	first := note()
	rev, err := p.put(ctx, p.main.name, first, "")
	if err != nil {
		p.closed = "no secret of its own could be made: see create"
		return p.may.note(toCreate, broken("to make a secret", err))
	}
	p.rev = rev
	p.may.note(toCreate, ok("made a secret"))
	if _, err := p.put(ctx, p.main.name, note(), ""); !errors.Is(err, driver.ErrConflict) {
		return refusal("a second one of the same name", err)
	}
	if is, err := p.holds(ctx, p.main.name, first); err != nil || !is {
		return wrong("what was created is not what is read", err)
	}
	return ok("a secret is made, and a second one of its name is refused")
}

// refusal says what it means that a write was not a conflict.
func refusal(of string, err error) result {
	if err == nil {
		return failed("%s is taken, and should be refused as a conflict", of)
	}
	return broken(of+" should be refused as a conflict", err)
}

// wrong says what it means that a read gave something else, or nothing.
func wrong(what string, err error) result {
	if err == nil {
		return failed("%s", what)
	}
	return broken(what, err)
}

// update writes over the secret, and tries what must be refused.
func (p *patient) update(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return p.may.note(toUpdate, why)
	}
	base, next := p.rev, note()
	rev, err := p.put(ctx, p.main.name, next, base)
	if err != nil {
		return p.may.note(toUpdate, broken("to write over a secret at the revision that it has", err))
	}
	p.rev = rev
	p.may.note(toUpdate, ok("wrote over a secret"))
	stale := note()
	if _, err := p.put(ctx, p.main.name, stale, base); !errors.Is(err, driver.ErrConflict) {
		return refusal("a write at an older revision", err)
	}
	if _, err := p.put(ctx, p.main.name, stale, "made up"); !errors.Is(err, driver.ErrConflict) {
		return refusal("a write at a revision that never was", err)
	}
	if is, err := p.holds(ctx, p.main.name, stale); err != nil || is {
		return wrong("a write that was refused is what is stored", err)
	}
	return ok("a secret is written over at its revision, and at no other")
}

// race has many write over one revision.
func (p *patient) race(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return why
	}
	read, err := p.Latest(ctx, p.main.name)
	if err != nil {
		return broken("to read before", err)
	}
	return p.compete(ctx, "writers of one revision", p.main.name, read.Revision)
}

// raceToCreate has many create one secret.
func (p *patient) raceToCreate(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return why
	}
	return p.compete(ctx, "creators of one name", p.take(p.absent("race")).name, "")
}

// compete starts puts at once, of which one must win, and what it wrote must be what is stored.
func (p *patient) compete(ctx context.Context, who, name string, rev driver.Revision) result {
	payloads, errs := make([][]byte, atOnce), make([]error, atOnce)
	for i := range payloads {
		payloads[i] = note()
	}
	together(func(i int) { _, errs[i] = p.put(ctx, name, payloads[i], rev) })
	var t tally
	for i, err := range errs {
		t.add(i, err)
	}
	told := fmt.Sprintf("%d %s: %s", atOnce, who, t)
	switch {
	case len(t.winners) > 1:
		return failed("%s; only one may", told)
	case len(t.winners) == 0 && t.other == nil:
		return failed("%s; one must", told)
	case len(t.winners) == 0:
		return unknown("%s: %s", told, line(t.other))
	}
	if is, err := p.holds(ctx, name, payloads[t.winners[0]]); err != nil || !is {
		return wrong(told+", and what is read afterwards is not what the winner wrote", err)
	}
	return ok("%s", told)
}
