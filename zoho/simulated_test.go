package zoho

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// newSimulated is an accounts server without a socket, for tests in a bubble of synctest: it is its own http.RoundTripper, and
// goes by the clock of the bubble.
func newSimulated(o accountsOptions) *accounts {
	a := &accounts{
		clock: newClock(), options: o, grants: map[string]*grant{}, refresh: map[string]*refreshToken{},
		access: map[string]*accessToken{}, requests: map[string]int{},
		accounts: &httptest.Server{URL: "https://accounts.test.example"}, api: &httptest.Server{URL: "https://api.test.example"},
	}
	late := o.delay
	a.options.delay = func(request string) {
		if late != nil {
			late(request)
		}
		a.clock.setNow()
	}
	return a
}

// RoundTrip lets the server work on, as over a network, when nobody waits for the answer any more.
func (a *accounts) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	served := httptest.NewRequest(req.Method, req.URL.String(), bytes.NewReader(body))
	served.Header = req.Header.Clone()
	answer := make(chan *http.Response, 1)
	go func() {
		defer close(answer)
		defer func() { _ = recover() }() // a lost reply
		w := httptest.NewRecorder()
		a.serveAccounts(w, served)
		answer <- w.Result()
	}()
	select {
	case resp, ok := <-answer:
		if !ok {
			return nil, io.ErrUnexpectedEOF
		}
		return resp, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// newProvider goes by the clock of the bubble.
func (a *accounts) newProvider() *Provider {
	return NewProvider(a.dataCenter(), &http.Client{Transport: a})
}

// ended counts the logins that are over.
func (a *accounts) ended() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, r := range a.refresh {
		if r.of.revoked {
			n++
		}
	}
	return n
}

// versions is a secrets manager in memory that counts the versions of tokens, and takes a while for each call.
type versions struct {
	*memdriver.Secrets
	mu     sync.Mutex
	tokens int
}

const callTime = 20 * time.Millisecond

func (v *versions) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	time.Sleep(callTime / 2)
	next, err := v.Secrets.Put(ctx, name, payload, rev)
	time.Sleep(callTime / 2)
	if err == nil && next != rev && strings.HasPrefix(name, "t_") {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.tokens++
	}
	return next, err
}

func (v *versions) Latest(ctx context.Context, name string) (driver.Secret, error) {
	time.Sleep(callTime)
	return v.Secrets.Latest(ctx, name)
}

func (v *versions) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	time.Sleep(callTime)
	return v.Secrets.GetMany(ctx, names)
}

// count returns the number of versions since the last count.
func (v *versions) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.tokens
	v.tokens = 0
	return n
}

// handle is that of another process.
func (v *versions) handle() *tokenkeep.SecretStore {
	return tokenkeep.NewSecretStore(v, tokenkeep.Options{})
}

// saveLogin saves the token of a login of now, which has no access token yet.
func (v *versions) saveLogin(t *testing.T, a *accounts) {
	t.Helper()
	token := a.login()
	token.UserName = userEmail
	if _, err := v.handle().SaveToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if n := v.count(); n != 1 {
		t.Fatalf("the save made %d versions of tokens, want 1", n)
	}
}
