package zoho

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// rawAnswer is an answer as the tests of the accounts server read it.
type rawAnswer struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int    `json:"expires_in"`
	Error     string `json:"error"`
	Status    string `json:"status"`
}

// ask posts to the token endpoint of the accounts server, as a client of nobody's making.
func (a *accounts) ask(t *testing.T, form url.Values) (int, rawAnswer) {
	t.Helper()
	form.Set("client_id", clientID)
	form.Set("client_secret", clientSecret)
	resp, err := http.PostForm(a.accounts.URL+"/oauth/v2/token", form)
	if err != nil {
		return 0, rawAnswer{}
	}
	defer resp.Body.Close()
	var got rawAnswer
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Error(err)
	}
	return resp.StatusCode, got
}

func (a *accounts) askRefresh(t *testing.T, refresh string) (int, rawAnswer) {
	t.Helper()
	return a.ask(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
}

func (a *accounts) isGood(t *testing.T, access string) bool {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, a.api.URL+"/crm/v8/Leads", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Zoho-oauthtoken "+access)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func TestAccountsGiveTenAccessTokensInTenMinutes(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	refresh := a.login().RefreshToken
	for i := range 10 {
		if _, got := a.askRefresh(t, refresh); got.Access == "" {
			t.Fatalf("request %d is refused: %+v", i+1, got)
		}
		a.clock.advance(30 * time.Second)
	}
	status, got := a.askRefresh(t, refresh)
	if status != http.StatusBadRequest || got.Error != "Access Denied" || got.Status != "failure" {
		t.Fatalf("the 11th request: %d %+v; want to be throttled", status, got)
	}
	if _, got := a.askRefresh(t, a.login().RefreshToken); got.Access == "" {
		t.Errorf("another refresh token is throttled too: %+v", got)
	}
	a.clock.advance(5 * time.Minute)
	if _, got := a.askRefresh(t, refresh); got.Access == "" {
		t.Errorf("10 minutes after the first request: %+v; want a token", got)
	}
}

func TestAccountsEndTheOldestOfSixteenAccessTokens(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	refresh, access := a.login().RefreshToken, []string{}
	for range 16 {
		_, got := a.askRefresh(t, refresh)
		access = append(access, got.Access)
		a.clock.advance(61 * time.Second)
	}
	if a.isGood(t, access[0]) {
		t.Error("the oldest of 16 access tokens is good")
	}
	if !a.isGood(t, access[1]) || !a.isGood(t, access[15]) {
		t.Error("one of the 15 youngest access tokens is not good")
	}
	a.clock.advance(time.Hour)
	if a.isGood(t, access[15]) {
		t.Error("an access token is good after its hour")
	}
}

func TestAccountsTakeAGrantTokenOnceAndForTwoMinutes(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	code := a.grantToken()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}}
	if _, got := a.ask(t, form); got.Access == "" || got.Refresh == "" || got.ExpiresIn != 3600 {
		t.Fatalf("the exchange: %+v", got)
	}
	if status, got := a.ask(t, form); got.Error != "invalid_code" || status != http.StatusOK {
		t.Errorf("the second exchange: %d %+v; want invalid_code with HTTP 200", status, got)
	}
	form.Set("code", a.grantToken())
	a.clock.advance(2*time.Minute + time.Second)
	if _, got := a.ask(t, form); got.Error != "invalid_code" {
		t.Errorf("the exchange after 2 minutes: %+v; want invalid_code", got)
	}
}

func TestAccountsCheckClientRedirectAndVerifier(t *testing.T) {
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636, appendix B
	tests := []struct {
		name, key, value, want string
	}{
		{"all as it should be", "", "", ""},
		{"another client", "client_id", "1000.OTHER", "invalid_client"},
		{"another secret", "client_secret", "x", "invalid_client_secret"},
		{"another grant type", "grant_type", "password", "unsupported_grant_type"},
		{"another redirect", "redirect_uri", "http://127.0.0.1/other", "invalid_redirect_uri"},
		{"another verifier", "code_verifier", "x", "invalid_code"},
		{"another code", "code", "x", "invalid_code"},
	}
	for _, tt := range tests {
		a := newAccounts(t, accountsOptions{})
		code := a.grantToken()
		a.grants[code].redirect, a.grants[code].challenge = "http://127.0.0.1/callback", challenge
		form := url.Values{
			"client_id": {clientID}, "client_secret": {clientSecret}, "grant_type": {"authorization_code"},
			"code": {code}, "redirect_uri": {"http://127.0.0.1/callback"}, "code_verifier": {verifier},
		}
		if tt.key != "" {
			form.Set(tt.key, tt.value)
		}
		status, body := a.token(form)
		if code, _ := body["error"].(string); status != http.StatusOK || code != tt.want {
			t.Errorf("%s: %d %v; want %q with HTTP 200", tt.name, status, body, tt.want)
		}
	}
}

