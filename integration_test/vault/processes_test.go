package vault_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/internal/childtest"
	"github.com/tokenkeep/tokenkeep/vault"
)

// start starts the test binary once more, to play the part.
func (p part) start(t *testing.T) *childtest.Process {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return childtest.Start(t, childVariable, string(text))
}

// play lets n processes play their parts at once.
func play(t *testing.T, n int, p part) []report {
	t.Helper()
	var processes []*childtest.Process
	for p.Number = range n {
		processes = append(processes, p.start(t))
	}
	for _, c := range processes {
		c.Await(t, lineReady)
	}
	for _, c := range processes {
		c.Signal(t)
	}
	var reports []report
	for i, c := range processes {
		var r report
		if line := c.Line(t); json.Unmarshal([]byte(line), &r) != nil || r.Error != "" {
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
