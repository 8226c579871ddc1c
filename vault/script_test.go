package vault

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a server that answers as a test tells it. What real servers show is tested on them.
type script struct {
	t      *testing.T
	server *httptest.Server
	answer func(r *http.Request, body string) (status int, text string)

	mu       sync.Mutex
	requests []string // METHOD path?query
	headers  []http.Header
}

// Replies of Vault.
const (
	kv2       = `{"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}}`
	denied    = `{"errors": ["1 error occurred:\n\t* permission denied\n\n"]}`
	noMatch   = `{"errors": ["check-and-set parameter did not match the current version"]}`
	nothing   = `{"errors": []}`
	deleted   = `{"data": {"data": null, "metadata": {"version": 1, "destroyed": false, "deletion_time": "2026-01-01T00:00:00Z"}}}`
	destroyed = `{"data": {"data": null, "metadata": {"version": 2, "destroyed": true, "deletion_time": ""}}}`
)

func wrote(version int) string { return fmt.Sprintf(`{"data": {"version": %d}}`, version) }

func holds(version int, payload string) string {
	const text = `{"data": {"data": {"payload": %q}, "metadata": {"version": %d, "destroyed": false, "deletion_time": ""}}}`
	return fmt.Sprintf(text, payload, version)
}

// newScript starts a server. Whatever is asked about the mount and the token is answered favourably, unless answer does.
func newScript(t *testing.T, answer func(r *http.Request, body string) (status int, text string)) *script {
	s := &script{t: t, answer: answer}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	return s
}

func (s *script) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	status, text := s.answer(r, string(body))
	path := strings.TrimPrefix(r.URL.RequestURI(), "/v1/")
	if strings.HasPrefix(path, "sys/internal/ui/mounts/") && status == 0 {
		status, text = 200, kv2
	} else {
		s.requests = append(s.requests, r.Method+" "+path)
	}
	s.headers = append(s.headers, r.Header)
	if status == 0 {
		status, text = 404, nothing
		if path == "auth/token/lookup-self" {
			status, text = 200, `{"data": {"id": "x"}}`
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// sent counts the requests so far that begin so.
func (s *script) sent(beginning string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if strings.HasPrefix(r, beginning) {
			n++
		}
	}
	return n
}

// wantRequests checks all requests so far, but those about the mount.
func (s *script) wantRequests(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.requests, want) {
		s.t.Errorf("requests\n%s\nwant\n%s", strings.Join(s.requests, "\n"), strings.Join(want, "\n"))
	}
}

// client repeats a request twice, after a millisecond.
func (s *script) client(transport http.RoundTripper) *api.Client {
	s.t.Helper()
	cfg := api.DefaultConfig()
	cfg.Address, cfg.MinRetryWait, cfg.MaxRetryWait = s.server.URL, time.Millisecond, time.Millisecond
	base := cfg.HttpClient.Transport.(*http.Transport)
	s.t.Cleanup(base.CloseIdleConnections)
	if c, ok := transport.(*cutting); ok {
		c.RoundTripper = base
		cfg.HttpClient.Transport = c
	}
	client, err := api.NewClient(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	client.SetToken("token")
	return client
}

// driver returns a driver whose waits are over at once.
func (s *script) driver(client *api.Client, o Options) *secrets {
	s.t.Helper()
	if o.Prefix == "" {
		o.Prefix = "p"
	}
	d, err := newSecrets(client, o)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// cutting loses replies to puts of data, after they have taken effect.
type cutting struct {
	http.RoundTripper
	mu    sync.Mutex
	lose  int
	after func() // what happens right after a lost reply
}

// RoundTrip sends a request.
func (c *cutting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || req.Method != http.MethodPut || !strings.Contains(req.URL.Path, "/data/") || c.lose == 0 {
		return resp, err
	}
	c.lose--
	_ = resp.Body.Close()
	if c.after != nil {
		c.after()
	}
	return nil, io.ErrUnexpectedEOF
}
