package zoho

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tokenkeep/tokenkeep"
)

// CurrentUser returns the e-mail address of the user whose token this is, the name under which Zoho's SDKs store tokens:
// one GET of /crm/v8/users?type=CurrentUser at the token's API domain. It needs an access token that has not expired, with the scope
// ZohoCRM.users.READ.
//
// tokenkeep.ErrPermission means that Zoho CRM refuses the access token for this, for want of the scope or for good. Other errors
// mean that CRM did not answer, or not with one user.
func (p *Provider) CurrentUser(ctx context.Context, token tokenkeep.Token) (string, error) {
	email, err := p.currentUser(ctx, token)
	if err != nil {
		return "", &opError{"current user", err}
	}
	return email, nil
}

func (p *Provider) currentUser(ctx context.Context, token tokenkeep.Token) (string, error) {
	if token.AccessToken == "" {
		return "", fmt.Errorf("there is no access token: %w", tokenkeep.ErrInvalid)
	}
	domain, err := origin(p.apiDomainOf(token))
	if err != nil {
		return "", fmt.Errorf("API domain: %w: %w", err, tokenkeep.ErrInvalid)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, domain+"/crm/v8/users?type=CurrentUser", nil)
	if err != nil {
		return "", errOrigin
	}
	req.Header.Set("Authorization", p.Traits().Scheme+" "+token.AccessToken)
	status, body, err := p.send(req)
	if err != nil {
		return "", err
	}
	switch status {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return "", fmt.Errorf("%s answered HTTP %d; is the scope ZohoCRM.users.READ there? %w", hostOf(domain), status, tokenkeep.ErrPermission)
	default:
		return "", fmt.Errorf("%s answered HTTP %d", hostOf(domain), status)
	}
	var answer struct {
		Users []struct {
			Email text `json:"email"`
		} `json:"users"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Users) != 1 || answer.Users[0].Email == "" {
		return "", fmt.Errorf("%s did not answer with one user that has an e-mail address", hostOf(domain))
	}
	return string(answer.Users[0].Email), nil
}

// apiDomainOf returns where a token is good, or nothing if that cannot be told.
func (p *Provider) apiDomainOf(t tokenkeep.Token) string {
	if t.APIDomain != "" {
		return t.APIDomain
	}
	if d, ok := DataCenterByAccountsURL(t.AccountsURL); ok && d.AccountsURL != p.home.AccountsURL {
		return d.APIDomain
	}
	switch {
	case t.AccountsURL != "" && t.AccountsURL != p.home.AccountsURL:
		return ""
	case p.home.AccountsURL != "":
		return p.home.APIDomain
	}
	return US.APIDomain
}
