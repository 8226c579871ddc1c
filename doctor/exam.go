package doctor

import (
	"context"
	"fmt"
	"time"
)

// timeout bounds each check, and each write that a check waits for.
const timeout = time.Minute

// atOnce is how many writers a race has.
const atOnce = 16

// exam is one examination: its checks in order, then a clean-up that always runs, then what follows from both.
type exam struct {
	checks []check
	clean  func(ctx context.Context) []Finding // ctx does not end with the caller's
	after  func() []Finding
}

type check struct {
	name string
	do   func(ctx context.Context) result
}

// run yields the findings. Where the caller has heard enough, or panics, the clean-up comes all the same.
func (e exam) run(ctx context.Context, yield func(Finding) bool) {
	cleaned := false
	clean := func() []Finding {
		cleaned = true
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*timeout)
		defer cancel()
		return e.clean(ctx)
	}
	defer func() {
		if !cleaned {
			clean()
		}
	}()
	for _, c := range e.checks {
		if r := c.try(ctx); !yield(Finding{c.name, r.verdict, r.detail}) {
			return
		}
	}
	for _, f := range append(clean(), e.after()...) {
		if !yield(f) {
			return
		}
	}
}

func (c check) try(ctx context.Context) result {
	if ctx.Err() != nil {
		return unknown("not tried: %s", line(context.Cause(ctx)))
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it took over %v", timeout))
	defer cancel()
	r := c.do(limited)
	if r.verdict == Failed && ctx.Err() != nil {
		return unknown("cut off: %s", line(context.Cause(ctx)))
	}
	return r
}

// sending returns the context of a write. A write that was begun is waited for, as one that is given up may still take
// effect, and then after the clean-up.
func sending(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), timeout)
}
