package driver

import (
	"errors"
	"fmt"
)

// What can go wrong with a secret, for [errors.Is]. Package tokenkeep has the same values under the same names.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("conflict with another writer")
	ErrInvalid     = errors.New("invalid")
	ErrTooLarge    = errors.New("too large")
	ErrQuota       = errors.New("quota used up")
	ErrPermission  = errors.New("permission denied")
	ErrUnavailable = errors.New("secrets manager unavailable")
	ErrDamaged     = errors.New("damaged")
)

// ErrNameHeld means that a deleted secret still occupies the name, so that nothing can be created there for now.
// It wraps [ErrUnavailable].
var ErrNameHeld = fmt.Errorf("the name is held by a deleted secret: %w", ErrUnavailable)

// Error is an error about one secret.
type Error struct {
	Op     string // the call, in the manager's own words: "GetSecretValue"
	Name   string // the relative name, as the caller gave it
	Secret string // the name in the manager, for people
	Resent bool   // of a put: an earlier attempt may have taken effect
	Err    error
}

// Error names the call, the secret and the cause.
func (e *Error) Error() string {
	secret := e.Secret
	if secret == "" {
		secret = e.Name
	}
	return fmt.Sprintf("%s: secret %q: %v", e.Op, secret, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
