package tokenkeep

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// What can go wrong, for [errors.Is].
var (
	// ErrNotFound: no stored token is the one that was asked for.
	ErrNotFound = driver.ErrNotFound
	// ErrAmbiguous: several stored tokens fit the query; the message names their IDs.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrIncomplete: a new token that has neither a grant, a refresh nor an access token, nor client credentials.
	ErrIncomplete = errors.New("incomplete token")
	// ErrInvalid: something in the input cannot be stored or looked up, whatever the store holds.
	ErrInvalid = driver.ErrInvalid
	// ErrConflict: another token has this identity already, or other writers won every attempt.
	ErrConflict = driver.ErrConflict
	// ErrTooLarge: the token, or the index with it, would be larger than the manager takes.
	ErrTooLarge = driver.ErrTooLarge
	// ErrQuota: the manager takes no more writes or calls for now.
	ErrQuota = driver.ErrQuota
	// ErrPermission: the caller's credentials do not allow the call.
	ErrPermission = driver.ErrPermission
	// ErrUnavailable: the manager did not answer, or not usefully; the same call may succeed later.
	ErrUnavailable = driver.ErrUnavailable
	// ErrForeign: a secret with a name of ours that tokenkeep did not write, or that a newer version wrote.
	ErrForeign = errors.New("not written by this version of tokenkeep")
	// ErrDamaged: a secret of ours that cannot be understood.
	ErrDamaged = driver.ErrDamaged
)

// Error is an error of a store, with its detail.
type Error struct {
	Op     string // what was done: "save token"
	Secret string // the secret it is about, in the manager's terms; may be empty
	ID     string // the token it is about; may be empty
	Err    error
}

// Error returns operation, token, secret and cause in one line, without any credential.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("tokenkeep: " + e.Op)
	if e.ID != "" {
		fmt.Fprintf(&b, " %q", e.ID)
	}
	var cause *driver.Error
	if e.Secret != "" && !errors.As(e.Err, &cause) { // a driver's error names the secret itself
		fmt.Fprintf(&b, ": secret %q", e.Secret)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

func isAmbiguous(err error) bool { return errors.Is(err, ErrAmbiguous) }
