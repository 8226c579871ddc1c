package oauth

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
)

// maxBody is how much of an answer is read.
const maxBody = 1 << 20

// maxRetryAfter is the longest wait that a server may ask for.
const maxRetryAfter = 24 * time.Hour

// answer is what a token endpoint says, in either of its forms.
type answer map[string]string

// decodeAnswer returns the token of an answer, or what went wrong. asked is when the request was sent, and secrets were sent with it.
func decodeAnswer(host string, resp *http.Response, body []byte, asked time.Time, secrets []string) (tokenkeep.Token, error) {
	a, ok := parseAnswer(resp.Header.Get("Content-Type"), body)
	ok = ok && len(body) <= maxBody
	code := a["error"]
	if resp.StatusCode/100 == 2 && ok && code == "" && a["access_token"] != "" {
		return tokenkeep.Token{
			AccessToken: a["access_token"], ExpiresAt: a.after(asked, "expires_in"),
			RefreshToken: a["refresh_token"], RefreshExpiresAt: a.after(asked, "refresh_token_expires_in", "refresh_expires_in"),
		}, nil
	}
	cause := &answerError{host: host, retrieve: &oauth2.RetrieveError{
		ErrorCode: shownCode(code, secrets),
		Response: &http.Response{
			Status:     strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))),
			StatusCode: resp.StatusCode, Header: http.Header{}, Body: http.NoBody,
		},
	}}
	switch {
	case !ok:
		cause.what = "the answer is not readable"
	case code == "":
		cause.what = "the answer has no access token"
	}
	if resp.StatusCode/100 == 3 {
		cause.what = "the endpoint redirects elsewhere; put its final URL into the configuration"
	}
	return tokenkeep.Token{}, &tokenkeep.RefreshError{
		Failure: classify(resp.StatusCode, code), RetryAfter: retryAfter(resp.Header.Get("Retry-After"), asked), Err: cause,
	}
}

// classify returns the class of an answer without a token.
func classify(status int, code string) tokenkeep.RefreshFailure {
	switch {
	case status == http.StatusTooManyRequests, code == "slow_down", code == "temporarily_unavailable":
		return tokenkeep.Throttled
	case status >= 500:
		return tokenkeep.Transient
	}
	switch code {
	case "invalid_grant":
		return tokenkeep.Refused
	case "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_request", "invalid_scope":
		return tokenkeep.Misconfigured
	}
	if status == http.StatusUnauthorized || status/100 == 3 {
		return tokenkeep.Misconfigured
	}
	return tokenkeep.Transient
}

// parseAnswer reads JSON or a form. A member that is neither text nor number is left out.
func parseAnswer(contentType string, body []byte) (answer, bool) {
	if !utf8.Valid(body) {
		return nil, false
	}
	text := strings.TrimSpace(string(body))
	kind, _, _ := mime.ParseMediaType(contentType)
	if !strings.HasPrefix(text, "{") && (kind == "application/x-www-form-urlencoded" || kind == "text/plain") {
		form, err := url.ParseQuery(text)
		a := answer{}
		for key := range form {
			a[key] = form.Get(key)
		}
		return a, err == nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return nil, false
	}
	a := answer{}
	for key, raw := range members {
		var s string
		var n json.Number
		switch {
		case json.Unmarshal(raw, &s) == nil:
			a[key] = s
		case json.Unmarshal(raw, &n) == nil:
			a[key] = n.String()
		}
	}
	return a, true
}

// after returns the time that one of keys tells in seconds from at on; zero: none does.
func (a answer) after(at time.Time, keys ...string) time.Time {
	for _, key := range keys {
		seconds, err := strconv.ParseFloat(a[key], 64)
		if err == nil && seconds > 0 {
			return at.Round(0).Add(time.Duration(min(seconds, math.MaxInt32) * float64(time.Second)))
		}
	}
	return time.Time{}
}

// retryAfter reads the header in both its forms; 0: it says nothing.
func retryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseInt(strings.TrimSpace(header), 10, 64); err == nil {
		wait = time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

var plainCode = regexp.MustCompile(`^[a-z][a-z_]{2,39}$`)

// shownCode returns an error code that may be printed: one like those of RFC 6749, and no echo of what was sent.
func shownCode(code string, secrets []string) string {
	if !plainCode.MatchString(code) {
		return ""
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(code, secret) {
			return ""
		}
	}
	return code
}

// codeOf returns the code of an error of a token endpoint.
func codeOf(err error) string {
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) {
		return retrieve.ErrorCode
	}
	return ""
}

// answerError is an answer without a token. RetrieveError has a text of its own, for another purpose; this one has what people need.
type answerError struct {
	host, what string
	retrieve   *oauth2.RetrieveError
}

// Error returns host, status and code.
func (e *answerError) Error() string {
	text := fmt.Sprintf("%s answered %s", e.host, e.retrieve.Response.Status)
	if e.retrieve.ErrorCode != "" {
		text += " " + e.retrieve.ErrorCode
	}
	if e.what != "" {
		text += ": " + e.what
	}
	return text
}

// Unwrap returns the RetrieveError, without body and description.
func (e *answerError) Unwrap() error { return e.retrieve }

var errBroken = errors.New("the connection broke, or what came was not HTTP")

// withoutText returns what is known of a failed request, but nothing that may quote the server.
func withoutText(err error) error {
	var connection *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &connection):
		return connection
	case errors.As(err, &certificate):
		return certificate
	case errors.Is(err, errLate):
		return errLate
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return context.Canceled
	}
	return errBroken
}
