package zoho

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// failureOf returns the class of a provider's error, and checks that it gives no credential away.
func failureOf(t *testing.T, err error) tokenkeep.RefreshFailure {
	t.Helper()
	if err == nil {
		return ""
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the error holds a credential or a text of the server: %v", err)
	}
	var failure *tokenkeep.RefreshError
	if !errors.As(err, &failure) {
		t.Errorf("the error is no *RefreshError: %v", err)
		return ""
	}
	return failure.Failure
}

func TestARefreshBringsAccessTokenExpiryAndDomain(t *testing.T) {
	for _, oldStyle := range []bool{false, true} {
		a := newAccounts(t, accountsOptions{oldStyle: oldStyle})
		got, err := a.provider().Ask(t.Context(), a.login())
		if err != nil {
			t.Fatal(err)
		}
		if !got.ExpiresAt.Equal(a.clock.now().Add(time.Hour)) || got.APIDomain != a.api.URL || got.RefreshToken != "" || !a.isGood(t, got.AccessToken) {
			t.Errorf("with expires_in_sec %t: %v, expiry %v; want a good access token for an hour, and no refresh token", oldStyle, got, got.ExpiresAt)
		}
	}
}

func TestAGrantTokenIsExchangedFirst(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	token := a.login()
	token.GrantToken = a.grantToken()
	got, err := a.provider().Ask(t.Context(), token)
	if err != nil || got.RefreshToken == "" || got.RefreshToken == token.RefreshToken || got.AccessToken == "" {
		t.Fatalf("the exchange: %v, %v; want an access token and a new refresh token", got, err)
	}
	if a.count("authorization_code") != 1 || a.count("refresh_token") != 0 {
		t.Errorf("the requests were %v; want one exchange", a.counts())
	}
	if _, err := a.provider().Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Refused || !errors.Is(err, oauth.ErrReauthorize) {
		t.Errorf("the grant token again: %v; want it refused", err)
	}
}

func TestARedirectURLGoesWithTheGrantToken(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	token := a.login()
	token.GrantToken = a.grantToken()
	a.grants[token.GrantToken].redirect = "https://app.example/back?a=b&c=d"
	_, err := a.provider().Ask(t.Context(), token)
	if failureOf(t, err) != tokenkeep.Misconfigured || !strings.Contains(err.Error(), "RedirectURL") {
		t.Errorf("without a redirect URL: %v; want it told", err)
	}
	token.RedirectURL = "https://app.example/back?a=b&c=d"
	if _, err := a.provider().Ask(t.Context(), token); err != nil {
		t.Error(err)
	}
}

