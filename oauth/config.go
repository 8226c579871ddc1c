package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// configProvider asks an OAuth 2 endpoint.
type configProvider struct {
	clientID, clientSecret string
	redirectURL            string
	endpoint               oauth2.Endpoint
	scopes                 []string
	params                 url.Values
	traits                 Traits
	now                    func() time.Time

	inParams atomic.Bool // the endpoint wants the client's secret among the parameters
}

// NewConfigProvider returns the Provider of any OAuth 2 token endpoint, which Options.Config makes with Traits{Rotates: true}. Use
// it to say more of the server; config and params are as Options.Config and Options.EndpointParams, and both are copied.
//
// The grant is the stored token's: authorization_code with the redirect URL, and with the PKCE verifier where the token's Extra has
// "code_verifier"; refresh_token; or client_credentials with the scopes. The last only where the token, or the query of
// the source, has the client's secret itself: a user's token without a refresh token must not become the client's own.
//
// Where config.Endpoint.AuthStyle is zero, the client's secret goes into the header, and once more into the parameters if the answer is
// invalid_client; what works is remembered. No redirect is followed. The HTTP client is the context's, under oauth2.HTTPClient.
//
// No text of the server is in an error, but for the code, such as invalid_grant. errors.As finds an *oauth2.RetrieveError with
// code and status.
func NewConfigProvider(config *oauth2.Config, traits Traits, params url.Values) Provider {
	p := &configProvider{traits: traits, params: maps.Clone(params), now: time.Now}
	if config != nil {
		p.clientID, p.clientSecret, p.redirectURL = config.ClientID, config.ClientSecret, config.RedirectURL
		p.endpoint, p.scopes = config.Endpoint, slices.Clone(config.Scopes)
	}
	return p
}

// Format prints the endpoint's host.
func (p *configProvider) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "oauth.Provider{%s}", hostOf(p.endpoint.TokenURL))
}

func (p *configProvider) Traits() Traits { return p.traits }

// Ask sends the request of a stored token, and repeats it at most once: where the client was not recognised.
func (p *configProvider) Ask(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
	r := request{form: url.Values{}, id: p.clientID, secret: p.clientSecret}
	if r.id == "" {
		r.id = stored.ClientID
	}
	if r.secret == "" && r.id == stored.ClientID {
		r.secret = stored.ClientSecret
	}
	if err := p.grant(r.form, stored); err != nil {
		return tokenkeep.Token{}, err
	}
	for key, values := range p.params {
		if !r.form.Has(key) {
			r.form[key] = values
		}
	}
	unknown := p.endpoint.AuthStyle == oauth2.AuthStyleAutoDetect
	r.inParams = p.endpoint.AuthStyle == oauth2.AuthStyleInParams || unknown && (r.secret == "" || p.inParams.Load())
	t, err := p.send(ctx, r)
	if !unknown || r.inParams || codeOf(err) != "invalid_client" {
		return t, err
	}
	r.inParams = true
	t, err = p.send(ctx, r)
	if err == nil || codeOf(err) != "" && codeOf(err) != "invalid_client" {
		p.inParams.Store(true)
	}
	return t, err
}

// grant puts the credential of a stored token into the form.
func (p *configProvider) grant(form url.Values, stored tokenkeep.Token) error {
	set := func(key, value string) {
		if value != "" {
			form.Set(key, value)
		}
	}
	switch {
	case stored.GrantToken != "":
		set("grant_type", "authorization_code")
		set("code", stored.GrantToken)
		set("redirect_uri", p.redirectURL)
		set("redirect_uri", stored.RedirectURL)
		set("code_verifier", stored.Extra["code_verifier"])
	case stored.RefreshToken != "":
		set("grant_type", "refresh_token")
		set("refresh_token", stored.RefreshToken)
	case stored.ClientSecret != "":
		set("grant_type", "client_credentials")
		set("scope", strings.Join(p.scopes, " "))
		set("scope", strings.Join(stored.Scopes, " "))
	default:
		return &tokenkeep.RefreshError{Failure: tokenkeep.Refused, Err: errors.New("the token has no refresh token; log in again, and ask the provider for one")}
	}
	return nil
}

