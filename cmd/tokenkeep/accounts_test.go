package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// accounts are the pages and requests of Zoho's accounts server for logging in and out, and of the API for the user's name. The
// rest is answered by next.
type accounts struct {
	next http.HandlerFunc

	mu        sync.Mutex
	challenge string // of the code that was given last
	grants    int
	requests  []string
}

type accountsKey struct{}

func accountsFor(env *testscript.Env, next http.HandlerFunc) *accounts {
	a := &accounts{next: next}
	env.Values[accountsKey{}] = a
	return a
}

// ServeHTTP answers as Zoho, and in its own way where a client or a token is named for that.
func (a *accounts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch grant := r.FormValue("grant_type"); {
	case r.URL.Path == "/oauth/v2/auth":
		a.saw("auth")
		a.authorize(w, r)
	case r.URL.Path == "/oauth/v2/token/revoke":
		a.saw("revoke:" + r.PostFormValue("token"))
		revokeAnswer(w, r.PostFormValue("token"))
	case r.URL.Path == "/crm/v8/users":
		a.saw("users")
		_, _ = fmt.Fprint(w, `{"users":[{"email":"ann@example.com"}]}`)
	case r.URL.Path == "/leak":
		a.saw("leak")
	case r.URL.Path == "/oauth/v2/token" && grant == "authorization_code":
		a.saw("exchange")
		a.exchange(w, r)
	default:
		a.next(w, r)
	}
}

func (a *accounts) saw(request string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, request)
}

// seen returns the requests since it was last called.
func (a *accounts) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := a.requests
	a.requests = nil
	return seen
}

func (a *accounts) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := url.Values{"state": {q.Get("state")}}
	if q.Get("client_id") == "denied" {
		back.Set("error", "access_denied")
	} else {
		back.Set("code", "canary-code")
	}
	a.mu.Lock()
	a.challenge = q.Get("code_challenge")
	a.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// exchange takes the code of a browser with its verifier, and a self client's grant token once.
func (a *accounts) exchange(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	verifier := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	byBrowser := r.FormValue("code") == "canary-code" && a.challenge == base64.RawURLEncoding.EncodeToString(verifier[:])
	switch {
	case r.FormValue("client_secret") != "canary-secret":
		_, _ = fmt.Fprint(w, `{"error":"invalid_client_secret"}`)
	case !byBrowser && r.FormValue("code") != fmt.Sprintf("canary-grant-%d", a.grants):
		_, _ = fmt.Fprint(w, `{"error":"invalid_code"}`)
	default:
		a.grants++
		a.challenge = ""
		_, _ = fmt.Fprintf(w, `{"access_token":"canary-access","refresh_token":"canary-refresh-%d","api_domain":"http://%s","expires_in":3600}`,
			a.grants, r.Host)
	}
}

func revokeAnswer(w http.ResponseWriter, token string) {
	status, body := http.StatusOK, `{"status":"success"}`
	switch {
	case strings.HasPrefix(token, "canary-failing"):
		status, body = http.StatusInternalServerError, `canary-page`
	case strings.HasPrefix(token, "canary-gone"):
		status, body = http.StatusBadRequest, `{"error":"invalid_token"}`
	case strings.HasPrefix(token, "canary-throttled"):
		status, body = http.StatusBadRequest, `{"error":"Access Denied","status":"failure"}`
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, body)
}

// requests checks which requests there were since the last check: auth, exchange, users and revoke:TOKEN.
func requests(ts *testscript.TestScript, _ bool, want []string) {
	if got := ts.Value(accountsKey{}).(*accounts).seen(); !slices.Equal(got, want) {
		ts.Fatalf("the requests were %q; want %q", got, want)
	}
}

// browse is the browser of the scripts: it goes where it is told, and tells on who gave it the client secret.
func browse() {
	for _, address := range []string{os.Getenv("ZOHO") + "/leak", os.Args[len(os.Args)-1]} {
		if _, leaked := os.LookupEnv(secretVariable); strings.HasSuffix(address, "/leak") && !leaked {
			continue
		}
		if resp, err := http.Get(address); err == nil {
			_ = resp.Body.Close()
		}
	}
}
