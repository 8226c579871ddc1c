package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Refresher is a store that lets one process at a time refresh a token, of all that share it. Package oauth asks for it; most
// programs use that.
type Refresher interface {
	// RefreshToken returns the token with this ID as soon as it is good: at once if r.Good says so of what is stored, else after
	// this process or another has refreshed it. Whoever does takes a lease in the token's secret, asks the provider by
	// r.Ask, and stores the answer; the others wait for it.
	//
	// A token that is not there, or is deleted meanwhile, is ErrNotFound and never comes back. ErrReauthorize means that the
	// provider refused the credential for good, and a person must log in. A *RefreshError says what else went wrong at the
	// provider, and for how long no process will ask. After both, the token comes with the error while its access token
	// has not expired. An *UnsavedError comes with a good token that the store did not take.
	//
	// From the lease on the work does not stop with ctx, so that no answer of the provider is lost; RefreshToken returns when
	// ctx ends all the same, and then nobody gets an *UnsavedError: call it with a context that ends late. If ctx ends before the provider must have answered, the lease is not taken and the
	// error is context.DeadlineExceeded.
	RefreshToken(ctx context.Context, id string, r Refresh) (Token, error)
}

// Refresh says how a token is refreshed. Good and Ask are required.
type Refresh struct {
	// Good reports whether a stored token needs no refresh. It is called often and does no I/O.
	Good func(stored Token) bool

	// Force asks the provider although the token is good, or needs a login, or was to be left alone for a while: Good is not
	// asked before somebody, in this process or another, has got a new token since the first look, and the lease clears the Reauthorize
	// and the wait after a failure that were there at the first look. Another process's lease and a failure since then count
	// as always. It costs no more calls.
	Force bool

	// Ask spends the credential of a stored token at the provider: the grant token if GrantToken is set, else the refresh
	// token, else the client's own. It returns the provider's answer: an access token with its expiry, the refresh token if
	// there is one in the answer, perhaps an API domain. It must send nothing after driver.NotAfter(ctx) on the wall
	// clock, and is ErrTooLate if it sent nothing at all because of that. Its other errors are *RefreshError; anything
	// else counts as transient.
	Ask func(ctx context.Context, stored Token) (Token, error)

	// Lost, if it is set, is told of an answer with a new refresh token that is not stored, because somebody logged in
	// meanwhile.
	Lost func(answer Token)

	// Deadline is within how much time, from the lease on, the provider must have been asked, one repetition after a
	// lost reply included. 0 means 20 seconds.
	Deadline time.Duration

	// Grace is for how long the provider still takes a refresh token that was used; 0: not at all, or it does not replace
	// them. Lost replies are then followed by a try within it.
	Grace time.Duration

	// Lease is for how long others wait for the holder of the lease before they take it from him. It must be longer than Deadline
	// and shorter than the time for which the provider takes a refresh token again after it was used. 0 means 25
	// seconds.
	Lease time.Duration
}

// RefreshFailure classifies what can go wrong at a provider.
type RefreshFailure string

// The classes of errors of a provider.
const (
	// Refused: it refuses the credential for good (invalid_grant).
	Refused RefreshFailure = "refused"
	// Misconfigured: it does not know the client, or not here: a wrong secret, or another data center's.
	Misconfigured RefreshFailure = "wrong client or data center"
	// Throttled: it has been asked too often.
	Throttled RefreshFailure = "throttled"
	// Transient: it did not answer, or not usefully.
	Transient RefreshFailure = "transient"
)

// RefreshError is an error of a provider. It is ErrReauthorize or ErrThrottled for errors.Is where its class says so.
type RefreshError struct {
	Failure    RefreshFailure
	RetryAfter time.Duration // for how long nobody will ask again; 0: not known
	Err        error         // the cause, without any text of the provider that may hold a credential; may be nil
}

// ErrReauthorize means that a person must log in again: the provider refused the credential for good.
var ErrReauthorize = errors.New("the provider refused the credential for good; log in again")

// ErrThrottled means that the provider has been asked too often.
var ErrThrottled = errors.New("the provider has been asked too often")

// ErrTooLate is what [Refresh].Ask answers if it asked nobody, since the time to do so had passed.
var ErrTooLate = errors.New("the time to ask the provider has passed")

// Error says what went wrong and when somebody will try again.
func (e *RefreshError) Error() string {
	text := "refresh: " + string(e.Failure)
	if e.RetryAfter > 0 {
		text += fmt.Sprintf("; nobody asks again for %v", e.RetryAfter.Round(time.Second))
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *RefreshError) Unwrap() error { return e.Err }

// Is reports whether target is the error that e's class stands for.
func (e *RefreshError) Is(target error) bool {
	return target == ErrReauthorize && e.Failure == Refused || target == ErrThrottled && e.Failure == Throttled
}

// UnsavedError comes with a token that the provider gave and the store did not take. If the provider replaced the refresh
// token, the new one is nowhere else: call Save until it succeeds.
type UnsavedError struct {
	Rotated bool // the refresh token is a new one
	Err     error

	save func(ctx context.Context) (Token, error)
}

// Error says why the token was not stored.
func (e *UnsavedError) Error() string {
	return fmt.Sprintf("the refreshed token could not be stored: %v", e.Err)
}

// Unwrap returns the cause.
func (e *UnsavedError) Unwrap() error { return e.Err }

// Save tries again to store the token, and returns what is stored then: this token or, where another process has refreshed
// it since, that one's. An UnsavedError that is not from RefreshToken returns its cause.
func (e *UnsavedError) Save(ctx context.Context) (Token, error) {
	if e.save == nil {
		return Token{}, e.Err
	}
	return e.save(ctx)
}
