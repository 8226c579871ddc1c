package zoho

import (
	"context"
	"fmt"
	"strings"

	"github.com/tokenkeep/tokenkeep"
)

// LoginWithGrant is [Login] without a browser, by a grant token that Zoho's API console generated for a self client: it exchanges the
// grant token, saves the token in the store, and returns it as stored.
//
// DataCenter is the one of the console. OpenBrowser does not count, and Scopes are only noted on the token. RedirectURL is
// empty for a self client; for a grant token of another client it is the one that it was sent to.
//
// Calls and errors are those of Login. A grant token works once and for some minutes: one that is spent is
// tokenkeep.ErrReauthorize, and an empty one tokenkeep.ErrInvalid.
func LoginWithGrant(ctx context.Context, store tokenkeep.Store, o LoginOptions, grant string) (tokenkeep.Token, error) {
	token, err := loginWithGrant(ctx, store, o, grant)
	if err != nil {
		err = &opError{"login with a grant token", err}
	}
	return token, err
}

func loginWithGrant(ctx context.Context, store tokenkeep.Store, o LoginOptions, grant string) (tokenkeep.Token, error) {
	if o.DataCenter.AccountsURL == "" {
		o.DataCenter = US
	}
	if err := o.check(); err != nil {
		return tokenkeep.Token{}, err
	}
	if grant == "" {
		return tokenkeep.Token{}, fmt.Errorf("the grant token is empty: %w", tokenkeep.ErrInvalid)
	}
	d := o.DataCenter
	d.AccountsURL = strings.TrimSuffix(d.AccountsURL, "/")
	token := o.token(d, grant)
	token.RedirectURL = o.RedirectURL
	return o.finish(ctx, store, token, "")
}
