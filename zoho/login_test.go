package zoho

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func newStore() *tokenkeep.SecretStore {
	return tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
}

// brokenStore takes no token.
type brokenStore struct {
	tokenkeep.Store
	err error
}

func (s brokenStore) SaveToken(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
	return tokenkeep.Token{}, s.err
}

// visit goes to a URL as a browser does, redirects included, and returns status and page of the last one.
func visit(address string) (int, string, error) {
	resp, err := http.Get(address)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(page), err
}

// loginOptions are those of a person who agrees to everything.
func (a *accounts) loginOptions() LoginOptions {
	return LoginOptions{
		ClientID: clientID, ClientSecret: clientSecret, Scopes: []string{"ZohoCRM.modules.ALL", "ZohoCRM.users.READ"},
		DataCenter: a.dataCenter(),
		OpenBrowser: func(address string) error {
			_, _, err := visit(address)
			return err
		},
	}
}

func TestLoginSavesATokenUnderItsUser(t *testing.T) {
	a, store := newAccounts(t, accountsOptions{}), newStore()
	token, err := Login(t.Context(), store, a.loginOptions())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := store.FindToken(t.Context(), tokenkeep.Token{UserName: userEmail})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []tokenkeep.Token{token, stored} {
		if got.ID == "" || got.ClientID != clientID || got.ClientSecret != clientSecret || got.AccountsURL != a.accounts.URL ||
			got.APIDomain != a.api.URL ||
			got.RefreshToken == "" || got.GrantToken != "" || !a.isGood(t, got.AccessToken) || got.ExpiresAt.IsZero() ||
			len(got.Scopes) != 2 || !strings.HasPrefix(got.RedirectURL, "http://127.0.0.1:") {
			t.Errorf("the token is %v", got)
		}
	}
	if n := a.counts(); n["authorization_code"] != 1 || n["/crm/v8/users"] != 1 {
		t.Errorf("the requests were %v; want one exchange and one look for the user", n)
	}
	if _, err := a.provider().Ask(t.Context(), token); err != nil {
		t.Errorf("a refresh: %v", err)
	}
}

func TestLoginWithANameAsksForNone(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	o := a.loginOptions()
	o.UserName = "crm-export"
	token, err := Login(t.Context(), newStore(), o)
	if err != nil || token.UserName != "crm-export" || a.count("/crm/v8/users") != 0 {
		t.Errorf("Login = %v, %v, after %v", token, err, a.counts())
	}
}

func TestLoginWithoutTheScopeForUsersHasNoName(t *testing.T) {
	a, store := newAccounts(t, accountsOptions{noUsers: true}), newStore()
	token, err := Login(t.Context(), store, a.loginOptions())
	if err != nil || token.UserName != "" || token.ID == "" {
		t.Errorf("Login = %v, %v; want a stored token without a name", token, err)
	}
}

func TestARedirectWithAWrongStateIsTurnedAway(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	o := a.loginOptions()
	o.OpenBrowser = func(address string) error {
		u, err := url.Parse(address)
		if err != nil {
			return err
		}
		back := u.Query().Get("redirect_uri")
		for _, query := range []string{"", "?code=<b>canary</b>", "?code=canary&state=canary", "?error=access_denied&state=" + strings.Repeat("A", 43)} {
			status, page, err := visit(back + query)
			if err != nil || status != http.StatusBadRequest || strings.Contains(page, "canary") {
				return fmt.Errorf("%s: %d %q, %w", query, status, page, err)
			}
		}
		_, _, err = visit(address)
		return err
	}
	if token, err := Login(t.Context(), newStore(), o); err != nil || token.UserName != userEmail {
		t.Errorf("Login = %v, %v; want the genuine one to succeed", token, err)
	}
	if n := a.count("authorization_code"); n != 1 {
		t.Errorf("%d exchanges, want one", n)
	}
}

func TestWhatEndsALogin(t *testing.T) {
	canceled := errors.New("no browser here")
	tests := []struct {
		name     string
		redirect func(query url.Values)
		open     func(url string) error
		answer   func() (int, string)
		want     error
	}{
		{name: "denied consent", redirect: func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }, want: ErrDenied},
		{name: "another error", redirect: func(q url.Values) { q.Del("code"); q.Set("error", "canary") }},
		{name: "no grant token", redirect: func(q url.Values) { q.Del("code") }},
		{name: "a forged accounts server", redirect: func(q url.Values) {
			q.Set("accounts-server", "https://accounts.zoho.eu.evil.example")
		}, want: ErrAccountsServer},
		{name: "a known one by plain HTTP", redirect: func(q url.Values) { q.Set("accounts-server", "http://accounts.zoho.eu") }, want: ErrAccountsServer},
		{name: "one on this machine", redirect: func(q url.Values) { q.Set("accounts-server", "http://127.0.0.1:1") }, want: ErrAccountsServer},
		{name: "a known one and a location elsewhere", redirect: func(q url.Values) {
			q.Set("accounts-server", EU.AccountsURL)
			q.Set("location", "in")
		}, want: ErrAccountsServer},
		{name: "an unknown location", redirect: func(q url.Values) { q.Del("accounts-server"); q.Set("location", "canary") }, want: ErrAccountsServer},
		{name: "no browser", open: func(string) error { return canceled }, want: canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccounts(t, accountsOptions{redirect: tt.redirect})
			o := a.loginOptions()
			if tt.open != nil {
				o.OpenBrowser = tt.open
			}
			store := newStore()
			token, err := Login(t.Context(), store, o)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) ||
				!strings.HasPrefix(err.Error(), "zoho: login: ") || strings.Contains(err.Error(), "canary") {
				t.Errorf("Login = %v, %v; want %v", token, err, tt.want)
			}
			if n := a.count("authorization_code"); n != 0 {
				t.Errorf("the code was sent %d times", n)
			}
			if tokens, err := store.GetTokens(t.Context()); len(tokens) != 0 || err != nil {
				t.Errorf("the store has %v, %v", tokens, err)
			}
		})
	}
}

