package filestore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// column is one of the file's, in the order in which they are written.
type column struct {
	name    string
	alias   string // its name in files of other SDKs and versions
	missing bool   // from files of nine columns
	field   func(*tokenkeep.Token) *string
}

// expiryColumn is the one that is no text.
const expiryColumn = "expiry_time"

var columns = []column{
	{name: "id", field: func(t *tokenkeep.Token) *string { return &t.ID }},
	{name: "user_name", alias: "user_mail", field: func(t *tokenkeep.Token) *string { return &t.UserName }},
	{name: "client_id", field: func(t *tokenkeep.Token) *string { return &t.ClientID }},
	{name: "client_secret", field: func(t *tokenkeep.Token) *string { return &t.ClientSecret }},
	{name: "refresh_token", field: func(t *tokenkeep.Token) *string { return &t.RefreshToken }},
	{name: "access_token", field: func(t *tokenkeep.Token) *string { return &t.AccessToken }},
	{name: "grant_token", field: func(t *tokenkeep.Token) *string { return &t.GrantToken }},
	{name: expiryColumn, alias: "expires_in"},
	{name: "redirect_url", alias: "redirect_uri", field: func(t *tokenkeep.Token) *string { return &t.RedirectURL }},
	{name: "api_domain", missing: true, field: func(t *tokenkeep.Token) *string { return &t.APIDomain }},
}

// get returns the text of the column.
func (c column) get(t tokenkeep.Token) string {
	switch {
	case c.field != nil:
		return *c.field(&t)
	case t.ExpiresAt.IsZero():
		return ""
	}
	return strconv.FormatInt(t.ExpiresAt.UnixMilli(), 10)
}

// set takes the text of the column.
func (c column) set(t *tokenkeep.Token, text string) error {
	if c.field != nil {
		*c.field(t) = text
		return nil
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	ms, err := milliseconds(text)
	if err != nil {
		return fmt.Errorf("%s is no time in milliseconds since 1970", c.name)
	}
	t.ExpiresAt = time.UnixMilli(ms).UTC()
	return nil
}

// milliseconds reads a number as the SDKs write it, which in PHP may be 1.9E+12.
func milliseconds(text string) (int64, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return ms, nil
	}
	float, err := strconv.ParseFloat(text, 64)
	if err == nil && !(-1<<53 < float && float < 1<<53) {
		err = strconv.ErrRange
	}
	return int64(float), err
}

// checkColumns refuses what has no column.
func checkColumns(t tokenkeep.Token) error {
	for _, f := range []struct {
		field string
		set   bool
	}{
		{"AccountsURL", t.AccountsURL != ""}, {"RefreshExpiresAt", !t.RefreshExpiresAt.IsZero()},
		{"Scopes", len(t.Scopes) > 0}, {"Extra", len(t.Extra) > 0},
	} {
		if f.set {
			return fmt.Errorf("the file has no column for %s; clear it, or use another store: %w", f.field, tokenkeep.ErrInvalid)
		}
	}
	return nil
}

// inMilliseconds cuts the expiry to what the file holds.
func inMilliseconds(t tokenkeep.Token) tokenkeep.Token {
	t.ExpiresAt = t.ExpiresAt.Truncate(time.Millisecond)
	return t
}

// withColumns returns what the file holds of t.
func withColumns(t tokenkeep.Token) tokenkeep.Token {
	t.RefreshedAt, t.Reauthorize = time.Time{}, nil
	return t
}
