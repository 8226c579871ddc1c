package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/zoho"
)

// person opens the address that a program prints.
type person struct {
	t    *testing.T
	read strings.Builder
}

func (p *person) Write(text []byte) (int, error) {
	p.read.Write(text)
	if _, address, ok := strings.Cut(string(text), "in a browser: "); ok {
		resp, err := http.Get(strings.TrimSpace(address))
		if err != nil {
			p.t.Error(err)
			return len(text), nil
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	return len(text), nil
}

func TestAPersonCanOpenTheAddressByHand(t *testing.T) {
	for name, flags := range map[string][]string{
		"--no-browser":                 {"--no-browser"},
		"no browser that could be run": nil,
	} {
		t.Run(name, func(t *testing.T) {
			a := &accounts{}
			server := httptest.NewServer(a)
			defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			defer server.Close()
			t.Setenv("PATH", t.TempDir())
			t.Setenv(secretVariable, "canary-secret")
			var stdout strings.Builder
			stderr := &person{t: t}
			args := append([]string{"login", "--store", "mem:", "--client", "web", "--scope", "crm", "--accounts-url", server.URL}, flags...)
			status := run(t.Context(), args, &stdout, stderr)
			if status != 0 || !strings.Contains(stdout.String(), "ann@example.com") || strings.Count(stderr.read.String(), "\n") != 1 {
				t.Errorf("status %d, %q, on stderr %q", status, stdout.String(), stderr.read.String())
			}
			if got := a.seen(); !slices.Equal(got, []string{"auth", "exchange", "users"}) {
				t.Errorf("the requests were %q", got)
			}
		})
	}
}

func TestTheFlagsTellTheDataCenter(t *testing.T) {
	server, both := zoho.DataCenter{AccountsURL: "https://a.example"}, zoho.DataCenter{AccountsURL: "https://a.example", APIDomain: "https://b.example"}
	for name, tt := range map[string]struct {
		flags loginFlags
		want  zoho.DataCenter
	}{
		"by its location":   {loginFlags{location: "EU"}, zoho.EU},
		"a sandbox":         {loginFlags{location: "in", sandbox: true}, zoho.IN.Sandbox()},
		"a developer's":     {loginFlags{location: "jp", developer: true}, zoho.JP.Developer()},
		"by its server":     {loginFlags{location: "us", accountsURL: server.AccountsURL}, server},
		"by both its hosts": {loginFlags{location: "us", accountsURL: both.AccountsURL, apiDomain: both.APIDomain}, both},
	} {
		if got, err := tt.flags.dataCenter(); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, tt.want)
		}
	}
}

func TestEverySystemHasItsBrowser(t *testing.T) {
	for system, want := range map[string]string{
		"linux": "xdg-open", "freebsd": "xdg-open", "darwin": "open", "windows": "rundll32 url.dll,FileProtocolHandler",
	} {
		name, args := browserCommand(system)
		if got := strings.Join(append([]string{name}, args...), " "); got != want {
			t.Errorf("%s: %q; want %q", system, got, want)
		}
	}
}
