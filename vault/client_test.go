package vault

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep/driver"
)

// seenHeaders returns the values of a header in the requests so far.
func (s *script) seenHeaders(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []string
	for _, h := range s.headers {
		values = append(values, h.Get(name))
	}
	return strings.Join(values, " ")
}

func TestEveryCallHasTheTokenAndHeadersOfTheMoment(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "environment\x01") // with which nothing could be sent
	s := newScript(t, func(*http.Request, string) (int, string) { return 0, "" })
	client := s.client(nil)
	client.SetToken("one")
	d := s.driver(client, Options{Namespace: "/team/a/"})
	d.mounted.Store(true)
	_, _ = d.Latest(t.Context(), "a")
	client.SetToken("two")
	client.AddHeader("X-Vault-Forward", "active-node")
	_, _ = d.Latest(t.Context(), "a")
	if got := s.seenHeaders("X-Vault-Token"); got != "one two" {
		t.Errorf("the requests had the tokens %q; want one, then two", got)
	}
	if got := s.seenHeaders("X-Vault-Forward"); got != " active-node" {
		t.Errorf("the requests had the headers %q; want that of the client in the second", got)
	}
}

func TestATokenMayBeReplacedDuringCalls(t *testing.T) {
	s := newScript(t, func(*http.Request, string) (int, string) { return 0, "" })
	client := s.client(nil)
	d := s.driver(client, Options{Namespace: "team"})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50 {
			client.SetToken("another")
		}
	}()
	for range 50 {
		_, _ = d.Latest(t.Context(), "a")
	}
	<-done // the race detector finds what is wrong
}

func TestTheNamespaceIsThatOfTheOptionsElseOfTheClient(t *testing.T) {
	tests := []struct{ client, option, want string }{
		{"", "", ""},
		{"", "team/a", "team/a"},
		{"other", "", "other"},
		{"other", "/team/a/", "team/a"},
	}
	for _, tt := range tests {
		t.Setenv("VAULT_NAMESPACE", "environment") // which the client below does not have any more
		s := newScript(t, func(*http.Request, string) (int, string) { return 0, "" })
		client := s.client(nil)
		client.SetNamespace(tt.client)
		d := s.driver(client, Options{Namespace: tt.option})
		_, _ = d.Latest(t.Context(), "a")
		if got := s.seenHeaders("X-Vault-Namespace"); strings.TrimSpace(got) != strings.TrimSpace(tt.want+" "+tt.want) {
			t.Errorf("client %q, option %q: namespaces %q; want %q in both requests", tt.client, tt.option, got, tt.want)
		}
		if got := client.Namespace(); got != tt.client {
			t.Errorf("the caller's client is in the namespace %q now; want %q as before", got, tt.client)
		}
	}
}

func TestTheCallersClientStaysAsItIs(t *testing.T) {
	s := newScript(t, func(*http.Request, string) (int, string) { return 0, "" })
	client := s.client(nil)
	before := client.CloneConfig().HttpClient.Transport
	d := s.driver(client, Options{})
	_, _ = d.Latest(t.Context(), "a")
	after := client.CloneConfig()
	if after.HttpClient.Transport != before || after.CheckRetry != nil || after.MaxRetries != 2 || client.Token() != "token" {
		t.Error("the caller's client was changed")
	}
}

func TestNothingIsAskedToBeWrapped(t *testing.T) {
	s := newScript(t, func(*http.Request, string) (int, string) { return 0, "" })
	client := s.client(nil)
	client.SetWrappingLookupFunc(func(string, string) string { return "60s" })
	_, _ = s.driver(client, Options{}).Latest(t.Context(), "a")
	if got := strings.TrimSpace(s.seenHeaders("X-Vault-Wrap-TTL")); got != "" {
		t.Errorf("the requests ask for a wrapped reply, for %q", got)
	}
}

