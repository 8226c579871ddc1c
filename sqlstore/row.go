package sqlstore

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// columns are those of Zoho's table, in its order, and how many characters each takes there.
var columns = [...]struct {
	name  string
	width int
}{
	{"id", 10}, {"user_name", 255}, {"client_id", 255}, {"client_secret", 255}, {"refresh_token", 255},
	{"access_token", 255}, {"grant_token", 255}, {"expiry_time", 20}, {"redirect_url", 255}, {"api_domain", 255},
}

// Places in a row.
const (
	idColumn     = 0
	expiryColumn = 7
)

// row is a row of the table, in the order of columns. Empty and NULL are the same.
type row [len(columns)]string

// rowOf returns a token as a row. What has no column is ErrInvalid.
func rowOf(t tokenkeep.Token) (row, error) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"RefreshExpiresAt", !t.RefreshExpiresAt.IsZero()}, {"AccountsURL", t.AccountsURL != ""},
		{"Scopes", len(t.Scopes) > 0}, {"Extra", len(t.Extra) > 0},
	} {
		if f.set {
			return row{}, fmt.Errorf("the table has no column for %s; leave it empty, or use another store: %w", f.name, tokenkeep.ErrInvalid)
		}
	}
	expiry := ""
	if !t.ExpiresAt.IsZero() {
		expiry = strconv.FormatInt(t.ExpiresAt.UnixMilli(), 10)
	}
	return row{
		t.ID, t.UserName, t.ClientID, t.ClientSecret, t.RefreshToken, t.AccessToken, t.GrantToken, expiry, t.RedirectURL, t.APIDomain,
	}, nil
}

// token returns a row as a token. What no token can be is ErrDamaged.
func (r row) token() (tokenkeep.Token, error) {
	if r[idColumn] == "" {
		return tokenkeep.Token{}, fmt.Errorf("a row has no id; give it one, or delete it: %w", tokenkeep.ErrDamaged)
	}
	var expires time.Time
	if text := r[expiryColumn]; text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return tokenkeep.Token{}, fmt.Errorf("in the row %q, expiry_time is no number of milliseconds; correct it, or delete the row: %w",
				r[idColumn], tokenkeep.ErrDamaged)
		}
		expires = time.UnixMilli(ms).UTC()
	}
	return tokenkeep.Token{
		ID: r[0], UserName: r[1], ClientID: r[2], ClientSecret: r[3], RefreshToken: r[4], AccessToken: r[5], GrantToken: r[6],
		ExpiresAt: expires, RedirectURL: r[8], APIDomain: r[9],
	}, nil
}

// tokensOf returns the rows that are tokens, and the joined errors of the others.
func tokensOf(rows []row) ([]tokenkeep.Token, error) {
	var tokens []tokenkeep.Token
	var errs []error
	for _, r := range rows {
		t, err := r.token()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		tokens = append(tokens, t)
	}
	return tokens, errors.Join(errs...)
}

// listOf returns rows as a list. One that is no token is ErrDamaged.
func listOf(rows []row) (*tokenkeep.List, error) {
	tokens, err := tokensOf(rows)
	if err != nil {
		return nil, err
	}
	return tokenkeep.NewList(tokens)
}
