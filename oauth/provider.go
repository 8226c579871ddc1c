package oauth

import (
	"context"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// Provider asks one kind of authorization server. Its methods are safe for concurrent use.
//
// [Options.Config] makes one for any OAuth 2 endpoint; write one for a server that wants something else.
type Provider interface {
	// Ask spends the credential of a stored token: the grant token if it is set, else the refresh token, else the
	// client's own. It returns the answer: an access token with its expiry, the refresh token if there is one in the
	// answer, perhaps an API domain.
	//
	// The contract is that of tokenkeep.Refresh: nothing is sent after driver.NotAfter(ctx) on the wall clock, and
	// errors are *tokenkeep.RefreshError, without any text of the server; another error counts as transient.
	Ask(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error)

	// Traits tells what is special about the server. It does no I/O, and the answer never changes.
	Traits() Traits
}

// Traits is what a source must know about an authorization server. The zero value is a server that keeps its refresh
// tokens and whose access tokens live until they expire.
type Traits struct {
	// Scheme is that of the Authorization header; empty means Bearer.
	Scheme string

	// Rotates says that a refresh may replace the refresh token.
	Rotates bool

	// Grace is for how long a refresh token that was replaced is still taken; 0 means not at all. It counts only with Rotates.
	Grace time.Duration

	// KillsOldTokens says that a refresh ends older access tokens, so that there is no early refresh.
	KillsOldTokens bool
}

// Errors of a provider, for errors.Is.
var (
	// ErrReauthorize means that the provider refused the credential for good: a person must log in again.
	ErrReauthorize = tokenkeep.ErrReauthorize

	// ErrThrottled means that the provider has been asked too often. The wait is RetryAfter of the
	// *tokenkeep.RefreshError that errors.As finds.
	ErrThrottled = tokenkeep.ErrThrottled
)
