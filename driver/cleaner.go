package driver

import "context"

// Cleaner is implemented by drivers of managers that keep, and bill, versions of a secret that nobody reads any more: those
// of writers that ended halfway.
type Cleaner interface {
	// Clean destroys the versions of a secret that nothing refers to, and returns how many. A version that a put may be
	// about to make the current one is left: one that is less than 10 minutes old, which is twice as long as a put may
	// take. Puts that began before may conflict. A secret that is absent or deleted may have such versions too; where
	// there is nothing to destroy, Clean writes nothing.
	//
	// What could not be destroyed is in the error, an [*Error].
	Clean(ctx context.Context, name string) (destroyed int, err error)
}
