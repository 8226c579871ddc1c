package zoho

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
)

func TestRevokeEndsARefreshToken(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	p, token := a.provider(), a.login()
	got, err := p.Ask(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	token.AccessToken = got.AccessToken
	if err := p.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if a.isGood(t, got.AccessToken) {
		t.Error("the access token is good")
	}
	if _, err := p.Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Refused {
		t.Errorf("a refresh after it: %v; want it refused", err)
	}
	if err := p.Revoke(t.Context(), token); !errors.Is(err, ErrAlreadyInvalid) {
		t.Errorf("the second Revoke: %v; want ErrAlreadyInvalid", err)
	}
}

func TestRevokeEndsAnAccessTokenWhereThereIsNoRefreshToken(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	token := a.login()
	got, err := a.provider().Ask(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.provider().Revoke(t.Context(), tokenkeep.Token{AccessToken: got.AccessToken}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.provider().Ask(t.Context(), token); a.isGood(t, got.AccessToken) || err != nil {
		t.Errorf("want the access token ended and the refresh token good: %v", err)
	}
}

func TestWhatAnswersToRevokeMean(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   error
		class  tokenkeep.RefreshFailure
	}{
		{"invalid, without a body", 400, ``, ErrAlreadyInvalid, ""},
		{"invalid, with a code", 400, `{"error":"invalid_code"}`, ErrAlreadyInvalid, ""},
		{"throttled", 400, `{"error":"Access Denied","status":"failure"}`, tokenkeep.ErrThrottled, tokenkeep.Throttled},
		{"an outage", 500, `canary`, nil, tokenkeep.Transient},
		{"HTTP 200 and no success", 200, `{"status":"failure"}`, nil, tokenkeep.Transient},
		{"success with an error status", 500, `{"status":"success"}`, nil, tokenkeep.Transient},
	}
	var status int
	var body string
	a := newAccounts(t, accountsOptions{answer: func() (int, string) { return status, body }})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body = tt.status, tt.body
			err := a.provider().Revoke(t.Context(), a.login())
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) ||
				!strings.HasPrefix(err.Error(), "zoho: revoke: ") || strings.Contains(err.Error(), "refresh: ") {
				t.Errorf("Revoke = %v, want %v", err, tt.want)
			}
			if tt.class != "" && failureOf(t, err) != tt.class {
				t.Errorf("Revoke = %v, want %q", err, tt.class)
			}
		})
	}
	if err := a.provider().Revoke(t.Context(), tokenkeep.Token{ClientID: clientID}); !errors.Is(err, tokenkeep.ErrInvalid) {
		t.Errorf("Revoke of nothing = %v; want ErrInvalid", err)
	}
}

func TestCurrentUserIsAnEmailAddress(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	p := a.provider()
	token, err := p.Ask(t.Context(), a.login())
	if err != nil {
		t.Fatal(err)
	}
	if email, err := p.CurrentUser(t.Context(), token); email != userEmail || err != nil {
		t.Errorf("CurrentUser = %q, %v; want %q", email, err, userEmail)
	}
	token.APIDomain = "" // that of the provider's data center
	if email, err := p.CurrentUser(t.Context(), token); email != userEmail || err != nil {
		t.Errorf("CurrentUser without an API domain = %q, %v; want %q", email, err, userEmail)
	}
	a.options.noUsers = true
	if _, err := p.CurrentUser(t.Context(), token); !errors.Is(err, tokenkeep.ErrPermission) || !strings.Contains(err.Error(), "ZohoCRM.users.READ") {
		t.Errorf("CurrentUser without the scope: %v; want ErrPermission that names it", err)
	}
	for name, bad := range map[string]tokenkeep.Token{
		"no access token": {APIDomain: a.api.URL},
		"plain HTTP":      {AccessToken: "canary", APIDomain: "http://www.zohoapis.com"},
		"an accounts server of no one knows what": {AccessToken: "canary", AccountsURL: "https://accounts.zoho.sg"},
	} {
		if _, err := p.CurrentUser(t.Context(), bad); !errors.Is(err, tokenkeep.ErrInvalid) {
			t.Errorf("%s: %v; want ErrInvalid", name, err)
		}
	}
}

func TestWhatIsNoCurrentUser(t *testing.T) {
	for _, body := range []string{``, `canary`, `{"users":[]}`, `{"users":[{"email":""}]}`, `{"users":[{"email":"a"},{"email":"canary"}]}`} {
		p := NewProvider(US, &http.Client{Transport: &elsewhere{body: body}})
		if email, err := p.CurrentUser(t.Context(), tokenkeep.Token{AccessToken: "canary"}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("CurrentUser of %s = %q, %v; want an error without its text", body, email, err)
		}
	}
}

func TestWhereAUserIsLookedFor(t *testing.T) {
	tests := []struct {
		token tokenkeep.Token
		home  DataCenter
		want  string
	}{
		{tokenkeep.Token{APIDomain: "https://sandbox.zohoapis.in", AccountsURL: EU.AccountsURL}, JP, "https://sandbox.zohoapis.in"},
		{tokenkeep.Token{AccountsURL: EU.AccountsURL}, JP, EU.APIDomain},
		{tokenkeep.Token{AccountsURL: EU.AccountsURL}, EU.Sandbox(), EU.Sandbox().APIDomain},
		{tokenkeep.Token{}, JP, JP.APIDomain},
		{tokenkeep.Token{}, DataCenter{}, US.APIDomain},
		{tokenkeep.Token{}, DataCenter{AccountsURL: "https://accounts.zoho.sg"}, ""},
	}
	for _, tt := range tests {
		if got := NewProvider(tt.home, nil).apiDomainOf(tt.token); got != tt.want {
			t.Errorf("the API domain of %v at %s is %q, want %q", tt.token, tt.home.Name, got, tt.want)
		}
	}
}
