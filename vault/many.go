package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tokenkeep/tokenkeep/driver"
)

// concurrency is how many calls of one GetMany, or one List, are under way at once.
const concurrency = 8

// GetMany reads several secrets: a call for each, up to 8 at once. When Vault cannot be reached for one, the rest is not
// asked for.
func (s *secrets) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", mountOp, err)
	}
	var (
		mu     sync.Mutex // guards the rest
		found  = map[string]driver.Secret{}
		failed = map[string]error{}
		broken error
		calls  errgroup.Group
	)
	calls.SetLimit(concurrency)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		calls.Go(func() error {
			mu.Lock()
			cause := broken
			mu.Unlock()
			var secret driver.Secret
			err := cause
			if cause == nil {
				secret, err = s.read(ctx, name)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				found[name] = secret
			case cause != nil:
				failed[name] = s.errorOf(s.reading(name).op(), name, s.reads(), cause)
			case !errors.Is(err, driver.ErrNotFound):
				failed[name] = err
				if errors.Is(err, driver.ErrUnavailable) {
					broken = errors.Unwrap(err)
				}
			}
			return nil
		})
	}
	_ = calls.Wait() // failures are in failed
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		errs = append(errs, failed[name])
	}
	return found, errors.Join(errs...)
}
