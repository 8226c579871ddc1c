package zoho

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/oauth"
)

func (a *accounts) sourceOptions() Options { return Options{DataCenter: a.dataCenter()} }

// get returns the status of a request for records.
func get(client *http.Client, address string) (int, error) {
	resp, err := client.Get(address)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func sum(calls map[string]int) int {
	n := 0
	for count := range maps.Values(calls) {
		n += count
	}
	return n
}

func TestTheFirstRunSavesAndLaterOnesFind(t *testing.T) {
	a, secrets := newAccounts(t, accountsOptions{}), &memdriver.Secrets{}
	query := a.login()
	for run := range 3 {
		secrets.Calls()
		store := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}) // a process of its own
		client, err := newClient(t.Context(), store, query, a.sourceOptions())
		if err != nil {
			t.Fatal(err)
		}
		if status, err := get(client, a.api.URL+"/crm/v8/Leads"); status != http.StatusOK || err != nil {
			t.Errorf("run %d: %d, %v", run, status, err)
		}
		if calls := secrets.Calls(); run > 0 && sum(calls) != 1 {
			t.Errorf("run %d: the calls are %v, want one", run, calls)
		}
	}
	if n := a.count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	stored, err := newStoreOn(secrets).FindToken(t.Context(), query)
	if err != nil || stored.APIDomain != a.api.URL || !a.isGood(t, stored.AccessToken) {
		t.Errorf("the stored token is %v, %v", stored, err)
	}
}

func newStoreOn(secrets *memdriver.Secrets) *tokenkeep.SecretStore {
	return tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
}

func TestTwentyCallersRefreshOnce(t *testing.T) {
	a, secrets := newAccounts(t, accountsOptions{}), &memdriver.Secrets{}
	token := a.login()
	token.UserName, token.APIDomain, token.AccountsURL = userEmail, a.api.URL, a.accounts.URL
	token.AccessToken, token.ExpiresAt = "old", time.Now().Add(-time.Minute)
	if _, err := newStoreOn(secrets).SaveToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(t.Context(), newStoreOn(secrets), tokenkeep.Token{UserName: userEmail, APIDomain: a.api.URL})
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if status, err := get(client, a.api.URL+"/crm/v8/Leads"); status != http.StatusOK || err != nil {
				t.Errorf("%d, %v", status, err)
			}
		})
	}
	callers.Wait()
	if n := a.count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

