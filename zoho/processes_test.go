package zoho

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/internal/childtest"
	"github.com/tokenkeep/tokenkeep/internal/mototest"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// patience is longer than a test lasts: for leases that must not end.
const patience = 2 * time.Minute

// soak returns the larger number where the environment asks for it.
func soak(few, many int) int {
	if os.Getenv("TOKENKEEP_SOAK") != "" {
		return many
	}
	return few
}

// start starts the test binary once more, to play the part.
func (p part) start(t *testing.T) *childtest.Process {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return childtest.Start(t, childVariable, string(text))
}

func reportOf(t *testing.T, c *childtest.Process) report {
	t.Helper()
	var r report
	line := c.Line(t)
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return r
}

// fleet is a number of processes that play one part.
type fleet []*childtest.Process

func (p part) startMany(t *testing.T, n int) fleet {
	t.Helper()
	var f fleet
	for range n {
		f = append(f, p.start(t))
	}
	f.await(t, lineReady)
	return f
}

func (f fleet) signal(t *testing.T) {
	t.Helper()
	for _, c := range f {
		c.Signal(t)
	}
}

func (f fleet) await(t *testing.T, line string) {
	t.Helper()
	for _, c := range f {
		c.Await(t, line)
	}
}

func (f fleet) reports(t *testing.T) []report {
	t.Helper()
	var all []report
	for _, c := range f {
		all = append(all, reportOf(t, c))
	}
	return all
}

func startStore(t *testing.T) *localstack.Server {
	t.Helper()
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// expired saves a token whose access token has expired, in a folder of its own, and returns the part of a process that
// wants it, and the store.
func (a *accounts) expired(t *testing.T, endpoint string) (part, *tokenkeep.SecretStore) {
	t.Helper()
	cfg, err := localstack.ConfigFor(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg.HTTPClient = &http.Client{Transport: transport}
	p := part{Endpoint: endpoint, Prefix: "test/" + strings.ToLower(rand.Text())}
	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), awssm.Options{Prefix: p.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	token := a.login()
	token.UserName, token.AccountsURL, token.APIDomain = userEmail, a.accounts.URL, a.api.URL
	token.AccessToken, token.ExpiresAt = "old", time.Now().Add(-time.Second)
	if _, err := store.SaveToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return p, store
}

// oneToken checks that all processes have the same new token, and that it is good.
func (a *accounts) oneToken(t *testing.T, reports []report) {
	t.Helper()
	for i, r := range reports {
		if r.Error != "" || r.Access != reports[0].Access {
			t.Errorf("process %d has %q, %q; want that of the others, %q", i, r.Access, r.Error, reports[0].Access)
		}
	}
	if !a.isGood(t, reports[0].Access) {
		t.Errorf("the token %q is not good", reports[0].Access)
	}
}

func TestProcessesThatMeetAnExpiryRefreshOnce(t *testing.T) {
	server := startStore(t)
	refreshedOnce(t, server.URL, soak(12, 50))
	t.Logf("calls of the store: %v", server.Calls())
}

func TestProcessesThatMeetAnExpiryRefreshOnceOnMoto(t *testing.T) {
	refreshedOnce(t, mototest.Start(t), soak(4, 8))
}

// refreshedOnce lets n processes meet an expiry. The accounts server answers when each has seen the token expired or leased.
func refreshedOnce(t *testing.T, endpoint string, n int) {
	looked := make(chan struct{})
	a := newAccounts(t, accountsOptions{delay: func(request string) {
		if request == "refresh_token" {
			waitFor(t, looked)
		}
	}})
	p, _ := a.expired(t, endpoint)
	p.Lease, p.Deadline = 2*patience, patience
	processes := p.startMany(t, n)
	processes.signal(t)
	processes.await(t, lineRead)
	close(looked)
	reports := processes.reports(t)

	a.oneToken(t, reports)
	if n := a.count("refresh_token"); n != 1 {
		t.Errorf("the accounts server saw %d refreshes, want 1", n)
	}
	refreshers, commit := 0, time.Time{}
	for _, r := range reports {
		if r.Refreshed {
			refreshers, commit = refreshers+1, r.Commit
		}
	}
	if refreshers != 1 {
		t.Errorf("%d processes say that they refreshed, want 1", refreshers)
	}
	most, total := 0, 0
	for i, r := range reports {
		late := r.readsAfter(commit)
		if late > 2 {
			t.Errorf("process %d read the store %d times after the commit, want at most 2", i, late)
		}
		most, total = max(most, late), total+len(r.Reads)
	}
	t.Logf("%d processes read %d times, and each at most %d times after the commit", n, total, most)
}

// waitFor waits for a channel, or for the end of the test.
func waitFor(t *testing.T, event <-chan struct{}) {
	select {
	case <-event:
	case <-t.Context().Done():
	}
}

func (r report) readsAfter(commit time.Time) int {
	n := 0
	for _, began := range r.Reads {
		if began.After(commit) {
			n++
		}
	}
	return n
}

// String hides nothing: all tokens are those of the test.
func (r report) String() string {
	return fmt.Sprintf("%q, error %q, reauthorize %t, told %d times, %d reads", r.Access, r.Error, r.Reauthorize, r.Told, len(r.Reads))
}