func TestAccountsRevoke(t *testing.T) {
	a := newAccounts(t, accountsOptions{})
	refresh := a.login().RefreshToken
	_, got := a.askRefresh(t, refresh)
	for _, want := range []int{http.StatusOK, http.StatusBadRequest} {
		resp, err := http.PostForm(a.accounts.URL+"/oauth/v2/token/revoke", url.Values{"token": {refresh}})
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != want {
			t.Errorf("HTTP %d, want %d", resp.StatusCode, want)
		}
	}
	if _, again := a.askRefresh(t, refresh); again.Error != "invalid_code" || a.isGood(t, got.Access) {
		t.Errorf("after it: %+v; want invalid_code, and the access token ended", again)
	}
}

func TestAccountsThatRotateEndTheFamilyOfAReusedToken(t *testing.T) {
	a := newAccounts(t, accountsOptions{rotate: true})
	first := a.login().RefreshToken
	_, got := a.askRefresh(t, first)
	if got.Refresh == "" || got.Refresh == first {
		t.Fatalf("the refresh: %+v; want another refresh token", got)
	}
	if _, again := a.askRefresh(t, first); again.Error != "invalid_code" {
		t.Errorf("the old refresh token: %+v; want invalid_code", again)
	}
	if _, successor := a.askRefresh(t, got.Refresh); successor.Error != "invalid_code" {
		t.Errorf("the successor: %+v; want it to end with the family", successor)
	}
	if a.isGood(t, got.Access) {
		t.Error("an access token of the family is good")
	}
}

func TestAccountsThatRotateTakeReplaysWithinTheGrace(t *testing.T) {
	for _, same := range []bool{true, false} {
		a := newAccounts(t, accountsOptions{rotate: true, grace: 30 * time.Second, sameSuccessor: same})
		first := a.login().RefreshToken
		_, got := a.askRefresh(t, first)
		a.clock.advance(30 * time.Second)
		_, replay := a.askRefresh(t, first)
		if replay.Access == "" || replay.Refresh == "" || (replay.Refresh == got.Refresh) != same {
			t.Errorf("the replay: %+v after %+v; want the same successor: %t", replay, got, same)
		}
		if _, next := a.askRefresh(t, got.Refresh); next.Access == "" {
			t.Errorf("the successor after a replay: %+v; want it good", next)
		}
		a.clock.advance(time.Second)
		if _, late := a.askRefresh(t, first); late.Error != "invalid_code" {
			t.Errorf("the replay after the grace: %+v; want invalid_code", late)
		}
	}
}

func TestAccountsMayEndOlderAccessTokens(t *testing.T) {
	a := newAccounts(t, accountsOptions{killOld: true})
	refresh := a.login().RefreshToken
	_, first := a.askRefresh(t, refresh)
	_, second := a.askRefresh(t, refresh)
	if a.isGood(t, first.Access) || !a.isGood(t, second.Access) {
		t.Error("want the older access token dead, and the younger one good")
	}
}

func TestAccountsLoseAnAnswerAfterItTookEffect(t *testing.T) {
	a := newAccounts(t, accountsOptions{lose: 1})
	form := url.Values{"grant_type": {"authorization_code"}, "code": {a.grantToken()}}
	if status, got := a.ask(t, form); status != 0 {
		t.Fatalf("the answer came: %d %+v", status, got)
	}
	if _, got := a.ask(t, form); got.Error != "invalid_code" {
		t.Errorf("the grant token after the lost answer: %+v; want it used", got)
	}
	if n := a.count("authorization_code"); n != 2 {
		t.Errorf("%d requests were counted, want 2", n)
	}
}

func TestAccountsWaitBeforeARequestTakesEffect(t *testing.T) {
	entered, leave := make(chan string), make(chan bool)
	a := newAccounts(t, accountsOptions{delay: func(request string) { entered <- request; <-leave }})
	refresh := a.login().RefreshToken
	done := make(chan rawAnswer)
	go func() {
		_, got := a.askRefresh(t, refresh)
		done <- got
	}()
	if request := <-entered; request != "refresh_token" || a.count(request) != 1 {
		t.Errorf("the request is %q, counted %d times", request, a.count(request))
	}
	leave <- true
	if got := <-done; got.Access == "" {
		t.Errorf("the answer after the delay: %+v", got)
	}
}