func TestOnlyTheAPIDomainSeesTheToken(t *testing.T) {
	var mu sync.Mutex
	var headers []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		headers = append(headers, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	var seen string
	a := newAccounts(t, accountsOptions{seen: func(r *http.Request) { seen = r.Header.Get("Authorization") }})
	moved := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer moved.Close()

	query := a.login()
	client, err := newClient(t.Context(), newStore(), query, a.sourceOptions())
	if err != nil {
		t.Fatal(err)
	}
	if status, err := get(client, a.api.URL+"/crm/v8/Leads"); status != http.StatusOK || err != nil || seen == "" {
		t.Fatalf("the API domain: %d, %v, with %d bytes of header", status, err, len(seen))
	}
	fromSource := NewSource(newStore(), query, a.sourceOptions()).Client(t.Context())
	query.APIDomain = moved.URL // a server of the token that sends elsewhere
	away := a.sourceOptions()
	redirected, err := newClient(t.Context(), newStore(), query, away)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*http.Client{client, fromSource, redirected} {
		for _, address := range []string{other.URL, moved.URL} {
			if _, err := get(c, address); err != nil {
				t.Error(err)
			}
		}
	}
	if len(headers) != 6 || slices.ContainsFunc(headers, func(h string) bool { return h != "" }) {
		t.Errorf("the other host saw %d requests, want 6, and none of them with a token", len(headers))
	}
	if status, err := get(fromSource, a.api.URL+"/crm/v8/Leads"); status != http.StatusOK || err != nil {
		t.Errorf("the API domain from a source: %d, %v", status, err)
	}
}

func TestARejectedAccessTokenIsReplacedOnce(t *testing.T) {
	a, store := newAccounts(t, accountsOptions{}), newStore()
	token := a.login()
	token.APIDomain, token.AccountsURL = a.api.URL, a.accounts.URL
	token.AccessToken, token.ExpiresAt = "ended elsewhere", time.Now().Add(time.Hour)
	stored, err := store.SaveToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(t.Context(), store, tokenkeep.Token{ID: stored.ID})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := get(client, a.api.URL+"/crm/v8/Leads"); status != http.StatusOK || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	if n := a.counts(); n["refresh_token"] != 1 || n["/crm/v8/Leads"] != 2 {
		t.Errorf("the requests were %v; want one refresh and one repetition", n)
	}
}

func TestThrottlingKeepsEveryProcessFromAsking(t *testing.T) {
	a, secrets := newAccounts(t, accountsOptions{throttleText: "访问被拒绝"}), &memdriver.Secrets{}
	query := a.login()
	for range 10 {
		if _, err := a.provider().Ask(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		_, err := newClient(t.Context(), newStoreOn(secrets), query, a.sourceOptions())
		var failure *tokenkeep.RefreshError
		if !errors.Is(err, oauth.ErrThrottled) || !errors.As(err, &failure) ||
			failure.RetryAfter < 9*time.Minute || failure.RetryAfter > 10*time.Minute {
			t.Errorf("%v; want throttled for the rest of 10 minutes", err)
		}
	}
	if n := a.count("refresh_token"); n != 11 {
		t.Errorf("%d requests, want one after the 10", n)
	}
}

func TestARevokedTokenNeedsAPerson(t *testing.T) {
	a, store := newAccounts(t, accountsOptions{}), newStore()
	query := a.login()
	if err := a.provider().Revoke(t.Context(), query); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := newClient(t.Context(), store, query, a.sourceOptions()); !errors.Is(err, oauth.ErrReauthorize) {
			t.Errorf("%v; want ErrReauthorize", err)
		}
	}
	if n := a.count("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	query.RefreshToken = a.login().RefreshToken // a person has logged in
	if _, err := newClient(t.Context(), store, query, a.sourceOptions()); err != nil {
		t.Error(err)
	}
}

func TestNewClientWithAnAPIDomainDoesNoIO(t *testing.T) {
	secrets := &memdriver.Secrets{}
	client, err := NewClient(t.Context(), newStoreOn(secrets), tokenkeep.Token{UserName: userEmail, APIDomain: EU.APIDomain})
	if client == nil || err != nil || sum(secrets.Calls()) > 0 {
		t.Errorf("NewClient = %v, %v", client, err)
	}
	plain := tokenkeep.Token{UserName: userEmail, APIDomain: "http://www.zohoapis.eu"}
	if _, err := NewClient(t.Context(), newStore(), plain); !errors.Is(err, tokenkeep.ErrInvalid) {
		t.Errorf("by plain HTTP: %v; want ErrInvalid", err)
	}
	if _, err := NewClient(t.Context(), newStore(), tokenkeep.Token{UserName: userEmail}); !errors.Is(err, tokenkeep.ErrNotFound) {
		t.Errorf("of a user that nobody knows: %v; want ErrNotFound", err)
	}
}

func TestAnAnswerWithoutAPIDomainLeavesItToTheDataCenter(t *testing.T) {
	a := newAccounts(t, accountsOptions{answer: func() (int, string) { return 200, `{"access_token":"x"}` }})
	client, err := newClient(t.Context(), newStore(), a.login(), a.sourceOptions())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(a.api.URL)
	if got := client.Transport.(*onlyHost); err != nil || got.address != u.Host {
		t.Errorf("the client authenticates requests to %s, want %s", got.address, u.Host)
	}
}

func TestHosts(t *testing.T) {
	tests := []struct {
		domain string
		home   DataCenter
		want   string
	}{
		{"https://www.zohoapis.eu", IN, "[https://www.zohoapis.eu]"},
		{"https://WWW.zohoapis.eu/", IN, "[https://www.zohoapis.eu]"},
		{"http://127.0.0.1:8080", IN, "[http://127.0.0.1:8080]"},
		{"http://www.zohoapis.eu", IN, "[https://invalid]"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(hosts(tt.domain, tt.home)); got != tt.want {
			t.Errorf("hosts(%q) = %s, want %s", tt.domain, got, tt.want)
		}
	}
	all := hosts("", DataCenter{"SG", "https://accounts.zoho.sg", "https://www.zohoapis.sg"})
	for _, want := range []string{"https://www.zohoapis.sg", "https://www.zohoapis.com", "https://sandbox.zohoapis.ca", "https://developer.zohoapis.com.cn"} {
		if !slices.Contains(all, want) {
			t.Errorf("%s is missing among the hosts of all data centers", want)
		}
	}
	if want := 3*len(DataCenters()) + 1; len(all) != want {
		t.Errorf("%d hosts, want %d", len(all), want)
	}
}

func TestWhichRequestsCarryTheToken(t *testing.T) {
	tests := []struct {
		address        string
		client, source bool // from NewClient, from NewSource without an API domain
	}{
		{"https://www.zohoapis.eu/crm/v8/Leads", true, true},
		{"https://WWW.zohoapis.EU:443/crm/v8/Leads", true, true},
		{"https://sandbox.zohoapis.eu/", false, true},
		{"https://www.zohoapis.com/", false, true},
		{"https://www.zohoapis.eu:8443/", false, false},
		{"http://www.zohoapis.eu:443/", false, false},
		{"https://www.zohoapis.eu.evil.example/", false, false},
		{"https://evil.example/www.zohoapis.eu", false, false},
		{"https://accounts.zoho.eu/", false, false},
	}
	e := &elsewhere{body: `{"access_token":"canary","api_domain":"https://www.zohoapis.eu"}`}
	o := Options{DataCenter: EU, OAuth: oauth.Options{HTTPClient: &http.Client{Transport: e}}}
	query := tokenkeep.Token{ClientID: clientID, ClientSecret: clientSecret, RefreshToken: "r"}
	client, err := newClient(t.Context(), newStore(), query, o)
	if err != nil {
		t.Fatal(err)
	}
	source := NewSource(newStore(), query, o).Client(t.Context())
	for _, tt := range tests {
		for name, c := range map[string]*http.Client{"NewClient": client, "NewSource": source} {
			if _, err := get(c, tt.address); err != nil {
				t.Error(err)
				continue
			}
			want := tt.client
			if name == "NewSource" {
				want = tt.source
			}
			if got := e.header; (got == "Zoho-oauthtoken canary") != want || (got == "") == want {
				t.Errorf("%s: a request to %s carries %d bytes; want the token: %t", name, tt.address, len(got), want)
			}
		}
	}
	if _, err := get(client, "http://www.zohoapis.eu/"); err != nil || e.header != "" {
		t.Errorf("by plain HTTP: %v, with %d bytes of header", err, len(e.header))
	}
}

func TestTheQuerysAPIDomainTellsWhereAStoredTokenIsRefreshed(t *testing.T) {
	e, store := &elsewhere{body: `{"access_token":"x"}`}, newStore()
	token := tokenkeep.Token{UserName: userEmail, ClientID: clientID, ClientSecret: clientSecret, RefreshToken: "r"}
	if _, err := store.SaveToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	o := Options{DataCenter: IN, OAuth: oauth.Options{HTTPClient: &http.Client{Transport: e}}}
	query := tokenkeep.Token{UserName: userEmail, APIDomain: EU.Sandbox().APIDomain}
	if _, err := NewSource(store, query, o).TokenContext(t.Context()); err != nil || len(e.hosts) != 1 || e.hosts[0] != EU.AccountsURL {
		t.Errorf("it was refreshed at %v, %v; want %s", e.hosts, err, EU.AccountsURL)
	}
}

func TestTheClientInTheContextCarriesEveryRequest(t *testing.T) {
	e := &elsewhere{body: `{}`}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: e})
	client, err := NewClient(ctx, newStore(), tokenkeep.Token{UserName: userEmail, APIDomain: EU.APIDomain})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(client, "https://other.example/"); err != nil || len(e.hosts) != 1 {
		t.Errorf("the request went to %v, %v; want it to go by the transport in the context", e.hosts, err)
	}
}