func TestWhatAnswersMean(t *testing.T) {
	const throttle = `{"error_description":"canary too many","error":"Access Denied","status":"failure"}`
	tests := []struct {
		name   string
		status int
		body   string
		want   tokenkeep.RefreshFailure
	}{
		{"a refresh token that was revoked", 200, `{"error":"invalid_code"}`, tokenkeep.Refused},
		{"the same with HTTP 400", 400, `{"error":"invalid_code"}`, tokenkeep.Refused},
		{"the code of RFC 6749", 400, `{"error":"invalid_grant","error_description":"canary"}`, tokenkeep.Refused},
		{"another client", 200, `{"error":"invalid_client"}`, tokenkeep.Misconfigured},
		{"another secret", 200, `{"error":"invalid_client_secret"}`, tokenkeep.Misconfigured},
		{"throttled", 400, throttle, tokenkeep.Throttled},
		{"throttled with HTTP 200", 200, throttle, tokenkeep.Throttled},
		{"throttled in Chinese", 400, `{"error":"访问被拒绝canary","status":"failure"}`, tokenkeep.Throttled},
		{"throttled in German", 200, `{"error":"Zugriff verweigert","status":"failure"}`, tokenkeep.Throttled},
		{"throttled without a status", 400, `{"error":"access_denied"}`, tokenkeep.Throttled},
		{"too many requests", 429, `canary`, tokenkeep.Throttled},
		{"a failure that is known is no throttling", 200, `{"error":"invalid_code","status":"failure"}`, tokenkeep.Refused},
		{"Zoho does not know", 200, `{"error":"general_error"}`, tokenkeep.Transient},
		{"an outage", 503, `<html>canary</html>`, tokenkeep.Transient},
		{"an outage that says failure", 500, `{"error":"canary","status":"failure"}`, tokenkeep.Transient},
		{"a code that nobody knows", 400, `{"error":"canary_error"}`, tokenkeep.Transient},
		{"a refusal during an outage", 502, `{"error":"invalid_code"}`, tokenkeep.Transient},
		{"no JSON", 200, `canary`, tokenkeep.Transient},
		{"nothing", 200, ``, tokenkeep.Transient},
		{"an access token that is none", 200, `{"access_token":{"canary":1}}`, tokenkeep.Transient},
		{"an empty access token", 200, `{"access_token":"","expires_in":3600}`, tokenkeep.Transient},
		{"more than is read", 200, `{"access_token":"canary"}` + strings.Repeat(" ", maxBody), tokenkeep.Transient},
		{"an access token", 200, `{"access_token":"good"}`, ""},
		{"an access token with HTTP 400", 400, `{"access_token":"good","error":"general_error"}`, ""},
		{"an access token beside odd fields", 200, `{"access_token":"good","api_domain":[1],"expires_in":{}}`, ""},
	}
	var status int
	var body string
	a := newAccounts(t, accountsOptions{answer: func() (int, string) { return status, body }})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body = tt.status, tt.body
			got, err := a.provider().Ask(t.Context(), a.login())
			if failure := failureOf(t, err); failure != tt.want || (got.AccessToken == "good") != (tt.want == "") {
				t.Errorf("Ask = %v, %v; want %q", got, err, tt.want)
			}
			var failure *tokenkeep.RefreshError
			if errors.As(err, &failure) && (failure.RetryAfter == 10*time.Minute) != (tt.want == tokenkeep.Throttled) {
				t.Errorf("RetryAfter is %v", failure.RetryAfter)
			}
		})
	}
}

func TestTheLifeOfAnAccessToken(t *testing.T) {
	tests := []struct {
		fields string
		want   time.Duration
	}{
		{`"expires_in":1800`, 30 * time.Minute},
		{`"expires_in":"1800"`, 30 * time.Minute},
		{`"expires_in_sec":1800,"expires_in":1800000`, 30 * time.Minute},
		{`"expires_in_sec":"1800","expires_in":"1800000"`, 30 * time.Minute},
		{`"x":1`, time.Hour},
		{`"expires_in":0`, time.Hour},
		{`"expires_in":-5`, time.Hour},
		{`"expires_in":"soon"`, time.Hour},
		{`"expires_in":1e300`, time.Hour},
		{`"expires_in":"NaN"`, time.Hour},
		{`"expires_in":null`, time.Hour},
	}
	for _, tt := range tests {
		if got := readAnswer([]byte("{" + tt.fields + "}")).life(); got != tt.want {
			t.Errorf("%s is a life of %v, want %v", tt.fields, got, tt.want)
		}
	}
}

// elsewhere is a transport that remembers the hosts it was asked for and answers for all of them.
type elsewhere struct {
	body   string
	hosts  []string
	header string // Authorization of the last request
	again  string // its body, as it would be sent again
}

func (e *elsewhere) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
	}
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		again, _ := io.ReadAll(body)
		e.again = string(again)
	}
	e.header = req.Header.Get("Authorization")
	e.hosts = append(e.hosts, req.URL.Scheme+"://"+req.URL.Host)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(e.body)), Request: req}, nil
}

