package awssm_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// tunnel leads from the clients inside a synctest bubble to a server outside. The bubble's clock stands still while a request
// is under way, and the server has the time of the last request that was sent.
type tunnel struct {
	clock    atomic.Int64 // in ns since 1970
	requests chan *http.Request
	replies  chan tunnelled

	mu sync.Mutex // held for a request: the others wait, and the clock with them
}

type tunnelled struct {
	response *http.Response
	err      error
}

// newTunnel is called outside the bubble: what waits for a network would stop its clock.
func newTunnel(t *testing.T) *tunnel {
	u := &tunnel{requests: make(chan *http.Request), replies: make(chan tunnelled)}
	transport := &http.Transport{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for request := range u.requests {
			response, err := transport.RoundTrip(request)
			if err == nil {
				var body []byte
				body, err = io.ReadAll(response.Body)
				_ = response.Body.Close()
				response.Body = io.NopCloser(bytes.NewReader(body))
			}
			u.replies <- tunnelled{response, err}
		}
	}()
	t.Cleanup(func() {
		close(u.requests)
		<-done
		transport.CloseIdleConnections()
	})
	return u
}

func (u *tunnel) now() time.Time { return time.Unix(0, u.clock.Load()) }

// RoundTrip is one attempt of a call.
func (u *tunnel) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	outside, err := http.NewRequest(request.Method, request.URL.String(), bytes.NewReader(body)) // without the context, which is of the bubble
	if err != nil {
		return nil, err
	}
	outside.Header = request.Header
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clock.Store(time.Now().UnixNano())
	u.requests <- outside
	reply := <-u.replies
	return reply.response, reply.err
}

// Each in a process of its own, as in Lambda functions. The number is in docs/operations.md.
func TestADayOfSignUpsMeetsNoQuota(t *testing.T) {
	t.Parallel()
	users, indexSecrets, reads := 5000, 1+16+16*16, 1+1+13
	if fewer() {
		users, indexSecrets, reads = 1200, 1+16+15*16, 1+1+12
	}
	tunnel := newTunnel(t)
	server, err := localstack.Start(localstack.WithClock(tunnel.now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	synctest.Test(t, func(t *testing.T) {
		cfg := server.Config()
		cfg.HTTPClient = &http.Client{Transport: tunnel}
		client := secretsmanager.NewFromConfig(cfg)
		start := time.Now()
		for i := range users {
			store := newStore(t, client, awssm.Options{Prefix: "crm/prod"})
			if _, err := store.SaveToken(t.Context(), signUp(i)); err != nil {
				t.Errorf("sign-up %d, after %v: %v", i, time.Since(start), err)
				time.Sleep(time.Minute) // the bubble must end with no goroutine left
				return
			}
			time.Sleep(time.Until(start.Add(time.Duration(i+1) * 24 * time.Hour / time.Duration(users))))
		}
		t.Logf("%v: %d sign-ups made %v", time.Since(start), users, server.Calls())
		server.ResetCalls()
		tokens, err := newStore(t, client, awssm.Options{Prefix: "crm/prod"}).GetTokens(t.Context())
		listed := map[string]bool{}
		for _, token := range tokens {
			listed[token.UserName] = true
		}
		if err != nil || len(tokens) != users || len(listed) != users {
			t.Errorf("GetTokens: %d tokens of %d users, error %v; want %d of as many", len(tokens), len(listed), err, users)
		}
		if n := total(server.Calls()); n != reads+users/20 {
			t.Errorf("GetTokens made %d calls; want %d for the index and %d for the tokens", n, reads, users/20)
		}
	})
	a := account{t: t, o: awssm.Options{Prefix: "crm/prod"}, direct: secretsmanager.NewFromConfig(server.Config())}
	if n := a.indexSecrets(); n != indexSecrets {
		t.Errorf("%d index secrets; want %d", n, indexSecrets)
	}
}
