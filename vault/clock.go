package vault

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Time is the Date of a reply of Vault, or of what is before it, also of one that refuses: 1 call, which describes the mount.
func (s *secrets) Time(ctx context.Context) (time.Time, error) {
	c, a := s.describing(), s.reads()
	resp, err := s.raw(a.watched(ctx), c)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
		if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			return at, nil
		}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", mountOp, s.cause(ctx, c, a, err))
	}
	return time.Time{}, fmt.Errorf("%s: the reply has no date; check what is between the client and Vault: %w", mountOp, driver.ErrUnavailable)
}