func TestNewStoreRefusesWhatVaultWould(t *testing.T) {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		o    Options
		says string
	}{
		{"no prefix", Options{}, "Prefix is empty"},
		{"an empty segment", Options{Prefix: "a//b"}, "empty segment"},
		{"a slash before", Options{Prefix: "/a"}, "slash at its start"},
		{"a slash after", Options{Prefix: "a/"}, "slash at its start or end"},
		{"a dot", Options{Prefix: "a/./b"}, "another folder"},
		{"two dots", Options{Prefix: "../b"}, "another folder"},
		{"a wildcard", Options{Prefix: "a/+"}, "it has '+'"},
		{"an asterisk", Options{Prefix: "a*"}, "it has '*'"},
		{"an escape", Options{Prefix: "a%2Fb"}, "it has '%'"},
		{"a line break", Options{Prefix: "a\n"}, "it has '\\n'"},
		{"too long", Options{Prefix: strings.Repeat("a", 257)}, "shorten it"},
		{"a mount that leads elsewhere", Options{Mount: "a/../b", Prefix: "p"}, "another folder"},
		{"a mount of slashes", Options{Mount: "//", Prefix: "p"}, "empty segment"},
		{"a namespace that leads elsewhere", Options{Namespace: "a/..", Prefix: "p"}, "another folder"},
		{"a negative size", Options{Prefix: "p", MaxPayload: -1}, "counts bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewStore(client, tt.o)
			if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("NewStore = %v; want ErrInvalid that says %q", err, tt.says)
			}
		})
	}
	if _, err := NewStore(nil, Options{Prefix: "p"}); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("NewStore(nil) = %v; want ErrInvalid", err)
	}
	if _, err := NewStore(client, Options{Mount: "/team/kv/", Prefix: "crm/p-1_x.y@z="}); err != nil {
		t.Errorf("NewStore with slashes around the mount = %v; want success", err)
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	s := newScript(t, func(*http.Request, string) (int, string) { return 0, "" })
	d := s.driver(s.client(nil), Options{})
	for _, name := range []string{"", ".", "..", "../a", "a/b", "a b", "a%2Fb", "A", "é", strings.Repeat("a", 511)} {
		_, get := d.Latest(t.Context(), name)
		_, put := d.Put(t.Context(), name, []byte("x"), "")
		_, many := d.GetMany(t.Context(), []string{name})
		for method, err := range map[string]error{"Latest": get, "Put": put, "Delete": d.Delete(t.Context(), name), "GetMany": many} {
			if !errors.Is(err, driver.ErrInvalid) {
				t.Errorf("%s(%q) = %v; want ErrInvalid", method, name, err)
			}
		}
	}
	s.wantRequests()
}

func TestARevisionThatIsOldIsReadAgain(t *testing.T) {
	one, stranger := newRevision(1, []byte("one")), newRevision(1, []byte("stranger"))
	tests := []struct {
		name     string
		seen     revision
		age      time.Duration
		current  string
		status   int
		conflict bool
		reads    int
	}{
		{"a minute", one, recentAge, "", 0, false, 0},
		{"over a minute", one, recentAge + 1, holds(1, "one"), 200, false, 1},
		{"from the future", one, -time.Second, holds(1, "one"), 200, false, 1},
		{"another life with the same number", one, recentAge + 1, holds(1, "stranger"), 200, true, 1},
		{"just read, in another life", stranger, 0, holds(1, "stranger"), 200, true, 1},
		{"deleted by hand", one, recentAge + 1, deleted, 404, true, 1},
		{"a node that is behind", one, recentAge + 1, nothing, 404, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, func(r *http.Request, _ string) (int, string) {
				if r.Method == http.MethodPut {
					return 200, wrote(2)
				}
				return tt.status, tt.current
			})
			d := s.driver(s.client(nil), Options{})
			d.mounted.Store(true)
			now := time.Now()
			d.now = func() time.Time { return now }
			d.recent.note("a", tt.seen, now)
			now = now.Add(tt.age)
			_, err := d.Put(t.Context(), "a", []byte("two"), one.encode("secret/p/a"))
			if tt.conflict != errors.Is(err, driver.ErrConflict) || !tt.conflict && err != nil {
				t.Errorf("Put = %v; want a conflict: %v", err, tt.conflict)
			}
			if got := s.sent("GET"); got != tt.reads {
				t.Errorf("%d reads; want %d", got, tt.reads)
			}
			if sent := s.sent("PUT secret/data/"); (sent == 0) != tt.conflict {
				t.Errorf("the put was sent %d times", sent)
			}
		})
	}
}
