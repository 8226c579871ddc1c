package zoho

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// LoginOptions says who logs in to what. ClientID, ClientSecret, Scopes and OpenBrowser are required. It prints without
// the secret.
type LoginOptions struct {
	ClientID, ClientSecret string

	// Scopes are what the token will be good for, such as ZohoCRM.modules.ALL. With ZohoCRM.users.READ among them the
	// token can be named after its user.
	Scopes []string

	// DataCenter is where the client is registered and the login begins. Zoho's redirect tells where the user is, and that is
	// where the token comes from; it is another one only if the client has multi-DC support. The zero value is US.
	DataCenter DataCenter

	// RedirectURL is where the browser comes back to, on this machine: http://127.0.0.1:PORT/PATH, or localhost. Zoho takes
	// only redirect URLs that are registered for the client, to the letter. Without a port, or with port 0, it is a free
	// one. Empty means http://127.0.0.1/callback with a free port.
	RedirectURL string

	// OpenBrowser shows a URL to the person who logs in. It may return at once. An error ends the login, unless the browser
	// has come back already; when the login ends first, nobody waits for OpenBrowser.
	OpenBrowser func(url string) error

	// UserName names the token. Empty means the user's e-mail address, for which Zoho CRM is asked.
	UserName string

	// HTTPClient sends the requests to Zoho. nil means one with a timeout of 30 seconds.
	HTTPClient *http.Client
}

// String returns the options without the secret.
func (o LoginOptions) String() string {
	return fmt.Sprintf("LoginOptions{ClientID: %q, Scopes: %q, DataCenter: %+v, RedirectURL: %q, UserName: %q}",
		o.ClientID, o.Scopes, o.DataCenter, o.RedirectURL, o.UserName)
}

// Format prints the options without the secret, whatever the verb.
func (o LoginOptions) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.String()) }

// LogValue returns the options without the secret.
func (o LoginOptions) LogValue() slog.Value { return slog.StringValue(o.String()) }

// nameTime is how long a login waits for Zoho CRM to name its user.
const nameTime = 10 * time.Second

// Login lets a person log in with a browser, saves the token in the store, and returns it as stored. It is the
// authorization code flow with state and PKCE (RFC 7636, S256), access_type=offline and prompt=consent, without which Zoho gives no
// refresh token (Zoho Accounts, "Get authorization code", for mobile and desktop apps). The browser comes back to a
// server on the loopback interface, which answers nobody else and shows nothing that it was sent.
//
// Login waits for the person until ctx ends. A redirect with a wrong state is turned away, and Login goes on waiting. It
// is ErrDenied if the person does not agree, and ErrAccountsServer if the redirect names an accounts server to which
// the code must not be sent. Errors of the accounts server are *tokenkeep.RefreshError, wrapped; wrong options are
// tokenkeep.ErrInvalid. An error of the store comes together with the token, which is good: save it.
//
// It takes two requests to Zoho, or one with UserName, beside those of the browser, and one SaveToken. A name that cannot be
// found out is left empty. A token that a user had before is replaced in the store, not revoked; Zoho ends the oldest of more than
// 20 refresh tokens by itself.
func Login(ctx context.Context, store tokenkeep.Store, o LoginOptions) (tokenkeep.Token, error) {
	token, err := login(ctx, store, o)
	if err != nil {
		err = &opError{"login", err}
	}
	return token, err
}

func login(ctx context.Context, store tokenkeep.Store, o LoginOptions) (tokenkeep.Token, error) {
	if o.DataCenter.AccountsURL == "" {
		o.DataCenter = US
	}
	if err := o.check(); err != nil {
		return tokenkeep.Token{}, err
	}
	switch {
	case len(o.Scopes) == 0:
		return tokenkeep.Token{}, fmt.Errorf("there are no Scopes: %w", tokenkeep.ErrInvalid)
	case o.OpenBrowser == nil:
		return tokenkeep.Token{}, fmt.Errorf("OpenBrowser is nil: %w", tokenkeep.ErrInvalid)
	}
	state, verifier := random(), random()
	back, err := listen(ctx, o.RedirectURL, state)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	defer back.close()
	query, err := back.wait(ctx, o.OpenBrowser, o.consentURL(back.url, state, verifier))
	if err != nil {
		return tokenkeep.Token{}, err
	}
	token, err := o.granted(query)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	token.RedirectURL = back.url
	return o.finish(ctx, store, token, verifier)
}

