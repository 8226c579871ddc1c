package oauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// canary is in every answer of a server that must not be quoted.
const canary = "CANARY"

// tokenServer is a token endpoint that answers with what answer returns.
func tokenServer(t *testing.T, answer http.HandlerFunc) (*oauth2.Config, context.Context) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	client := server.Client()
	t.Cleanup(client.CloseIdleConnections)
	return &oauth2.Config{
		ClientID: "id", ClientSecret: "s&cret", RedirectURL: "https://app.test/back", Scopes: []string{"one", "two"},
		Endpoint: oauth2.Endpoint{TokenURL: server.URL + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}, context.WithValue(t.Context(), oauth2.HTTPClient, client)
}

const basicAuth = "Basic aWQ6cyUyNmNyZXQ=" // id:s%26cret

var grantRequests = []struct {
	name   string
	change func(*oauth2.Config)
	params url.Values
	stored tokenkeep.Token
	want   url.Values
	auth   string
}{
	{"a refresh token", nil, nil, tokenkeep.Token{RefreshToken: "a0"},
		url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"a0"}}, basicAuth},
	{"a code goes first", nil, nil, tokenkeep.Token{GrantToken: "g0", RefreshToken: "a0"},
		url.Values{"grant_type": {"authorization_code"}, "code": {"g0"}, "redirect_uri": {"https://app.test/back"}}, basicAuth},
	{"a code with the stored redirect and PKCE", nil, nil, tokenkeep.Token{
		GrantToken: "g0", RedirectURL: "https://other.test", Extra: map[string]string{"code_verifier": "v"}},
		url.Values{"grant_type": {"authorization_code"}, "code": {"g0"}, "redirect_uri": {"https://other.test"}, "code_verifier": {"v"}}, basicAuth},
	{"the client's own credentials", nil, nil, tokenkeep.Token{ClientSecret: "s&cret"},
		url.Values{"grant_type": {"client_credentials"}, "scope": {"one two"}}, basicAuth},
	{"with the stored scopes", nil, nil, tokenkeep.Token{ClientSecret: "s&cret", Scopes: []string{"x"}},
		url.Values{"grant_type": {"client_credentials"}, "scope": {"x"}}, basicAuth},
	{"client and secret from the store", func(c *oauth2.Config) { c.ClientID, c.ClientSecret = "", "" }, nil,
		tokenkeep.Token{ClientID: "id", ClientSecret: "s&cret", RefreshToken: "a0"},
		url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"a0"}}, basicAuth},
	{"no secret of another client", func(c *oauth2.Config) { c.ClientSecret = "" }, nil,
		tokenkeep.Token{ClientID: "other", ClientSecret: "s&cret", RefreshToken: "a0"},
		url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"a0"}}, "Basic " + base64.StdEncoding.EncodeToString([]byte("id:"))},
	{"among the parameters", func(c *oauth2.Config) { c.Endpoint.AuthStyle = oauth2.AuthStyleInParams }, nil, tokenkeep.Token{RefreshToken: "a0"},
		url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"a0"}, "client_id": {"id"}, "client_secret": {"s&cret"}}, ""},
	{"a public client", func(c *oauth2.Config) { c.Endpoint.AuthStyle, c.ClientSecret = 0, "" }, nil, tokenkeep.Token{RefreshToken: "a0"},
		url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"a0"}, "client_id": {"id"}}, ""},
	{"more parameters, which replace none", nil, url.Values{"audience": {"api"}, "refresh_token": {"x"}}, tokenkeep.Token{RefreshToken: "a0"},
		url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"a0"}, "audience": {"api"}}, basicAuth},
}

func TestRequestsToATokenEndpoint(t *testing.T) {
	for _, tt := range grantRequests {
		t.Run(tt.name, func(t *testing.T) {
			var got url.Values
			var auth string
			config, ctx := tokenServer(t, func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				got, auth = r.PostForm, r.Header.Get("Authorization")
				_, _ = io.WriteString(w, `{"access_token":"at"}`)
			})
			if tt.change != nil {
				tt.change(config)
			}
			if _, err := NewConfigProvider(config, Traits{}, tt.params).Ask(ctx, tt.stored); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || auth != tt.auth {
				t.Errorf("Authorization %q, want %q; form (-want +got):\n%s", auth, tt.auth, diff)
			}
		})
	}
}

