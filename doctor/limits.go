package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// unlimited is how many bytes are tried where the driver has no limit.
const unlimited = 1 << 16

// payload writes as much as is promised to fit, and 1 byte more.
func (p *patient) payload(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return why
	}
	limit := p.Limits().Payload
	size := limit
	if limit == 0 {
		size = unlimited
	}
	whole := p.take(p.absent("whole")).name
	payload := fill(size)
	if _, err := p.put(ctx, whole, payload, ""); err != nil {
		return broken(plural(size, "byte"), err)
	}
	if is, err := p.holds(ctx, whole, payload); err != nil || !is {
		return wrong("a payload of "+plural(size, "byte")+" does not come back as it was", err)
	}
	if limit == 0 {
		return ok("%s are taken; there is no limit", plural(size, "byte"))
	}
	over := p.absent("over")
	_, err := p.put(ctx, over.name, fill(size+1), "")
	if !errors.Is(err, driver.ErrTooLarge) {
		p.take(over)
	}
	switch {
	case err == nil:
		return failed("%s are taken, and the limit is %d", plural(size+1, "byte"), limit)
	case !errors.Is(err, driver.ErrTooLarge):
		return broken("one byte over the limit should be refused as too large", err)
	}
	return ok("%s are taken, and one more is refused", plural(size, "byte"))
}

// fill is a payload of n bytes like no other, each of which counts as one however it is sent.
func fill(n int) []byte {
	return []byte((rand.Text() + strings.Repeat("x", n))[:n])
}

const longestID = 128 // bytes, as tokenkeep.Store has it

// name writes a secret with the longest name that a token's has, and asks for a name over the limit.
func (p *patient) name(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return why
	}
	limit := p.Limits().Name
	id := p.absent("longest").id
	for len(id) < longestID && (limit == 0 || len(tokenkeep.SecretName(id+"-")) <= limit) {
		id += "-"
	}
	long := p.take(scratch{id, tokenkeep.SecretName(id)}).name
	payload := note()
	if _, err := p.put(ctx, long, payload, ""); err != nil {
		return broken("a name of "+plural(len(long), "byte"), err)
	}
	if is, err := p.holds(ctx, long, payload); err != nil || !is {
		return wrong("a secret with a name of "+plural(len(long), "byte")+" is not read back", err)
	}
	if limit == 0 {
		return ok("%s are taken, the longest of a token; there is no limit", plural(len(long), "byte"))
	}
	if _, err := p.Latest(ctx, "t_p"+strings.Repeat("x", limit-2)); !errors.Is(err, driver.ErrInvalid) {
		return failed("a name of %s should be refused as invalid, as the limit is %d", plural(limit+1, "byte"), limit)
	}
	return ok("%s are taken, the longest of a token; over %d are refused", plural(len(long), "byte"), limit)
}
