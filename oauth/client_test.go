package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
)

// api is a host of APIs without a socket. It notes what it was sent, and takes one access token.
type api struct {
	takes  string            // the access token; empty: any
	moved  map[string]string // URL to URL
	seen   []string
	bodies []string
	unread int // answers whose body nobody closed
}

func (a *api) RoundTrip(req *http.Request) (*http.Response, error) {
	a.seen = append(a.seen, req.URL.String()+" "+req.Header.Get("Authorization"))
	body := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
		_ = req.Body.Close()
	}
	a.bodies = append(a.bodies, body)
	resp := respond(200, "fine")
	if to := a.moved[req.URL.String()]; to != "" {
		resp = respond(307, "")
		resp.Header.Set("Location", to)
	} else if a.takes != "" && !strings.HasSuffix(req.Header.Get("Authorization"), " "+a.takes) {
		resp = respond(401, "no")
	}
	a.unread++
	resp.Body = closing{resp.Body, func() { a.unread-- }}
	return resp, nil
}

// closing tells when it is closed.
type closing struct {
	io.Reader
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return nil
}

func (a *api) client(s *Source) *http.Client {
	return s.Client(context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: a, Timeout: time.Minute}))
}

// clientSource is a source of ann's token, which is ten minutes old.
func clientSource(t *testing.T, e *endpoint, o Options) *Source {
	t.Helper()
	token := ann(time.Hour)
	token.RefreshedAt = time.Now().Add(-10 * time.Minute)
	store, id := secretStore(t, &memdriver.Secrets{}, token)
	if o.Provider == nil {
		o.Provider = e.provider(Traits{})
	}
	o.HTTPClient = &http.Client{Transport: e}
	return NewSource(store, tokenkeep.Token{ID: id}, o)
}

var moved = map[string]string{
	"https://api.test/elsewhere":       "https://evil.test/x",
	"https://api.test/there-and-back":  "https://evil.test/back",
	"https://evil.test/back":           "https://api.test/y",
	"https://api.test/down":            "http://api.test/z",
	"https://api.test/along":           "/along2",
	"https://api.test/to-listed":       "https://other.test/w",
	"https://api.test/other-port":      "https://api.test:8443/v",
	"https://api.test/same-port":       "https://api.test:443/v",
	"http://localhost:8080/other-port": "http://localhost:8081/v",
}

