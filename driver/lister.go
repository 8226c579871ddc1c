package driver

import (
	"context"
	"iter"
	"time"
)

// Lister is implemented by drivers whose manager can list its secrets. Nothing that decides a write relies on it, as
// lists may lag; they are for comparing what is there with what should be.
type Lister interface {
	// List yields the relative name of every live secret in the folder, each once and in no particular order: also
	// names of other people's secrets there, which may hold any character. A secret that is created or deleted
	// meanwhile may be yielded or not, and so may one that changed within [Lister.Lag] before. Names of secrets that
	// were deleted long ago may be yielded too, where the manager keeps them: a name is no secret yet.
	//
	// An error is yielded with an empty name and ends the list. It is one of this package for [errors.Is], or wraps
	// ctx.Err(), which is looked at before every name. Every range over the sequence asks the manager anew.
	List(ctx context.Context) iter.Seq2[string, error]

	// Lag is how long a write may take to show in List; 0 means that List shows every acknowledged write.
	Lag() time.Duration
}
