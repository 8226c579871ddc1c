package zoho

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// Provider asks Zoho's accounts servers. Its methods are safe for concurrent use; none touches a store.
type Provider struct {
	home   DataCenter
	client *http.Client
	now    func() time.Time
}

var _ oauth.Provider = (*Provider)(nil)

var errNothingToAskWith = errors.New("the token has neither a grant nor a refresh token")

// NewProvider returns a provider. It does no I/O. home is where tokens belong that do not tell themselves, see
// Options.DataCenter. A nil client means one with a timeout of 30 seconds; of another one everything is used but CheckRedirect.
func NewProvider(home DataCenter, client *http.Client) *Provider {
	own := http.Client{Timeout: 30 * time.Second}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Provider{home: home, client: &own, now: time.Now}
}

// Traits tells that API requests want "Zoho-oauthtoken"; that refresh tokens stay, for they do not expire (help.zoho.com,
// "Will the refresh tokens expire?") and only an exchange brings one (Zoho's CRM SDKs 8.0); and that older access tokens live on: up to 15
// of a refresh token are live, then the oldest ends (CRM v8, "Token Validity"; Zoho Accounts, "Token Limits", says 10).
func (p *Provider) Traits() oauth.Traits { return oauth.Traits{Scheme: "Zoho-oauthtoken"} }

// Ask exchanges the grant token, if there is one, or else refreshes with the refresh token: one POST to the accounts
// server of the token's data center, as the package comment says. No redirect is followed.
//
// The answer has the access token with its expiry, the API domain where the token is good, and the refresh token if
// Zoho sent one, as it does in an exchange only. An answer counts as good if it has an access token, whatever its HTTP status,
// as in Zoho's CRM SDKs 8.0. An expiry that is missing is an hour from now, for Zoho's access tokens live no longer.
// The API domain of a data center that is not known is left out where nothing but a guess led to the server.
//
// Nothing is sent after driver.NotAfter(ctx), checked when a connection is there and the form is about to go. The errors
// are *tokenkeep.RefreshError; a token with neither credential is Refused, one without client ID or secret
// Misconfigured, and nothing is sent for these.
func (p *Provider) Ask(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
	return p.ask(ctx, stored, "")
}

// ask is Ask with the verifier of PKCE, if the grant token was asked for with a challenge.
func (p *Provider) ask(ctx context.Context, t tokenkeep.Token, verifier string) (tokenkeep.Token, error) {
	if t.ClientID == "" || t.ClientSecret == "" {
		return tokenkeep.Token{}, misconfigured("the token has no ClientID or no ClientSecret")
	}
	form := url.Values{"client_id": {t.ClientID}, "client_secret": {t.ClientSecret}}
	switch {
	case t.GrantToken != "":
		form.Set("grant_type", "authorization_code")
		form.Set("code", t.GrantToken)
		setIf(form, "redirect_uri", t.RedirectURL)
		setIf(form, "code_verifier", verifier)
	case t.RefreshToken != "":
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", t.RefreshToken)
	default:
		return tokenkeep.Token{}, &tokenkeep.RefreshError{Failure: tokenkeep.Refused, Err: errNothingToAskWith}
	}
	server, sure, err := p.accountsOf(t)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	asked := p.now()
	status, body, err := p.post(ctx, server+"/oauth/v2/token", form)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	a := readAnswer(body)
	if a.AccessToken == "" {
		// A refused grant token beside a refresh token is only the first of two tries, and the guess is about the second.
		sure = sure || t.GrantToken != "" && t.RefreshToken != ""
		return tokenkeep.Token{}, classify(status, a, hostOf(server), sure)
	}
	return a.token(asked, sure), nil
}

// accountsOf returns the accounts server of a token, and whether it is certain that the token belongs there.
func (p *Provider) accountsOf(t tokenkeep.Token) (server string, sure bool, err error) {
	if t.AccountsURL != "" {
		return certain("AccountsURL of the token", t.AccountsURL)
	}
	if d, ok := DataCenterByAPIDomain(t.APIDomain); ok {
		return d.AccountsURL, true, nil
	}
	switch {
	case p.home.AccountsURL != "":
		server, _, err := certain("AccountsURL of Options.DataCenter", p.home.AccountsURL)
		return server, t.APIDomain == "" || p.home.APIDomain == "" || strings.TrimSuffix(t.APIDomain, "/") == p.home.APIDomain, err
	case t.APIDomain != "":
		return "", false, misconfigured("the data center of API domain %q is not known: set the token's AccountsURL, or Options.DataCenter",
			t.APIDomain)
	}
	return US.AccountsURL, false, nil
}

func certain(what, accountsURL string) (string, bool, error) {
	server, err := origin(accountsURL)
	if err != nil {
		return "", false, misconfigured("%s: %w", what, err)
	}
	return server, true, nil
}

func setIf(form url.Values, key, value string) {
	if value != "" {
		form.Set(key, value)
	}
}

func hostOf(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	return host
}
