package driver

import (
	"context"
	"time"
)

// Clock is implemented by drivers of managers that tell the time. Nothing that decides a write relies on it; it is for
// finding out whether this machine's clock is right.
type Clock interface {
	// Time asks the manager for its time, in 1 call. The answer may be cut to the second. It needs no more rights than a
	// read, and an answer that the manager does not date is an error: one of this package for [errors.Is], or one that
	// wraps ctx.Err().
	Time(ctx context.Context) (time.Time, error)
}
