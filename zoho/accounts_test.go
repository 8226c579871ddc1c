package zoho

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

const (
	clientID     = "1000.CLIENT"
	clientSecret = "canary-client-secret"
	userEmail    = "ann@example.com"
)

// accounts is an accounts server with Zoho's limits, and the API server where its tokens are good. Options are set before
// the first request, or under mu.
type accounts struct {
	accounts, api *httptest.Server
	clock         *clock

	mu       sync.Mutex
	options  accountsOptions
	grants   map[string]*grant
	refresh  map[string]*refreshToken
	access   map[string]*accessToken
	requests map[string]int // by path, and of the token endpoint by grant_type
	serial   int
}

// accountsOptions are what an accounts server may do beyond Zoho's.
type accountsOptions struct {
	rotate        bool                    // a refresh replaces the refresh token; using an old one ends the family
	grace         time.Duration           // except for so long after it was replaced
	sameSuccessor bool                    // a replay within grace brings the same refresh token again, not another new one
	killOld       bool                    // a refresh ends the older access tokens
	oldStyle      bool                    // answers have expires_in_sec, and expires_in in milliseconds
	throttleText  string                  // empty is English
	lose          int                     // so many answers of the token endpoint are lost after they took effect
	delay         func(request string)    // runs before a request takes effect
	redirect      func(query url.Values)  // changes what the browser brings back
	answer        func() (int, string)    // replaces what the accounts server does
	seen          func(req *http.Request) // of every request, on both servers
	noUsers       bool                    // the scope ZohoCRM.users.READ is missing
}

type grant struct {
	made                time.Time
	redirect, challenge string
	used                bool
}

// family is what one login has brought.
type family struct {
	revoked bool
	began   time.Time // of the window of 10 minutes
	given   int       // access tokens in it
	live    []*accessToken
}

type refreshToken struct {
	of        *family
	replaced  time.Time
	successor string
}

type accessToken struct {
	of      *family
	expires time.Time
	dead    bool
}

// clock is set by hand. The zero time of a test is a whole second.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now().Truncate(time.Second)} }

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

func newAccounts(t testing.TB, o accountsOptions) *accounts {
	t.Helper()
	a := &accounts{
		clock: newClock(), options: o, grants: map[string]*grant{}, refresh: map[string]*refreshToken{},
		access: map[string]*accessToken{}, requests: map[string]int{},
	}
	a.accounts = httptest.NewServer(http.HandlerFunc(a.serveAccounts))
	a.api = httptest.NewServer(http.HandlerFunc(a.serveAPI))
	t.Cleanup(func() {
		a.accounts.Close()
		a.api.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return a
}

func (a *accounts) dataCenter() DataCenter { return DataCenter{"TEST", a.accounts.URL, a.api.URL} }

// provider returns one that goes by the server's clock.
func (a *accounts) provider() *Provider {
	p := NewProvider(a.dataCenter(), nil)
	p.now = a.clock.now
	return p
}

// grantToken is a self client's: asked for on a page of Zoho's, without redirect.
func (a *accounts) grantToken() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	code := a.name("grant")
	a.grants[code] = &grant{made: a.clock.now()}
	return code
}

// login returns a token with a refresh token, as after an exchange long ago.
func (a *accounts) login() tokenkeep.Token {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.name("refresh")
	a.refresh[r] = &refreshToken{of: &family{}}
	return tokenkeep.Token{ClientID: clientID, ClientSecret: clientSecret, RefreshToken: r}
}

func (a *accounts) name(kind string) string {
	a.serial++
	return fmt.Sprintf("1000.canary-%s-%d", kind, a.serial)
}

func (a *accounts) count(request string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests[request]
}

func (a *accounts) counts() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.requests)
}

