package zoho

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tokenkeep/tokenkeep"
)

// Revoke ends the refresh token of a token, and with it the access tokens made from it; or the access token, where there is no
// refresh token: one POST to the accounts server of its data center ("Revoking a Refresh token",
// zoho.com/accounts/protocol/oauth/revoke-refresh-token.html).
//
// ErrAlreadyInvalid means that Zoho does not know the token: it was revoked before, perhaps by an attempt whose answer was
// lost, or it is of another data center, and lives on there. Other errors are *tokenkeep.RefreshError, wrapped; after a
// transient one the token may be revoked or not, and Revoke may be repeated. A token with neither is tokenkeep.ErrInvalid.
//
// The store is not asked and keeps the token: delete it there with DeleteToken.
func (p *Provider) Revoke(ctx context.Context, token tokenkeep.Token) error {
	if err := p.revoke(ctx, token); err != nil {
		return &opError{"revoke", err}
	}
	return nil
}

func (p *Provider) revoke(ctx context.Context, token tokenkeep.Token) error {
	credential := token.RefreshToken
	if credential == "" {
		credential = token.AccessToken
	}
	if credential == "" {
		return fmt.Errorf("there is no refresh token and no access token: %w", tokenkeep.ErrInvalid)
	}
	server, sure, err := p.accountsOf(token)
	if err != nil {
		return err
	}
	status, body, err := p.post(ctx, server+"/oauth/v2/token/revoke", url.Values{"token": {credential}})
	if err != nil {
		return err
	}
	a := readAnswer(body)
	if status == http.StatusOK && a.Status == "success" {
		return nil
	}
	failure := classify(status, a, hostOf(server), sure)
	if status == http.StatusBadRequest && failure.Failure != tokenkeep.Throttled {
		return ErrAlreadyInvalid
	}
	return failure
}