func TestABrowserThatFailsAfterItCameBackDoesNoHarm(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	o := a.loginOptions()
	o.OpenBrowser = func(address string) error {
		_, _, err := visit(address)
		return errors.Join(err, errors.New("exit status 1"))
	}
	if token, err := Login(t.Context(), newStore(), o); err != nil || token.RefreshToken == "" {
		t.Errorf("Login = %v, %v", token, err)
	}
}

func TestLoginStopsWithItsContext(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	o := a.loginOptions()
	var back string
	o.OpenBrowser = func(address string) error {
		u, err := url.Parse(address)
		back = u.Query().Get("redirect_uri")
		cancel()
		return err
	}
	if _, err := Login(ctx, newStore(), o); !errors.Is(err, context.Canceled) {
		t.Errorf("Login = %v; want canceled", err)
	}
	if _, _, err := visit(back); err == nil {
		t.Error("the server for the redirect still answers")
	}
}

func TestAnAnswerWithoutARefreshTokenIsNoLogin(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	o, store := a.loginOptions(), newStore()
	o.HTTPClient = &http.Client{Transport: &elsewhere{body: `{"access_token":"canary"}`}}
	token, err := Login(t.Context(), store, o)
	if err == nil || token.AccessToken != "" || strings.Contains(err.Error(), "canary") {
		t.Errorf("Login = %v, %v; want an error", token, err)
	}
	o.HTTPClient.Transport = &elsewhere{body: `{"error":"invalid_code"}`}
	if _, err = Login(t.Context(), store, o); failureOf(t, err) != tokenkeep.Refused {
		t.Errorf("Login = %v; want the class of the accounts server", err)
	}
}

func TestATokenThatTheStoreDoesNotTakeIsReturned(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	broken := errors.New("broken")
	token, err := Login(t.Context(), brokenStore{newStore(), broken}, a.loginOptions())
	if !errors.Is(err, broken) || token.RefreshToken == "" {
		t.Errorf("Login = %v, %v; want the token with the store's error", token, err)
	}
	if _, err := newStore().SaveToken(t.Context(), token); err != nil {
		t.Errorf("another store: %v", err)
	}
}

func TestLoginOptionsThatAreRefused(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	tests := map[string]func(o *LoginOptions){
		"no client":             func(o *LoginOptions) { o.ClientID = "" },
		"no secret":             func(o *LoginOptions) { o.ClientSecret = "" },
		"no scopes":             func(o *LoginOptions) { o.Scopes = nil },
		"no browser":            func(o *LoginOptions) { o.OpenBrowser = nil },
		"plain HTTP":            func(o *LoginOptions) { o.DataCenter.AccountsURL = "http://accounts.zoho.eu" },
		"a redirect elsewhere":  func(o *LoginOptions) { o.RedirectURL = "http://app.example:80/back" },
		"a redirect by https":   func(o *LoginOptions) { o.RedirectURL = "https://127.0.0.1/back" },
		"a redirect with query": func(o *LoginOptions) { o.RedirectURL = "http://127.0.0.1/back?x=y" },
		"no redirect URL":       func(o *LoginOptions) { o.RedirectURL = "127.0.0.1:80" },
	}
	for name, change := range tests {
		o := a.loginOptions()
		change(&o)
		if _, err := Login(t.Context(), newStore(), o); !errors.Is(err, tokenkeep.ErrInvalid) {
			t.Errorf("%s: %v; want ErrInvalid", name, err)
		}
	}
	if n := a.counts(); len(n) > 0 {
		t.Errorf("there were requests: %v", n)
	}
}

func TestLoginOptionsPrintWithoutTheSecret(t *testing.T) {
	o := newAccounts(t, accountsOptions{}).loginOptions()
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "options", o)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q %d", o, o, o, o, o, o), fmt.Sprint(&o), logged.String()} {
		if strings.Contains(text, "canary") || !strings.Contains(text, clientID) {
			t.Errorf("the options print as %s", text)
		}
	}
}

func TestTheRedirectURLMayBeGiven(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	o := a.loginOptions()
	o.RedirectURL = "http://localhost:" + port + "/zoho/back"
	var network *net.OpError
	if _, err := Login(t.Context(), newStore(), o); !errors.As(err, &network) {
		t.Errorf("a port that is taken: %v; want the network's error", err)
	}
	_ = listener.Close()
	token, err := Login(t.Context(), newStore(), o)
	if err != nil || token.RedirectURL != o.RedirectURL {
		t.Errorf("Login = %v, redirect %q, %v", token, token.RedirectURL, err)
	}
	o.RedirectURL = "http://localhost"
	if token, err = Login(t.Context(), newStore(), o); err != nil || !strings.HasPrefix(token.RedirectURL, "http://localhost:") {
		t.Errorf("Login = %v, redirect %q, %v", token, token.RedirectURL, err)
	}
}
