package driver

import "context"

// Forgetter is implemented by drivers of managers in which something of a secret stays after a delete, such as its name.
type Forgetter interface {
	// Forget removes what Delete has left of a secret, or the secret itself if it is still there. Where there is nothing,
	// it succeeds.
	//
	// It is no compare-and-swap: a secret that another writer creates at that moment may be removed, and a revision read
	// before may fit one that is created after. So it is only for names that nobody else writes, now or later. Its error is
	// an [*Error]. It may need a right that no other method does.
	Forget(ctx context.Context, name string) error

	// LeavesNames tells whether all that Delete leaves is the name of the secret, and what is not secret about it.
	LeavesNames() bool
}
