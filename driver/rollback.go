package driver

import "context"

// RollbackChecker is implemented by drivers of managers in which a person can make an older version of a secret
// the current one again, past every compare-and-swap.
type RollbackChecker interface {
	// RolledBack tells whether the current version of a secret was made current by hand: the secret may hold tokens
	// that have been replaced since. The next put makes a new version, and with it the answer false. A secret that is
	// absent or deleted is ErrNotFound.
	//
	// It is for reports, and for no decision about a write.
	RolledBack(ctx context.Context, name string) (bool, error)
}