func TestATokenOfNobodyIsNotTheClients(t *testing.T) {
	config, ctx := tokenServer(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	_, err := NewConfigProvider(config, Traits{}, nil).Ask(ctx, tokenkeep.Token{UserName: "ann", AccessToken: "at"})
	wantErr(t, err, ErrReauthorize)
}

// The times of the table below.
var (
	askedAt   = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	hourLater = askedAt.Add(time.Hour)
)

const formKind, textKind = "application/x-www-form-urlencoded", "text/plain; charset=utf-8"

var answers = []struct {
	name, kind string
	status     int
	body       string
	want       tokenkeep.Token
	wantClass  tokenkeep.RefreshFailure
	wantWait   time.Duration
	retryAfter string
	wantCode   string
}{
	{name: "JSON", body: `{"access_token":"at","token_type":"Bearer","expires_in":3600}`, want: tokenkeep.Token{AccessToken: "at", ExpiresAt: hourLater}},
	{name: "an expiry in quotes", body: `{"access_token":"at","expires_in":"3600"}`, want: tokenkeep.Token{AccessToken: "at", ExpiresAt: hourLater}},
	{name: "an expiry with a fraction", body: `{"access_token":"at","expires_in":3600.0}`, want: tokenkeep.Token{AccessToken: "at", ExpiresAt: hourLater}},
	{name: "no expiry", body: `{"access_token":"at","expires_in":null,"scope":["x"],"user":{"a":1}}`, want: tokenkeep.Token{AccessToken: "at"}},
	{name: "a senseless expiry", body: `{"access_token":"at","expires_in":"soon"}`, want: tokenkeep.Token{AccessToken: "at"}},
	{name: "a new refresh token", body: `{"access_token":"at","refresh_token":"a1","refresh_token_expires_in":3600}`,
		want: tokenkeep.Token{AccessToken: "at", RefreshToken: "a1", RefreshExpiresAt: hourLater}},
	{name: "a form", kind: formKind, body: "access_token=at&expires_in=3600&refresh_token=a1", want: tokenkeep.Token{AccessToken: "at", ExpiresAt: hourLater, RefreshToken: "a1"}},
	{name: "a form called text", kind: textKind, body: "access_token=at&expires_in=3600", want: tokenkeep.Token{AccessToken: "at", ExpiresAt: hourLater}},
	{name: "JSON called text", kind: textKind, body: `{"access_token":"at"}`, want: tokenkeep.Token{AccessToken: "at"}},

	{name: "refused", status: 400, body: `{"error":"invalid_grant","error_description":"CANARY","error_uri":"CANARY"}`, wantClass: tokenkeep.Refused, wantCode: "invalid_grant"},
	{name: "refused with 200", body: `{"error":"invalid_grant","access_token":"CANARY"}`, wantClass: tokenkeep.Refused, wantCode: "invalid_grant"},
	{name: "refused in a form", kind: formKind, status: 400, body: `error=invalid_grant&x=CANARY`, wantClass: tokenkeep.Refused, wantCode: "invalid_grant"},
	{name: "a wrong secret", status: 401, body: `{"error":"invalid_client"}`, wantClass: tokenkeep.Misconfigured, wantCode: "invalid_client"},
	{name: "a client that may not", status: 400, body: `{"error":"unauthorized_client"}`, wantClass: tokenkeep.Misconfigured, wantCode: "unauthorized_client"},
	{name: "401 alone", status: 401, body: `CANARY`, wantClass: tokenkeep.Misconfigured},
	{name: "too often", status: 429, retryAfter: "120", body: canary, wantClass: tokenkeep.Throttled, wantWait: 2 * time.Minute},
	{name: "too often, until", status: 429, retryAfter: hourLater.Format(http.TimeFormat), wantClass: tokenkeep.Throttled, wantWait: time.Hour},
	{name: "too often, for ever", status: 429, retryAfter: "99999999999", wantClass: tokenkeep.Throttled, wantWait: maxRetryAfter},
	{name: "too often, in the past", status: 429, retryAfter: askedAt.Add(-time.Hour).Format(http.TimeFormat), wantClass: tokenkeep.Throttled},
	{name: "slower", status: 400, body: `{"error":"slow_down"}`, wantClass: tokenkeep.Throttled, wantCode: "slow_down"},
	{name: "later", status: 503, retryAfter: "5", body: `{"error":"temporarily_unavailable"}`, wantClass: tokenkeep.Throttled, wantWait: 5 * time.Second, wantCode: "temporarily_unavailable"},
	{name: "out of order", status: 503, retryAfter: "7", body: canary, wantClass: tokenkeep.Transient, wantWait: 7 * time.Second},
	{name: "out of order, with a code that is not believed", status: 500, body: `{"error":"invalid_grant"}`, wantClass: tokenkeep.Transient, wantCode: "invalid_grant"},
	{name: "a page", body: `<html>CANARY</html>`, wantClass: tokenkeep.Transient},
	{name: "an empty object", body: `{}`, wantClass: tokenkeep.Transient},
	{name: "not UTF-8", body: "{\"access_token\":\"\xff\"}", wantClass: tokenkeep.Transient},
	{name: "too long", body: `{"access_token":"at","x":"` + strings.Repeat("x", maxBody) + `"}`, wantClass: tokenkeep.Transient},
	{name: "a code that is none", status: 400, body: `{"error":"CANARY refused"}`, wantClass: tokenkeep.Transient},
	{name: "a code that echoes", status: 400, body: `{"error":"your_token_a_zero_is_bad"}`, wantClass: tokenkeep.Transient},
}

func TestAnswersOfATokenEndpoint(t *testing.T) {
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			config, ctx := tokenServer(t, func(w http.ResponseWriter, _ *http.Request) {
				kind := tt.kind
				if kind == "" {
					kind = "application/json"
				}
				w.Header().Set("Content-Type", kind)
				w.Header().Set("X-Note", canary)
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				if tt.status != 0 {
					w.WriteHeader(tt.status)
				}
				_, _ = io.WriteString(w, tt.body)
			})
			p := NewConfigProvider(config, Traits{}, nil).(*configProvider)
			p.now = func() time.Time { return askedAt }
			got, err := p.Ask(ctx, tokenkeep.Token{RefreshToken: "a_zero"})
			if tt.wantClass == "" {
				if diff := cmp.Diff(encode(t, tt.want), encode(t, got)); diff != "" || err != nil {
					t.Errorf("error %v, token (-want +got):\n%s", err, diff)
				}
				return
			}
			checkFailure(t, err, tt.wantClass, tt.wantWait, tt.wantCode)
		})
	}
}