func TestWhereATokenIsRefreshed(t *testing.T) {
	const sg = "https://accounts.zoho.sg"
	tests := []struct {
		name             string
		accounts, domain string
		home             DataCenter
		want             string // the server; empty: nothing is sent
		refused          tokenkeep.RefreshFailure
		learned          bool
	}{
		{"the token's accounts server first", sg, EU.APIDomain, IN, sg, tokenkeep.Refused, true},
		{"then its API domain", "", EU.Sandbox().APIDomain, IN, EU.AccountsURL, tokenkeep.Refused, true},
		{"then the data center of the options", "", "", IN, IN.AccountsURL, tokenkeep.Refused, true},
		{"an unknown one of the options", "", "https://www.zohoapis.sg", DataCenter{"SG", sg, "https://www.zohoapis.sg"}, sg, tokenkeep.Refused, true},
		{"an unknown domain beside it is a guess", "", "https://www.zohoapis.xy", IN, IN.AccountsURL, tokenkeep.Misconfigured, false},
		{"then it is a guess", "", "", DataCenter{}, US.AccountsURL, tokenkeep.Misconfigured, false},
		{"an unknown API domain alone is not guessed", "", "https://www.zohoapis.sg", DataCenter{}, "", "", false},
		{"plain HTTP is for this machine", "http://accounts.zoho.eu", "", DataCenter{}, "", "", false},
		{"no path", "https://accounts.zoho.eu/oauth/v2/token", "", DataCenter{}, "", "", false},
		{"no plain HTTP in the options either", "", "", DataCenter{"EU", "http://accounts.zoho.eu", ""}, "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &elsewhere{body: `{"error":"invalid_code"}`}
			p := NewProvider(tt.home, &http.Client{Transport: e})
			token := tokenkeep.Token{ClientID: "c", ClientSecret: "s", RefreshToken: "r", AccountsURL: tt.accounts, APIDomain: tt.domain}
			_, err := p.Ask(t.Context(), token)
			if tt.want == "" {
				if failureOf(t, err) != tokenkeep.Misconfigured || len(e.hosts) > 0 {
					t.Errorf("Ask = %v, after requests to %q; want Misconfigured and none", err, e.hosts)
				}
				return
			}
			if len(e.hosts) != 1 || e.hosts[0] != tt.want || failureOf(t, err) != tt.refused {
				t.Errorf("Ask = %v, after requests to %q; want %q of %s", err, e.hosts, tt.refused, tt.want)
			}
			e.body = `{"access_token":"a","api_domain":"https://api.zoho.xy"}`
			if got, _ := p.Ask(t.Context(), token); (got.APIDomain != "") != tt.learned {
				t.Errorf("the unknown API domain of the answer is %q; want it kept: %t", got.APIDomain, tt.learned)
			}
			e.body = `{"access_token":"a","api_domain":"https://www.zohoapis.jp"}`
			if got, _ := p.Ask(t.Context(), token); got.APIDomain != JP.APIDomain {
				t.Errorf("the known API domain of the answer is %q", got.APIDomain)
			}
			e.body = `{"access_token":"a","api_domain":"http://www.zohoapis.jp"}`
			if got, err := p.Ask(t.Context(), token); got.APIDomain != "" || err != nil {
				t.Errorf("an API domain by plain HTTP is %q, %v; want it left out", got.APIDomain, err)
			}
		})
	}
}

func TestARefusedGrantTokenBesideARefreshTokenIsRefusedEvenByAGuess(t *testing.T) {
	e := &elsewhere{body: `{"error":"invalid_code"}`}
	p := NewProvider(DataCenter{}, &http.Client{Transport: e})
	token := tokenkeep.Token{ClientID: "c", ClientSecret: "s", GrantToken: "g"}
	if _, err := p.Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Misconfigured {
		t.Errorf("alone: %v; want Misconfigured", err)
	}
	token.RefreshToken = "r"
	if _, err := p.Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Refused {
		t.Errorf("beside a refresh token: %v; want Refused, so that that one is tried", err)
	}
}

