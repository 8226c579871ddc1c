package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/tokenkeep/tokenkeep/driver"
)

// GetMany reads several secrets: a call for each, up to 8 at once. When Vault cannot be reached for one, the rest is not
// asked for.
func (s *secrets) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", mountOp, err)
	}
	return driver.Each(ctx, names, s.read, func(err error) bool { return errors.Is(err, driver.ErrUnavailable) })
}
