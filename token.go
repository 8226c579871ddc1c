package tokenkeep

import (
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// Token is one set of OAuth credentials, with what it takes to use and refresh them.
//
// An empty string and an absent field are the same thing. AccessToken and ExpiresAt belong together, and so do
// RefreshToken and RefreshExpiresAt.
//
// A Token prints redacted: under every verb of package fmt, in log/slog and in encoding/json, also inside other
// values. Only [EncodeToken] writes credentials. Two gaps are left: fmt prints a Token in an *unexported* field of
// somebody else's struct raw, since it does not call methods there; give such a struct a String method of its own.
// And it calls none under %p, nor under %w for what is no error; go vet refuses both.
type Token struct {
	ID       string // given by the store where it is empty
	UserName string

	ClientID     string
	ClientSecret string
	RedirectURL  string

	GrantToken       string // the authorization code, before it is exchanged
	RefreshToken     string
	RefreshExpiresAt time.Time // zero: unknown
	AccessToken      string
	ExpiresAt        time.Time // of AccessToken; zero: unknown
	RefreshedAt      time.Time // of the last successful refresh

	APIDomain   string // where AccessToken is good, such as https://www.zohoapis.eu
	AccountsURL string // the server that refreshes it, such as https://accounts.zoho.eu
	Scopes      []string
	Extra       map[string]string // kept as given, for other providers; taken for secret

	// Reauthorize is set where the provider refused RefreshToken for good.
	Reauthorize *Reauthorize
}

// Reauthorize says since when a token needs a person to log in again, and why.
type Reauthorize struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"` // a class of error, no text of the provider
}

// clone returns a copy that shares no memory with t, normalised as it is stored: times in UTC without a monotonic
// reading, no empty Extra.
func (t Token) clone() Token {
	for _, at := range []*time.Time{&t.ExpiresAt, &t.RefreshExpiresAt, &t.RefreshedAt} {
		*at = stored(*at)
	}
	t.Scopes = slices.Clone(t.Scopes)
	if len(t.Scopes) == 0 {
		t.Scopes = nil
	}
	t.Extra = maps.Clone(t.Extra)
	maps.DeleteFunc(t.Extra, func(_, v string) bool { return v == "" })
	if len(t.Extra) == 0 {
		t.Extra = nil
	}
	if t.Reauthorize != nil {
		t.Reauthorize = &Reauthorize{Since: stored(t.Reauthorize.Since), Reason: t.Reauthorize.Reason}
	}
	return t
}

func stored(at time.Time) time.Time {
	if at.IsZero() {
		return time.Time{}
	}
	return at.Round(0).UTC()
}

// How long an ID and a user name may be, in bytes.
const (
	maxID       = 128
	maxUserName = 1024
)

// checkID refuses an ID that no token can have.
func checkID(id string) error { return Token{ID: id}.validate() }

// validate refuses what JSON cannot hold, and what is too long to go by.
func (t Token) validate() error {
	switch {
	case len(t.ID) > maxID:
		return fmt.Errorf("ID is %d bytes, at most %d fit: %w", len(t.ID), maxID, ErrInvalid)
	case len(t.UserName) > maxUserName:
		return fmt.Errorf("UserName is %d bytes, at most %d fit: %w", len(t.UserName), maxUserName, ErrInvalid)
	}
	for field, value := range t.strings() {
		if !utf8.ValidString(value) {
			return fmt.Errorf("%s is not valid UTF-8; encode it before you save it: %w", field, ErrInvalid)
		}
		if value == redacted {
			return fmt.Errorf("%s reads %s: this is a printed token, not a stored one; use EncodeToken to keep tokens: %w",
				field, redacted, ErrInvalid)
		}
	}
	times := map[string]time.Time{
		"ExpiresAt": t.ExpiresAt, "RefreshExpiresAt": t.RefreshExpiresAt, "RefreshedAt": t.RefreshedAt,
	}
	if t.Reauthorize != nil {
		times["Reauthorize.Since"] = t.Reauthorize.Since
	}
	for field, at := range times {
		if year := at.UTC().Year(); !at.IsZero() && (year < 0 || year > 9999) {
			return fmt.Errorf("%s is in the year %d, RFC 3339 ends at 9999: %w", field, year, ErrInvalid)
		}
	}
	return nil
}

// strings yields every string of the token under the name of its field, once or more.
func (t Token) strings() func(yield func(field, value string) bool) {
	return func(yield func(field, value string) bool) {
		fields := []struct{ name, value string }{
			{"ID", t.ID}, {"UserName", t.UserName}, {"ClientID", t.ClientID}, {"ClientSecret", t.ClientSecret},
			{"RedirectURL", t.RedirectURL}, {"GrantToken", t.GrantToken}, {"RefreshToken", t.RefreshToken},
			{"AccessToken", t.AccessToken}, {"APIDomain", t.APIDomain}, {"AccountsURL", t.AccountsURL},
		}
		for _, f := range fields {
			if !yield(f.name, f.value) {
				return
			}
		}
		for _, scope := range t.Scopes {
			if !yield("Scopes", scope) {
				return
			}
		}
		for key, value := range t.Extra {
			if !yield("a key of Extra", key) || !yield("a value of Extra", value) {
				return
			}
		}
		if t.Reauthorize != nil {
			yield("Reauthorize.Reason", t.Reauthorize.Reason)
		}
	}
}
