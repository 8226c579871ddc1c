package zoho

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// Errors of this package, for errors.Is. Those of Zoho's accounts servers are *tokenkeep.RefreshError.
var (
	// ErrAlreadyInvalid is the answer of [Provider.Revoke] where the token was not valid before, or not in this data center.
	ErrAlreadyInvalid = errors.New("the token was not valid here: revoked before, or of another data center")
	// ErrDenied means that the person at the browser did not agree to the login.
	ErrDenied = errors.New("the person did not agree")
	// ErrAccountsServer means that the redirect of a login names an accounts server that is not to be trusted with the code.
	ErrAccountsServer = errors.New("not an accounts server that is known")
)

// throttledFor is the window in which Zoho gives 10 access tokens for a refresh token, and then refuses for the rest of it
// (CRM v8, "Token Validity"). When it began is not known, and clients of Zoho report that further requests prolong it.
const throttledFor = 10 * time.Minute

// codes are the error codes whose meaning is known: Zoho's own, and those of RFC 6749.
var codes = map[string]tokenkeep.RefreshFailure{
	"invalid_code":            tokenkeep.Refused,
	"invalid_grant":           tokenkeep.Refused,
	"invalid_client":          tokenkeep.Misconfigured,
	"invalid_client_secret":   tokenkeep.Misconfigured,
	"unauthorized_client":     tokenkeep.Misconfigured,
	"invalid_redirect_uri":    tokenkeep.Misconfigured,
	"invalid_request":         tokenkeep.Misconfigured,
	"invalid_scope":           tokenkeep.Misconfigured,
	"unsupported_grant_type":  tokenkeep.Misconfigured,
	"access_denied":           tokenkeep.Throttled,
	"general_error":           tokenkeep.Transient,
	"server_error":            tokenkeep.Transient,
	"temporarily_unavailable": tokenkeep.Transient,
}

// classify tells what an answer without an access token means.
//
// To be throttled is {"error":"Access Denied","status":"failure"}, by HTTP 400 or 200, and the code is translated in
// some data centers. So a failure with a code that nobody knows counts as that: asked once more, Zoho would
// prolong it.
func classify(status int, a answer, server string, sure bool) *tokenkeep.RefreshError {
	code := strings.ReplaceAll(strings.ToLower(string(a.Error)), " ", "_")
	failure, isKnown := codes[code]
	switch {
	case status == http.StatusTooManyRequests, failure == tokenkeep.Throttled,
		a.Status == "failure" && a.Error != "" && !isKnown && status < 500:
		return &tokenkeep.RefreshError{
			Failure: tokenkeep.Throttled, RetryAfter: throttledFor, Err: fmt.Errorf("%s allows 10 access tokens in 10 minutes", server),
		}
	case status >= 500 || !isKnown:
		return transient("%s answered HTTP %d, without an access token", server, status)
	}
	err := &tokenkeep.RefreshError{Failure: failure, Err: fmt.Errorf("%s answered %s", server, code)}
	switch {
	case failure == tokenkeep.Refused && !sure:
		return misconfigured("%s answered %s, but that the token belongs there is a guess: set its APIDomain or AccountsURL, "+
			"or Options.DataCenter; if the guess is right, the credential is no good any more: log in again", server, code)
	case failure == tokenkeep.Misconfigured:
		err.Err = fmt.Errorf("%s answered %s: check ClientID, ClientSecret, RedirectURL and the data center; a client is known where "+
			"it is registered, and elsewhere only with multi-DC support, perhaps under another secret", server, code)
	}
	return err
}

func transient(format string, args ...any) *tokenkeep.RefreshError {
	return &tokenkeep.RefreshError{Failure: tokenkeep.Transient, Err: fmt.Errorf(format, args...)}
}

func misconfigured(format string, args ...any) *tokenkeep.RefreshError {
	return &tokenkeep.RefreshError{Failure: tokenkeep.Misconfigured, Err: fmt.Errorf(format, args...)}
}

// opError is an error of an accounts server under the name of what was asked of it.
type opError struct {
	op  string
	err error
}

func (e *opError) Error() string {
	return "zoho: " + e.op + ": " + strings.TrimPrefix(e.err.Error(), "refresh: ")
}

func (e *opError) Unwrap() error { return e.err }