func (a *accounts) serveAccounts(w http.ResponseWriter, r *http.Request) {
	request := r.URL.Path
	if r.ParseForm() != nil {
		panic(http.ErrAbortHandler)
	}
	if g := r.PostForm.Get("grant_type"); g != "" {
		request = g
	}
	a.begin(request, r)
	if a.options.answer != nil {
		status, body := a.options.answer()
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return
	}
	if request == "/oauth/v2/auth" {
		a.authorize(w, r)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	status, body := http.StatusNotFound, map[string]any{"error": "general_error"}
	switch {
	case r.Method != http.MethodPost || r.URL.RawQuery != "":
	case r.URL.Path == "/oauth/v2/token/revoke":
		status, body = a.revoke(r.PostForm.Get("token"))
	case r.URL.Path == "/oauth/v2/token":
		status, body = a.token(r.PostForm)
	}
	if a.options.lose > 0 {
		a.options.lose--
		panic(http.ErrAbortHandler)
	}
	write(w, status, body)
}

func (a *accounts) begin(request string, r *http.Request) {
	a.mu.Lock()
	a.requests[request]++
	delay, seen := a.options.delay, a.options.seen
	a.mu.Unlock()
	if seen != nil {
		seen(r)
	}
	if delay != nil {
		delay(request)
	}
}

func write(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (a *accounts) token(form url.Values) (int, map[string]any) {
	switch {
	case form.Get("client_id") != clientID:
		return failed("invalid_client")
	case form.Get("client_secret") != clientSecret:
		return failed("invalid_client_secret")
	case form.Get("grant_type") == "authorization_code":
		return a.exchange(form)
	case form.Get("grant_type") == "refresh_token":
		return a.refreshed(form.Get("refresh_token"))
	}
	return failed("unsupported_grant_type")
}

// failed is an error as Zoho reports it: with HTTP 200.
func failed(code string) (int, map[string]any) { return http.StatusOK, map[string]any{"error": code} }

func (a *accounts) exchange(form url.Values) (int, map[string]any) {
	g := a.grants[form.Get("code")]
	verifier := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case g == nil, g.used, a.clock.now().Sub(g.made) > 2*time.Minute:
		return failed("invalid_code")
	case g.redirect != form.Get("redirect_uri"):
		return failed("invalid_redirect_uri")
	case g.challenge != "" && g.challenge != base64.RawURLEncoding.EncodeToString(verifier[:]):
		return failed("invalid_code")
	}
	g.used = true
	f, r := &family{}, a.name("refresh")
	a.refresh[r] = &refreshToken{of: f}
	return a.give(f, r)
}

func (a *accounts) refreshed(name string) (int, map[string]any) {
	r := a.refresh[name]
	if r == nil || r.of.revoked {
		return failed("invalid_code")
	}
	if !a.options.rotate || r.of.throttled(a.clock.now()) {
		return a.give(r.of, "")
	}
	switch now := a.clock.now(); {
	case r.replaced.IsZero():
		r.replaced = now
	case now.Sub(r.replaced) > a.options.grace || a.options.grace == 0:
		r.of.end()
		return failed("invalid_code")
	case a.options.sameSuccessor:
		return a.give(r.of, r.successor)
	}
	r.successor = a.name("refresh")
	a.refresh[r.successor] = &refreshToken{of: r.of}
	return a.give(r.of, r.successor)
}

// give answers with a new access token, or with a refusal if there were too many.
func (a *accounts) give(f *family, refresh string) (int, map[string]any) {
	now := a.clock.now()
	if f.throttled(now) {
		code := "Access Denied"
		if a.options.throttleText != "" {
			code = a.options.throttleText
		}
		return http.StatusBadRequest, map[string]any{
			"error": code, "status": "failure",
			"error_description": "You have made too many requests continuously. Please try again after some time.",
		}
	}
	if f.given == 0 || now.Sub(f.began) >= 10*time.Minute {
		f.began, f.given = now, 0
	}
	f.given++
	f.live = slices.DeleteFunc(f.live, func(t *accessToken) bool { return !t.good(now) })
	if a.options.killOld {
		f.drop(len(f.live))
	}
	f.drop(len(f.live) - 14)
	name, token := a.name("access"), &accessToken{of: f, expires: now.Add(time.Hour)}
	a.access[name], f.live = token, append(f.live, token)
	body := map[string]any{"access_token": name, "api_domain": a.api.URL, "token_type": "Bearer", "expires_in": 3600}
	if a.options.oldStyle {
		body["expires_in_sec"], body["expires_in"] = 3600, 3600_000
	}
	if refresh != "" {
		body["refresh_token"] = refresh
	}
	return http.StatusOK, body
}

func (f *family) throttled(now time.Time) bool {
	return f.given >= 10 && now.Sub(f.began) < 10*time.Minute
}

// drop ends the n oldest access tokens.
func (f *family) drop(n int) {
	for range max(n, 0) {
		f.live[0].dead, f.live = true, f.live[1:]
	}
}

func (f *family) end() { f.revoked = true; f.drop(len(f.live)) }

func (t *accessToken) good(now time.Time) bool { return !t.dead && now.Before(t.expires) }

func (a *accounts) revoke(name string) (int, map[string]any) {
	if r := a.refresh[name]; r != nil && !r.of.revoked {
		r.of.end()
		return http.StatusOK, map[string]any{"status": "success"}
	}
	if t := a.access[name]; t != nil && t.good(a.clock.now()) {
		t.dead = true
		return http.StatusOK, map[string]any{"status": "success"}
	}
	return http.StatusBadRequest, map[string]any{"error": "invalid_token"}
}

// authorize stands for the pages where the person agrees: it sends the browser back at once.
func (a *accounts) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != clientID || q.Get("access_type") != "offline" || q.Get("prompt") != "consent" ||
		q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("scope") == "" {
		http.Error(w, "Invalid request", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	code := a.name("grant")
	a.grants[code] = &grant{made: a.clock.now(), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge")}
	a.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "location": {"test"}, "accounts-server": {a.accounts.URL}}
	if a.options.redirect != nil {
		a.options.redirect(back)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// serveAPI answers whoever has a live access token.
func (a *accounts) serveAPI(w http.ResponseWriter, r *http.Request) {
	a.begin(r.URL.Path, r)
	a.mu.Lock()
	defer a.mu.Unlock()
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Zoho-oauthtoken ")
	token := a.access[name]
	switch {
	case !ok || token == nil || !token.good(a.clock.now()):
		write(w, http.StatusUnauthorized, map[string]any{"code": "INVALID_TOKEN", "status": "error"})
	case r.URL.Path != "/crm/v8/users":
		write(w, http.StatusOK, map[string]any{"data": []any{}})
	case a.options.noUsers || r.URL.Query().Get("type") != "CurrentUser":
		write(w, http.StatusUnauthorized, map[string]any{"code": "OAUTH_SCOPE_MISMATCH", "status": "error"})
	default:
		write(w, http.StatusOK, map[string]any{"users": []any{map[string]any{"email": userEmail, "full_name": "Ann"}}})
	}
}