// request is what is sent to a token endpoint.
type request struct {
	form       url.Values
	id, secret string
	inParams   bool
}

var errLate = tokenkeep.ErrTooLate

// send sends one request, unless it is too late.
func (p *configProvider) send(ctx context.Context, r request) (tokenkeep.Token, error) {
	hr, err := p.httpRequest(ctx, r)
	if err != nil {
		return tokenkeep.Token{}, &tokenkeep.RefreshError{Failure: tokenkeep.Misconfigured, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return tokenkeep.Token{}, &tokenkeep.RefreshError{Failure: tokenkeep.Transient, Err: err}
	}
	if p.late(ctx) {
		return tokenkeep.Token{}, &tokenkeep.RefreshError{Failure: tokenkeep.Transient, Err: errLate}
	}
	asked := p.now()
	resp, err := p.client(ctx).Do(hr)
	if err != nil {
		return tokenkeep.Token{}, &tokenkeep.RefreshError{Failure: tokenkeep.Transient, Err: fmt.Errorf("%s: %w", hostOf(p.endpoint.TokenURL), withoutText(err))}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return tokenkeep.Token{}, &tokenkeep.RefreshError{Failure: tokenkeep.Transient, Err: fmt.Errorf("%s: %w", hostOf(p.endpoint.TokenURL), withoutText(err))}
	}
	return decodeAnswer(hr.URL.Host, resp, body, asked, r.credentials())
}

func (p *configProvider) httpRequest(ctx context.Context, r request) (*http.Request, error) {
	if p.endpoint.TokenURL == "" {
		return nil, errors.New("Config.Endpoint.TokenURL is empty")
	}
	form := r.form
	if r.inParams {
		form = maps.Clone(form)
		form.Set("client_id", r.id)
		if r.secret != "" {
			form.Set("client_secret", r.secret)
		}
	}
	text := form.Encode()
	body := func() (io.ReadCloser, error) {
		return &timedBody{strings.NewReader(text), func() bool { return p.late(ctx) }}, nil
	}
	first, _ := body()
	hr, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint.TokenURL, first)
	if err != nil {
		return nil, errors.New("Config.Endpoint.TokenURL is not a URL") // the error would quote it
	}
	hr.ContentLength, hr.GetBody = int64(len(text)), body
	hr.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	hr.Header.Set("Accept", "application/json")
	if !r.inParams {
		hr.SetBasicAuth(url.QueryEscape(r.id), url.QueryEscape(r.secret))
	}
	return hr, nil
}

// late reports whether nothing may be sent any more, by the wall clock.
func (p *configProvider) late(ctx context.Context) bool {
	until, ok := driver.NotAfter(ctx)
	return ok && p.now().Round(0).After(until)
}

// client is the HTTP client of the context, which follows no redirect: a deadline is to be checked before every send, and a
// credential goes nowhere else.
func (p *configProvider) client(ctx context.Context) *http.Client {
	client := http.Client{}
	if given, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok && given != nil {
		client = *given
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// timedBody is a body that is not sent late, however long it took to connect and however often the transport tries.
type timedBody struct {
	io.Reader
	late func() bool
}

// Read reads on, unless it is too late.
func (b *timedBody) Read(p []byte) (int, error) {
	if b.late() {
		return 0, errLate
	}
	return b.Reader.Read(p)
}

// Close does nothing.
func (b *timedBody) Close() error { return nil }

// credentials are what must not be found in an error text.
func (r request) credentials() []string {
	return []string{r.secret, r.form.Get("code"), r.form.Get("refresh_token"), r.form.Get("code_verifier")}
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the token endpoint"
	}
	return u.Host
}
