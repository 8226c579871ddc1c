// Package driver is what a secrets manager must offer to keep tokens: six methods over named secrets, with
// compare-and-swap. The rules about tokens live in package tokenkeep; a driver knows one manager and nothing of
// tokens. Package drivertest checks that a driver keeps the promises made here.
package driver

import (
	"context"
	"time"
)

// Secrets is a folder of secrets in one secrets manager.
//
// Names are relative and hold only [a-z0-9_]; the driver adds what its manager needs before them. Payloads are
// UTF-8 text. Every method is safe for concurrent use, also with other processes, and returns soon after ctx ends,
// with an error that wraps ctx.Err().
//
// The errors are those of this package, for [errors.Is]; where one concerns a single secret it is an [*Error] with
// its name. No error holds any part of a payload.
type Secrets interface {
	// Get reads a secret, fast: what it returns may be older than the newest acknowledged write.
	// A secret that is absent or deleted is ErrNotFound.
	Get(ctx context.Context, name string) (Secret, error)

	// Latest reads a secret as fresh as the manager offers. Everything that decides a write reads with it.
	Latest(ctx context.Context, name string) (Secret, error)

	// GetMany reads several secrets, as fresh as Latest, in as few calls as the manager allows. Absent ones are
	// missing from the map. The error joins one *Error for each name that could not be read, beside a map of those
	// that could; an error that is not made of such *Errors means that nothing is known of any name.
	GetMany(ctx context.Context, names []string) (map[string]Secret, error)

	// Put writes a secret if it is still at rev, and returns the revision that it wrote. The zero Revision means
	// that there is no live secret, and creates one.
	//
	// If the secret is not at rev (changed, deleted, re-created, never there, or there although rev is zero), Put is
	// ErrConflict and writes nothing; a revision read before an acknowledged Delete conflicts for ever. Two puts
	// with one revision never both succeed, unless they carry the same payload.
	//
	// After a lost reply the driver finds out by itself whether its put took effect, by sending it again or by
	// comparing payloads: callers make every payload unique with a nonce. Where the answer is a conflict although
	// an earlier attempt may have taken effect, [Error.Resent] says so.
	//
	// Nothing is sent after the time of [NotAfter]: then Put is ErrConflict.
	// A name that a deleted secret still occupies is ErrNameHeld.
	Put(ctx context.Context, name string, payload []byte, rev Revision) (Revision, error)

	// Delete removes a secret and all its versions for good. Deleting what is not there succeeds.
	Delete(ctx context.Context, name string) error

	// Limits tells what the manager accepts.
	Limits() Limits
}

// Namer is implemented by drivers that can say what a secret is called in the manager, for messages to people.
type Namer interface {
	FullName(name string) string
}

// Secret is what a secret holds, and the revision at which it was read.
type Secret struct {
	Payload  []byte
	Revision Revision
}

// Revision identifies one state of one secret. Only the driver that made it understands it; any other driver's, or
// a made-up one, is a conflict. The zero Revision stands for "no live secret".
type Revision string

// Limits of a secrets manager; 0 means none.
type Limits struct {
	Payload      int // bytes of one payload
	Name         int // bytes of a relative name
	WritesPerDay int // lasting rate of writes to one secret
}

type notAfterKey struct{}

// WithNotAfter returns a context whose puts are not sent, nor sent again, after t by the wall clock.
//
// The wall clock, because a process that is frozen and thawed (as AWS Lambda does between requests) finds its
// monotonic clock where it left it.
func WithNotAfter(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, notAfterKey{}, t.Round(0))
}

// NotAfter returns the time that [WithNotAfter] set, without a monotonic reading. A driver compares it with the wall
// clock immediately before every attempt of a put, those of its SDK included.
func NotAfter(ctx context.Context) (t time.Time, ok bool) {
	t, ok = ctx.Value(notAfterKey{}).(time.Time)
	return t, ok
}