func TestWhatIsMissingIsToldWithoutARequest(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	tests := []struct {
		name  string
		token tokenkeep.Token
		want  tokenkeep.RefreshFailure
	}{
		{"no client", tokenkeep.Token{ClientSecret: "canary", RefreshToken: "canary"}, tokenkeep.Misconfigured},
		{"no secret", tokenkeep.Token{ClientID: "c", RefreshToken: "canary"}, tokenkeep.Misconfigured},
		{"no credential", tokenkeep.Token{ClientID: "c", ClientSecret: "canary", AccessToken: "canary"}, tokenkeep.Refused},
	}
	for _, tt := range tests {
		if _, err := a.provider().Ask(t.Context(), tt.token); failureOf(t, err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if n := a.counts(); len(n) > 0 {
		t.Errorf("there were requests: %v", n)
	}
}

func TestNothingIsSentWhenItIsTooLate(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	limit := a.clock.now()
	ctx := driver.WithNotAfter(t.Context(), limit)
	p, token := a.provider(), a.login()
	if _, err := p.Ask(ctx, token); err != nil {
		t.Fatalf("at the limit: %v", err)
	}
	a.clock.advance(1)
	if _, err := p.Ask(ctx, token); failureOf(t, err) != tokenkeep.Transient || !errors.Is(err, errLate) {
		t.Errorf("after it: %v; want transient and too late", err)
	}
	// Frozen after the first check: connected, and nothing written yet.
	for range 2 { // on a connection that was used before, and on a new one
		looks := 0
		p.now = func() time.Time {
			looks++
			if looks <= 2 { // when it was asked, and before the send
				return limit
			}
			return limit.Add(time.Hour)
		}
		if _, err := p.Ask(ctx, token); failureOf(t, err) != tokenkeep.Transient || !errors.Is(err, errLate) {
			t.Errorf("thawed before the form is written: %v; want transient and too late", err)
		}
		if looks < 3 {
			t.Error("the clock was not looked at when the form was about to go")
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	}
	if n := a.count("refresh_token"); n != 1 {
		t.Errorf("the server saw %d requests, want the one in time", n)
	}
}

func TestLostAnswersAreTransient(t *testing.T) {
	a := newAccounts(t, accountsOptions{lose: 1})
	p, token := a.provider(), a.login()
	if _, err := p.Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Transient {
		t.Errorf("a lost answer: %v; want transient", err)
	}
	if n := a.count("refresh_token"); n != 1 {
		t.Errorf("%d requests; repeating it is for others to decide", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Ask(ctx, token); failureOf(t, err) != tokenkeep.Transient || !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v; want transient and canceled", err)
	}
	a.accounts.Close()
	if _, err := p.Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Transient {
		t.Errorf("no server: %v; want transient", err)
	}
}

func TestWhatTheServerWritesBesideHTTPIsInNoError(t *testing.T) {
	raw := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // an unread one would reset the connection
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.1 canary\r\n\r\n"))
			_ = conn.Close()
		}
	}))
	defer raw.Close()
	token := tokenkeep.Token{ClientID: "c", ClientSecret: "canary", RefreshToken: "canary", AccountsURL: raw.URL}
	if _, err := NewProvider(US, nil).Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Transient {
		t.Errorf("no HTTP: %v; want transient", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestNoRedirectIsFollowed(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	away := httptest.NewServer(http.RedirectHandler(a.accounts.URL+"/oauth/v2/token", http.StatusTemporaryRedirect))
	defer away.Close()
	token := a.login()
	token.AccountsURL = away.URL
	followed := &http.Client{} // would follow, by itself
	if _, err := NewProvider(US, followed).Ask(t.Context(), token); failureOf(t, err) != tokenkeep.Transient {
		t.Errorf("a redirect: %v; want transient", err)
	}
	if n := a.counts(); len(n) > 0 {
		t.Errorf("the redirect was followed: %v", n)
	}
}

func TestTheFormCanBeSentAgainOnAnotherConnection(t *testing.T) {
	e := &elsewhere{body: `{"access_token":"x"}`}
	token := tokenkeep.Token{ClientID: "c", ClientSecret: "s", RefreshToken: "r"}
	_, err := NewProvider(US, &http.Client{Transport: e}).Ask(t.Context(), token)
	if want := "client_id=c&client_secret=s&grant_type=refresh_token&refresh_token=r"; err != nil || e.again != want {
		t.Errorf("it would be %q, %v; want %q", e.again, err, want)
	}
}

func TestTheFormIsEncoded(t *testing.T) {
	var seen url.Values
	a := newAccounts(t, accountsOptions{
		seen:   func(r *http.Request) { seen = r.PostForm },
		answer: func() (int, string) { return 200, `{"access_token":"x"}` },
	})
	token := tokenkeep.Token{ClientID: "a&b=c", ClientSecret: "d+e f", RefreshToken: "g%h/ü"}
	if _, err := a.provider().Ask(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if seen.Get("client_id") != token.ClientID || seen.Get("client_secret") != token.ClientSecret || seen.Get("refresh_token") != token.RefreshToken {
		t.Errorf("the server read %q", seen)
	}
}