// finish exchanges the grant token of token, names the token after its user, and saves it.
func (o LoginOptions) finish(ctx context.Context, store tokenkeep.Store, token tokenkeep.Token, verifier string) (tokenkeep.Token, error) {
	provider := NewProvider(o.DataCenter, o.HTTPClient)
	token, err := provider.exchange(ctx, token, verifier)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	if token.UserName == "" {
		timed, cancel := context.WithTimeout(ctx, nameTime)
		defer cancel()
		token.UserName, _ = provider.CurrentUser(timed, token)
	}
	stored, err := store.SaveToken(ctx, token)
	if err != nil {
		return token, err
	}
	return stored, nil
}

func (o LoginOptions) check() error {
	if o.ClientID == "" || o.ClientSecret == "" {
		return fmt.Errorf("ClientID or ClientSecret is empty: %w", tokenkeep.ErrInvalid)
	}
	if _, err := origin(o.DataCenter.AccountsURL); err != nil {
		return fmt.Errorf("DataCenter.AccountsURL: %w: %w", err, tokenkeep.ErrInvalid)
	}
	return nil
}

// consentURL is where the person agrees.
func (o LoginOptions) consentURL(redirect, state, verifier string) string {
	challenge := sha256.Sum256([]byte(verifier))
	return strings.TrimSuffix(o.DataCenter.AccountsURL, "/") + "/oauth/v2/auth?" + url.Values{
		"response_type":         {"code"},
		"client_id":             {o.ClientID},
		"scope":                 {strings.Join(o.Scopes, ",")},
		"redirect_uri":          {redirect},
		"state":                 {state},
		"access_type":           {"offline"},
		"prompt":                {"consent"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}.Encode()
}

// granted makes a token with a grant token of what came back with the right state.
func (o LoginOptions) granted(query url.Values) (tokenkeep.Token, error) {
	switch code := query.Get("error"); {
	case code == "access_denied":
		return tokenkeep.Token{}, ErrDenied
	case code != "" || query.Get("code") == "":
		return tokenkeep.Token{}, errors.New("the browser came back with an error and no grant token; the page it showed before may tell more")
	}
	d, err := o.home(query.Get("accounts-server"), query.Get("location"))
	if err != nil {
		return tokenkeep.Token{}, err
	}
	return o.token(d, query.Get("code")), nil
}

// token is a token of a data center with a grant token.
func (o LoginOptions) token(d DataCenter, grant string) tokenkeep.Token {
	return tokenkeep.Token{
		UserName: o.UserName, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Scopes: slices.Clone(o.Scopes),
		GrantToken: grant, AccountsURL: d.AccountsURL, APIDomain: d.APIDomain,
	}
}

// home returns the data center that a redirect names by accounts-server and location (Zoho Accounts, "Using Multi DC in server
// and client-based apps"). Whoever can make a browser follow a link can write the two.
func (o LoginOptions) home(server, location string) (DataCenter, error) {
	begun := o.DataCenter
	begun.AccountsURL = strings.TrimSuffix(begun.AccountsURL, "/")
	named, isKnown := DataCenterByLocation(location)
	if server == "" {
		switch {
		case location == "" || named.AccountsURL == begun.AccountsURL:
			return begun, nil
		case isKnown:
			return named, nil
		}
		return DataCenter{}, fmt.Errorf("the redirect names a location that is not known: %w", ErrAccountsServer)
	}
	found, ok := DataCenterByAccountsURL(server)
	switch {
	case isKnown && named.AccountsURL != strings.TrimSuffix(server, "/"):
		return DataCenter{}, fmt.Errorf("accounts-server and location of the redirect do not belong together: %w", ErrAccountsServer)
	case strings.TrimSuffix(server, "/") == begun.AccountsURL:
		return begun, nil
	case ok:
		return found, nil
	}
	return DataCenter{}, fmt.Errorf("accounts-server of the redirect; if it is genuine, log in with its DataCenter: %w", ErrAccountsServer)
}

// exchange exchanges the grant token of t, and returns t with what came for it.
func (p *Provider) exchange(ctx context.Context, t tokenkeep.Token, verifier string) (tokenkeep.Token, error) {
	got, err := p.ask(ctx, t, verifier)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	if got.RefreshToken == "" {
		return tokenkeep.Token{}, errors.New("the accounts server gave an access token and no refresh token")
	}
	t.GrantToken = ""
	t.AccessToken, t.ExpiresAt, t.RefreshToken = got.AccessToken, got.ExpiresAt, got.RefreshToken
	if got.APIDomain != "" {
		t.APIDomain = got.APIDomain
	}
	return t, nil
}

// random returns 256 random bits.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
