package vault_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/vault"
)

// patience is how long a test waits for what should happen soon.
const patience = 2 * time.Minute

// process is an operating-system process that plays a part.
type process struct {
	stdin io.WriteCloser
	lines chan string // ends with the process
}

// start starts the test binary once more, and returns when it is ready for the signal.
func (p part) start(t *testing.T) *process {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	// With -race, a process would sleep for a second at its end.
	cmd.Env = append(os.Environ(), childVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child := &process{stdin, make(chan string, 4)} // more than it ever prints
	go func() {
		defer close(child.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			child.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range child.lines { // until nothing is left to read
		}
		_ = cmd.Wait()
		_ = stdin.Close()
	})
	return child
}

// line returns the next line that the process prints.
func (c *process) line(t *testing.T) string {
	t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			t.Fatal("a process ended too early")
		}
		return line
	case <-time.After(patience):
		t.Fatal("a process says nothing")
	}
	return ""
}

// play lets n processes play their parts at once.
func play(t *testing.T, n int, p part) []report {
	t.Helper()
	var processes []*process
	for p.Number = range n {
		processes = append(processes, p.start(t))
	}
	for _, c := range processes {
		if got := c.line(t); got != lineReady {
			t.Fatalf("a process says %q, want %q", got, lineReady)
		}
	}
	for _, c := range processes {
		if _, err := io.WriteString(c.stdin, "go\n"); err != nil {
			t.Fatal(err)
		}
	}
	var reports []report
	for i, c := range processes {
		var r report
		if line := c.line(t); json.Unmarshal([]byte(line), &r) != nil || r.Error != "" {
			t.Errorf("process %d reports %s", i, line)
		}
		reports = append(reports, r)
	}
	return reports
}

func TestFirstSavesOfManyProcessesLoseNothing(t *testing.T) {
	const processes, saves = 8, 50
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		p := part{Address: server.Addr, Token: server.RootToken, Prefix: freshPrefix(), Saves: saves}
		saved := map[string]bool{}
		for _, r := range play(t, processes, p) {
			for _, id := range r.IDs {
				saved[id] = true
			}
		}
		if len(saved) != processes*saves {
			t.Errorf("the processes saved %d tokens; want %d", len(saved), processes*saves)
		}
		store := newStore(t, server, server.RootToken, vault.Options{Prefix: p.Prefix})
		tokens, err := store.GetTokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(tokens) != len(saved) || slices.ContainsFunc(tokens, func(token tokenkeep.Token) bool { return !saved[token.ID] }) {
			t.Errorf("the store lists %d tokens; want the %d that were saved", len(tokens), len(saved))
		}
		report, err := store.Verify(t.Context())
		if err != nil || len(report.Findings) != 0 || !report.Scanned {
			t.Errorf("Verify = %v, %v; want no findings in a scanned store", report.Findings, err)
		}
	})
}

func TestProcessesThatMeetAnExpiryRefreshOnce(t *testing.T) {
	const processes = 12
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		var refreshes atomic.Int32
		provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n := refreshes.Add(1)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token": "new %d", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "next %d"}`, n, n)
		}))
		t.Cleanup(provider.Close)
		p := part{Prefix: freshPrefix(), Address: server.Addr, Provider: provider.URL}
		store := newStore(t, server, server.RootToken, vault.Options{Prefix: p.Prefix})
		token := tokenkeep.Token{
			UserName: userEmail, ClientID: "client", RefreshToken: "first", AccessToken: "old", ExpiresAt: time.Now().Add(-time.Second),
		}
		if _, err := store.SaveToken(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		p.Token = login(t, server, policy(t, vault.JobRefresh, p.Prefix))
		for i, r := range play(t, processes, p) {
			if r.Access != "new 1" {
				t.Errorf("process %d has the access token %q; want that of the one refresh", i, r.Access)
			}
		}
		if n := refreshes.Load(); n != 1 {
			t.Errorf("the provider saw %d refreshes; want 1", n)
		}
	})
}
