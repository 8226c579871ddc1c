package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/zoho"
)

// revokeTime is how long a token is revoked for that the store did not take, whatever has ended meanwhile.
const revokeTime = 30 * time.Second

// keepOrRevoke saves a token that a login brought and the store did not take, as far as the store has room for it, and
// returns it as stored. Else it revokes the token, so that no credential is left that nobody keeps.
func keepOrRevoke(ctx context.Context, store tokenkeep.Store, t tokenkeep.Token, cause error) (tokenkeep.Token, error) {
	if less, ok := inZohosColumns(t); ok && errors.Is(cause, tokenkeep.ErrInvalid) {
		stored, err := store.SaveToken(ctx, less)
		if err == nil {
			return stored, nil
		}
		cause = err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTime)
	defer cancel()
	err := zoho.NewProvider(zoho.DataCenter{}, nil).Revoke(ctx, t)
	if err != nil && !errors.Is(err, zoho.ErrAlreadyInvalid) {
		return tokenkeep.Token{}, errors.Join(fmt.Errorf("the store did not take the token: %w", cause),
			fmt.Errorf("and it is not revoked; the user can end the access of the client on the pages of the Zoho account: %w", err))
	}
	return tokenkeep.Token{}, fmt.Errorf("the store did not take the token, so that it is revoked again: %w", cause)
}

// inZohosColumns returns a token without what has no column in the file and the table of Zoho's SDKs, if nothing depends on that:
// the API domain must tell the accounts server.
func inZohosColumns(t tokenkeep.Token) (tokenkeep.Token, bool) {
	d, ok := zoho.DataCenterByAPIDomain(t.APIDomain)
	if !ok || d.AccountsURL != t.AccountsURL {
		return t, false
	}
	t.AccountsURL, t.Scopes = "", nil
	return t, true
}