func checkFailure(t *testing.T, err error, class tokenkeep.RefreshFailure, wait time.Duration, code string) {
	t.Helper()
	var failure *tokenkeep.RefreshError
	var retrieve *oauth2.RetrieveError
	if !errors.As(err, &failure) || failure.Failure != class || failure.RetryAfter != wait {
		t.Fatalf("error %v, want class %q and wait %v", err, class, wait)
	}
	if !errors.As(err, &retrieve) || len(retrieve.Body) != 0 || retrieve.ErrorCode != code || retrieve.Response == nil {
		t.Errorf("RetrieveError %v, want code %q and no body", retrieve, code)
	}
	for _, text := range []string{err.Error(), retrieve.Error(), fmt.Sprintf("%+v %#v", err, retrieve), fmt.Sprint(retrieve.Response.Header)} {
		if strings.Contains(text, canary) || strings.Contains(text, "a_zero") {
			t.Errorf("the server is quoted: %s", text)
		}
	}
}

func TestTheAuthStyleIsFound(t *testing.T) {
	var seen []string
	config, ctx := tokenServer(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if _, _, ok := r.BasicAuth(); ok {
			seen = append(seen, "header")
			w.WriteHeader(401)
			_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
			return
		}
		seen = append(seen, "params")
		_, _ = io.WriteString(w, `{"access_token":"at"}`)
	})
	config.Endpoint.AuthStyle = oauth2.AuthStyleAutoDetect
	p := NewConfigProvider(config, Traits{}, nil)
	for range 2 {
		if _, err := p.Ask(ctx, tokenkeep.Token{RefreshToken: "a0"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"header", "params", "params"}, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOtherErrorsDoNotRepeatTheRequest(t *testing.T) {
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInHeader} {
		for status, body := range map[int]string{400: `{"error":"invalid_grant"}`, 401: `no code`, 503: ``} {
			n := 0
			config, ctx := tokenServer(t, func(w http.ResponseWriter, _ *http.Request) {
				n++
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			})
			config.Endpoint.AuthStyle = style
			if _, err := NewConfigProvider(config, Traits{}, nil).Ask(ctx, tokenkeep.Token{RefreshToken: "a0"}); err == nil || n != 1 {
				t.Errorf("style %d, status %d: %d requests, error %v", style, status, n, err)
			}
		}
	}
}

// lateTransport sets the clock before it reads the body, as a slow connection would.
type lateTransport struct {
	before func(n int)
	read   []string
	resp   *http.Response
	n      int
}

func (l *lateTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	l.n++
	if l.before != nil {
		l.before(l.n)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", canary, err)
	}
	l.read = append(l.read, string(body))
	return l.resp, nil
}

func TestNothingIsSentAfterTheDeadline(t *testing.T) {
	start := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		before time.Duration // that passes before the request
		during time.Duration // until its body is sent
		begun  int
		sent   int
	}{
		{"in time", 0, 0, 2, 2},
		{"before the request", 11 * time.Second, 0, 0, 0},
		{"while it connects", 0, 11 * time.Second, 1, 0},
		{"before the second style", 0, 6 * time.Second, 2, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := start.Add(tt.before)
			transport := &lateTransport{resp: respond(401, `{"error":"invalid_client"}`), before: func(int) { now = now.Add(tt.during) }}
			config := &oauth2.Config{ClientID: "id", ClientSecret: "secret", Endpoint: oauth2.Endpoint{TokenURL: "https://accounts.test/token"}}
			p := NewConfigProvider(config, Traits{}, nil).(*configProvider)
			p.now = func() time.Time { return now }
			ctx := driver.WithNotAfter(t.Context(), start.Add(10*time.Second))
			ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				transport.resp.Body = io.NopCloser(bytes.NewReader([]byte(`{"error":"invalid_client"}`)))
				return transport.RoundTrip(r)
			})})
			_, err := p.Ask(ctx, tokenkeep.Token{RefreshToken: "a0"})
			if transport.n != tt.begun || len(transport.read) != tt.sent || err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("%d requests sent, want %d; error %v", len(transport.read), tt.sent, err)
			}
			if tt.sent < 2 {
				wantErr(t, err, errLate)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNoRedirectIsFollowed(t *testing.T) {
	n := 0
	config, ctx := tokenServer(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		http.Redirect(w, r, "/"+canary, http.StatusTemporaryRedirect)
	})
	_, err := NewConfigProvider(config, Traits{}, nil).Ask(ctx, tokenkeep.Token{RefreshToken: "a0"})
	checkFailure(t, err, tokenkeep.Misconfigured, 0, "")
	if n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestBrokenConnections(t *testing.T) {
	t.Run("not HTTP", func(t *testing.T) {
		config, ctx := tokenServer(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, canary+" is no HTTP\r\n\r\n")
			_ = conn.Close()
		})
		checkTransient(t, config, ctx)
	})
	t.Run("an answer that ends too soon", func(t *testing.T) {
		config, ctx := tokenServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, canary)
		})
		checkTransient(t, config, ctx)
	})
	t.Run("nobody listens", func(t *testing.T) {
		server := httptest.NewServer(nil)
		server.Close()
		checkTransient(t, &oauth2.Config{ClientID: "id", Endpoint: oauth2.Endpoint{TokenURL: server.URL}}, t.Context())
	})
	t.Run("the context ends", func(t *testing.T) {
		config, ctx := tokenServer(t, func(http.ResponseWriter, *http.Request) {})
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := NewConfigProvider(config, Traits{}, nil).Ask(ctx, tokenkeep.Token{RefreshToken: "a0"})
		wantErr(t, err, context.Canceled)
	})
	for _, endpoint := range []string{"", "://" + canary} {
		_, err := NewConfigProvider(&oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: endpoint}}, Traits{}, nil).Ask(t.Context(), tokenkeep.Token{RefreshToken: "a0"})
		var failure *tokenkeep.RefreshError
		if !errors.As(err, &failure) || failure.Failure != tokenkeep.Misconfigured || strings.Contains(err.Error(), canary) {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
	}
}

func checkTransient(t *testing.T, config *oauth2.Config, ctx context.Context) {
	t.Helper()
	_, err := NewConfigProvider(config, Traits{}, nil).Ask(ctx, tokenkeep.Token{RefreshToken: "a0"})
	var failure *tokenkeep.RefreshError
	if !errors.As(err, &failure) || failure.Failure != tokenkeep.Transient || strings.Contains(err.Error(), canary) {
		t.Errorf("error %v", err)
	}
}