func TestWhichRequestsCarryTheToken(t *testing.T) {
	tests := []struct {
		name, url string
		hosts     []string
		want      []string // whether each request carries it
	}{
		{"any host", "https://api.test/x", nil, []string{"yes"}},
		{"not a redirect to another host", "https://api.test/elsewhere", nil, []string{"yes", "no"}},
		{"but one that leads back", "https://api.test/there-and-back", nil, []string{"yes", "no", "yes"}},
		{"not from https to http", "https://api.test/down", nil, []string{"yes", "no"}},
		{"not from https to http on a listed host", "https://api.test/down", []string{"api.test"}, []string{"yes", "no"}},
		{"a redirect on the same host", "https://api.test/along", nil, []string{"yes", "yes"}},
		{"not to another port", "https://api.test/other-port", nil, []string{"yes", "no"}},
		{"to the same port, spelt out", "https://api.test/same-port", nil, []string{"yes", "yes"}},
		{"a listed host", "https://API.test/x", []string{"api.test"}, []string{"yes"}},
		{"a listed host, spelt as a URL", "https://api.test/x", []string{"https://API.test/crm"}, []string{"yes"}},
		{"not a listed https URL over http", "http://api.test/x", []string{"https://api.test"}, []string{"no"}},
		{"a listed host with its port", "https://api.test/x", []string{"api.test:443"}, []string{"yes"}},
		{"a listed host with a port", "http://localhost:8080/other-port", []string{"localhost:8080"}, []string{"yes", "no"}},
		{"no other host", "https://evil.test/x", []string{"api.test"}, []string{"no"}},
		{"no host below", "https://x.api.test/x", []string{"api.test"}, []string{"no"}},
		{"no other port", "https://api.test:8443/x", []string{"api.test"}, []string{"no"}},
		{"a redirect to a listed host", "https://api.test/to-listed", []string{"api.test", "other.test"}, []string{"yes", "yes"}},
		{"a redirect to one that is not", "https://api.test/elsewhere", []string{"api.test", "other.test"}, []string{"yes", "no"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &api{moved: moved}
			resp, err := a.client(clientSource(t, &endpoint{}, Options{Hosts: tt.hosts})).Get(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			var got []string
			for _, line := range a.seen {
				carries := "no"
				if strings.HasSuffix(line, " Bearer at0") {
					carries = "yes"
				}
				got = append(got, carries)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || a.unread != 0 {
				t.Errorf("%d bodies not closed; (-want +got):\n%s\n%v", a.unread, diff, a.seen)
			}
			if got := resp.Request.Header.Get("Authorization"); got != "" {
				t.Errorf("the answer's request shows %q", got)
			}
		})
	}
}

func TestTheSchemeIsTheProviders(t *testing.T) {
	a := &api{}
	s := clientSource(t, &endpoint{}, Options{Provider: (&endpoint{}).provider(Traits{Scheme: "Zoho-oauthtoken"})})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.test/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "mine")
	resp, err := a.client(s).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if a.seen[0] != "https://api.test/x Zoho-oauthtoken at0" || req.Header.Get("Authorization") != "mine" {
		t.Errorf("sent %q, and the caller's header is %q", a.seen, req.Header.Get("Authorization"))
	}
}

func TestRejectedRequestsAreRepeatedOnce(t *testing.T) {
	onlyOnce := struct{ io.Reader }{strings.NewReader("once")}
	tests := []struct {
		name  string
		takes string
		body  io.Reader
		fail  func(int) *http.Response
		want  []string // bodies sent
		code  int
		asked int
	}{
		{"without a body", "at1", nil, nil, []string{"", ""}, 200, 1},
		{"with a body that can be repeated", "at1", strings.NewReader("data"), nil, []string{"data", "data"}, 200, 1},
		{"with one that cannot", "at1", onlyOnce, nil, []string{"once"}, 401, 0},
		{"not a second time", "at9", nil, nil, []string{"", ""}, 401, 1},
		{"not without a new token", "at1", nil, always(429, ""), []string{""}, 401, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &endpoint{fail: tt.fail}
			a := &api{takes: tt.takes}
			s := clientSource(t, e, Options{})
			resp, err := a.client(s).Post("https://api.test/x", "text/plain", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if diff := cmp.Diff(tt.want, a.bodies); diff != "" || resp.StatusCode != tt.code || e.count() != tt.asked || a.unread != 0 {
				t.Errorf("status %d, %d refreshes, %d bodies not closed; want %d, %d, 0; bodies sent (-want +got):\n%s",
					resp.StatusCode, e.count(), a.unread, tt.code, tt.asked, diff)
			}
		})
	}
}

func TestARequestWithoutATokenIsNotSent(t *testing.T) {
	a := &api{}
	s := NewSource(memstore.New(), tokenkeep.Token{UserName: "eve"}, (&endpoint{}).options())
	closed := 0
	_, err := a.client(s).Post("https://api.test/x", "text/plain", closing{strings.NewReader("x"), func() { closed++ }})
	if !errors.Is(err, tokenkeep.ErrNotFound) || len(a.seen) != 0 || closed != 1 {
		t.Errorf("error %v, sent %v, closed %d times", err, a.seen, closed)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.client(clientSource(t, &endpoint{}, Options{})).Do(req)
	wantErr(t, err, context.Canceled)
}

func TestClientTakesWhatTheOptionsSay(t *testing.T) {
	o := Options{Config: &oauth2.Config{}, HTTPClient: &http.Client{Timeout: time.Hour}}
	s := NewSource(memstore.New(), tokenkeep.Token{}, o)
	if c := s.Client(t.Context()); c.Timeout != time.Hour || o.HTTPClient.Transport != nil {
		t.Errorf("timeout %v, transport of the options %v", c.Timeout, o.HTTPClient.Transport)
	}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Timeout: time.Minute})
	if c := s.Client(ctx); c.Timeout != time.Minute {
		t.Errorf("timeout %v", c.Timeout)
	}
}
