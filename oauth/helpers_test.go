package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint is a token endpoint without a socket: it gives access tokens at1, at2 … that live for life, and checks what is spent.
type endpoint struct {
	rotates bool
	life    time.Duration // 0: an hour
	delay   time.Duration

	mu       sync.Mutex
	valid    string // the refresh token or code that is taken now; empty: any
	requests []url.Values
	fail     func(n int) *http.Response // nil, or nil from it: a token
}

func (e *endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if e.delay > 0 {
		select {
		case <-time.After(e.delay):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = append(e.requests, form)
	n := len(e.requests)
	if e.fail != nil {
		if resp := e.fail(n); resp != nil {
			return resp, nil
		}
	}
	spent := form.Get("refresh_token") + form.Get("code")
	if e.valid != "" && spent != e.valid {
		return respond(400, `{"error":"invalid_grant"}`), nil
	}
	life := e.life
	if life == 0 {
		life = time.Hour
	}
	rotated := ""
	if e.rotates || form.Get("code") != "" {
		e.valid = fmt.Sprintf("rt%d", n)
		rotated = fmt.Sprintf(`,"refresh_token":%q`, e.valid)
	}
	return respond(200, fmt.Sprintf(`{"access_token":"at%d","expires_in":%d%s}`, n, int(life/time.Second), rotated)), nil
}

func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.requests)
}

func (e *endpoint) setFail(fail func(int) *http.Response) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = fail
}

func respond(status int, body string) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

func always(status int, body string) func(int) *http.Response {
	return func(int) *http.Response { return respond(status, body) }
}

// provider is one over an endpoint.
func (e *endpoint) provider(traits Traits) Provider {
	traits.Rotates = e.rotates
	return NewConfigProvider(&oauth2.Config{ClientID: "client", Endpoint: oauth2.Endpoint{TokenURL: "https://accounts.test/token"}}, traits, nil)
}

func (e *endpoint) options() Options {
	return Options{Provider: e.provider(Traits{}), HTTPClient: &http.Client{Transport: e}}
}

// shaky is a driver whose writes or reads fail while fail says so.
type shaky struct {
	*memdriver.Secrets
	mu   sync.Mutex
	fail func(op string) error
}

func (s *shaky) set(fail func(op string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *shaky) check(op, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		return nil
	}
	if err := s.fail(op); err != nil {
		return &driver.Error{Op: op, Name: name, Err: err}
	}
	return nil
}

func (s *shaky) Get(ctx context.Context, name string) (driver.Secret, error) {
	if err := s.check("Get", name); err != nil {
		return driver.Secret{}, err
	}
	return s.Secrets.Get(ctx, name)
}

func (s *shaky) Latest(ctx context.Context, name string) (driver.Secret, error) {
	if err := s.check("Latest", name); err != nil {
		return driver.Secret{}, err
	}
	return s.Secrets.Latest(ctx, name)
}

func (s *shaky) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	if err := s.check("Put", name); err != nil {
		return "", err
	}
	return s.Secrets.Put(ctx, name, payload, rev)
}

// secretStore returns a store over secrets with one token in it, and its ID.
func secretStore(t *testing.T, secrets driver.Secrets, token tokenkeep.Token) (*tokenkeep.SecretStore, string) {
	t.Helper()
	store := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
	saved, err := store.SaveToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return store, saved.ID
}

// ann is a token that expires after life, or has expired.
func ann(life time.Duration) tokenkeep.Token {
	return tokenkeep.Token{
		UserName: "ann", ClientID: "client", ClientSecret: "secret", RefreshToken: "a0", AccessToken: "at0",
		ExpiresAt: time.Now().Add(life), RefreshedAt: time.Now().Add(life - time.Hour),
	}
}

func wantToken(t *testing.T, s *Source, want string) {
	t.Helper()
	tok, err := s.TokenContext(t.Context())
	if err != nil || tok.AccessToken != want {
		t.Fatalf("TokenContext = %v, error %v; want %s", accessOf(tok), err, want)
	}
	if tok.RefreshToken != "" {
		t.Error("the token has a refresh token")
	}
}

func accessOf(tok *oauth2.Token) string {
	if tok == nil {
		return "no token"
	}
	return tok.AccessToken
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
