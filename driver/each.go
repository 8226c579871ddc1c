package driver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// eachAtOnce is how many reads of one Each are under way at once.
const eachAtOnce = 8

// Each is GetMany of [Secrets] for managers that have no call for several secrets: it reads each name once, up to 8 at once.
// read is Latest. After an error of which outOfReach is true the rest is not asked for, and fails for the same reason.
func Each(ctx context.Context, names []string, read func(ctx context.Context, name string) (Secret, error),
	outOfReach func(error) bool) (map[string]Secret, error) {
	var (
		mu     sync.Mutex // guards the rest
		found  = map[string]Secret{}
		failed = map[string]error{}
		broken error
		calls  errgroup.Group
	)
	calls.SetLimit(eachAtOnce)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		calls.Go(func() error {
			mu.Lock()
			cause := broken
			mu.Unlock()
			if cause != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[name] = &Error{Op: "GetMany", Name: name, Err: fmt.Errorf("not asked for: %w", cause)}
				return nil
			}
			secret, err := read(ctx, name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				found[name] = secret
			case !errors.Is(err, ErrNotFound):
				failed[name] = err
				if outOfReach(err) {
					broken = err
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
