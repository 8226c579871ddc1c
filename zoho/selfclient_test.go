package zoho

import (
	"errors"
	"testing"

	"github.com/tokenkeep/tokenkeep"
)

func TestAGrantTokenOfASelfClientBecomesAStoredToken(t *testing.T) {
	a, store := newAccounts(t, accountsOptions{}), newStore()
	o := a.loginOptions()
	o.OpenBrowser, o.Scopes, o.DataCenter.AccountsURL = nil, nil, o.DataCenter.AccountsURL+"/"
	grant := a.grantToken()
	token, err := LoginWithGrant(t.Context(), store, o, grant)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store.FindToken(t.Context(), tokenkeep.Token{UserName: userEmail})
	if err != nil || stored.ID != token.ID || stored.AccountsURL != a.accounts.URL || stored.RedirectURL != "" ||
		stored.GrantToken != "" || !a.isGood(t, stored.AccessToken) {
		t.Errorf("the store has %v, %v; Login returned %v", stored, err, token)
	}
	if _, err := a.provider().Ask(t.Context(), stored); err != nil {
		t.Errorf("a refresh: %v", err)
	}
	if _, err := LoginWithGrant(t.Context(), store, o, grant); !errors.Is(err, tokenkeep.ErrReauthorize) {
		t.Errorf("the grant token a second time: %v; want ErrReauthorize", err)
	}
}

func TestAGrantTokenNeedsAClient(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	nobody := a.loginOptions()
	nobody.ClientSecret = ""
	for name, login := range map[string]func() (tokenkeep.Token, error){
		"no secret": func() (tokenkeep.Token, error) {
			return LoginWithGrant(t.Context(), newStore(), nobody, a.grantToken())
		},
		"no grant": func() (tokenkeep.Token, error) { return LoginWithGrant(t.Context(), newStore(), a.loginOptions(), "") },
	} {
		if _, err := login(); !errors.Is(err, tokenkeep.ErrInvalid) || a.count("authorization_code") != 0 {
			t.Errorf("%s: %v after %v; want ErrInvalid and no request", name, err, a.counts())
		}
	}
}
