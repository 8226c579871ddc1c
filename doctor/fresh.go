package doctor

import (
	"context"
	"fmt"
)

const freshWrites = 8

// fresh reads back each of several writes at once. Only Get may be late.
func (p *patient) fresh(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return why
	}
	read, err := p.Latest(ctx, p.main.name)
	if err != nil {
		return broken("to read before", err)
	}
	var lateGet, lateLatest, lateMany int
	rev := read.Revision
	for n := range freshWrites {
		payload := note()
		if rev, err = p.put(ctx, p.main.name, payload, rev); err != nil {
			return broken(fmt.Sprintf("write %d of %d", n+1, freshWrites), err)
		}
		p.rev = rev
		got, err := p.Get(ctx, p.main.name)
		if err != nil || string(got.Payload) != string(payload) {
			lateGet++
		}
		is, err := p.holds(ctx, p.main.name, payload)
		if err != nil {
			return broken("Latest of what was just written", err)
		}
		if !is {
			lateLatest++
		}
		many, err := p.GetMany(ctx, []string{p.main.name, p.absent("a").name})
		if err != nil {
			return broken("GetMany of what was just written", err)
		}
		if string(many[p.main.name].Payload) != string(payload) {
			lateMany++
		}
	}
	after := func(n int) string { return fmt.Sprintf("after %d of %d writes", n, freshWrites) }
	switch {
	case lateLatest > 0:
		return failed("Latest does not show what was just written %s", after(lateLatest))
	case lateMany > 0:
		return failed("GetMany does not show what was just written %s", after(lateMany))
	case lateGet > 0:
		return ok("Latest and GetMany show every write; Get is late, as it may be, %s", after(lateGet))
	}
	return ok("Get, Latest and GetMany show each of %d writes at once", freshWrites)
}
