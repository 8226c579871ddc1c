package oauth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/internal/faults"
)

// outcomes are what the callers of a source get, in the order of the table in docs/reliability.md.
var outcomes = []string{"a token", "a token, UnsavedError", "ErrUnavailable", "the context's error", "nobody is left"}

// A source whose token has expired meets every fault at every request to the store. Whatever happens, a refresh token that the
// provider has given is stored in the end or, where the process died with it, the login is known to be lost.
func TestASourceMeetsEveryFaultAtEveryRequest(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "| | the request | source | cases | %s |\n|---|---|---|--:|%s\n", strings.Join(outcomes, " | "), strings.Repeat("--:|", len(outcomes)))
	for i, fault := range faults.All {
		for _, start := range []string{"cold", "warm", "cold, forced"} {
			t.Run(fault.Name+", "+start, func(t *testing.T) {
				outside := faults.NewOutside(t)
				synctest.Test(t, func(t *testing.T) {
					fmt.Fprintf(&table, "| %c | %s | %s |%s\n", 'A'+i, fault.Name, start, meetAll(t, outside, fault, start))
				})
			})
		}
	}
	if rows := strings.Count(table.String(), "\n") - 2; rows == 3*len(faults.All) {
		compareWithDocs(t, table.String())
	}
}

// meetAll lets a source meet a fault at each of its requests, and returns how many there were and the numbers of the outcomes.
func meetAll(t *testing.T, outside faults.Outside, fault faults.Fault, start string) string {
	counts := map[string]int{}
	for n := 1; ; n++ {
		got, met := meetOnce(t, outside, fault, n, start)
		if t.Failed() {
			t.Fatalf("at request %d", n)
		}
		if met {
			counts[got]++
			continue
		}
		row := fmt.Sprintf(" %d |", n-1)
		for _, one := range outcomes {
			row += fmt.Sprintf(" %d |", counts[one])
		}
		return row
	}
}

// trial is a source, its provider and an account that others use too.
type trial struct {
	t        *testing.T
	account  *faults.Account
	endpoint *endpoint
	process  *faults.Process
	source   *Source
}

func meetOnce(t *testing.T, outside faults.Outside, fault faults.Fault, n int, start string) (got string, met bool) {
	account, err := outside.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer account.Close()
	c := &trial{t: t, account: account, endpoint: &endpoint{rotates: true, valid: "a0", life: 100 * time.Hour}}
	token := ann(time.Hour)
	token.ID = "1"
	if _, err := c.store(account.Process()).SaveToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	c.process = account.Process()
	c.source = NewSource(c.store(c.process), tokenkeep.Token{ID: "1"}, c.endpoint.options())
	if start == "warm" {
		wantToken(t, c.source, "at0")
	}
	time.Sleep(2 * time.Hour)
	var tok *oauth2.Token
	met, err = c.process.Meet(t.Context(), fault, n, func(ctx context.Context) (err error) {
		if start == "cold, forced" {
			tok, err = c.source.Refresh(ctx, RefreshOptions{Force: true})
		} else {
			tok, err = c.source.TokenContext(ctx)
		}
		return err
	})
	if !met && err != nil {
		t.Errorf("without a fault: %v", err)
	}
	got = c.outcome(fault, tok, err)
	c.check()
	return got, met
}

// outcome says what the caller of a source got, and checks that it may be so.
func (c *trial) outcome(fault faults.Fault, tok *oauth2.Token, err error) string {
	if c.process.Dead() {
		return outcomes[4]
	}
	if err != nil && strings.Contains(err.Error(), "rt1") {
		c.t.Errorf("the error tells a credential: %v", err)
	}
	var unsaved *tokenkeep.UnsavedError
	switch {
	case tok != nil && tok.AccessToken != "at1":
		c.t.Errorf("the source gave %q; want at1", tok.AccessToken)
	case err == nil && tok != nil:
		return outcomes[0]
	case tok != nil && errors.As(err, &unsaved):
		return outcomes[1]
	case tok == nil && errors.Is(err, tokenkeep.ErrUnavailable):
		return outcomes[2]
	case tok == nil && fault.Leaves && errors.Is(err, context.Canceled):
		return outcomes[3]
	}
	c.t.Errorf("the source gave %v and the error %v", accessOf(tok), err)
	return ""
}

// check checks that the source and that of another process give tokens later, and that what the provider gave last is stored.
func (c *trial) check() {
	if !c.process.Dead() {
		wantToken(c.t, c.source, "at1")
		wantErr(c.t, c.source.Err(), nil)
		wantStored(c.t, c.store(c.account.Process()), "at1", "rt1")
	}
	store := c.store(c.account.Process())
	other := NewSource(store, tokenkeep.Token{ID: "1"}, c.endpoint.options())
	tok, err := other.TokenContext(c.t.Context())
	if c.process.Dead() && errors.Is(err, ErrReauthorize) { // no design can save what died with its process
		if _, err := store.SaveToken(c.t.Context(), tokenkeep.Token{ID: "1", RefreshToken: c.endpoint.newest()}); err != nil {
			c.t.Error(err)
		}
		time.Sleep(lookPause)
		tok, err = other.TokenContext(c.t.Context())
	}
	if err != nil || !tok.Valid() {
		c.t.Errorf("another source gives %v, error %v; want a good token", accessOf(tok), err)
	}
	wantStored(c.t, store, accessOf(tok), c.endpoint.newest())
	time.Sleep(25 * time.Hour)
	if _, err := store.Repair(c.t.Context()); err != nil {
		c.t.Error(err)
	}
	if report, err := store.Verify(c.t.Context()); err != nil || len(report.Findings) > 0 {
		c.t.Errorf("Verify finds %v after Repair, error %v; want nothing", report.Findings, err)
	}
}

// newest returns the refresh token that the endpoint takes.
func (e *endpoint) newest() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.valid
}

func (c *trial) store(p *faults.Process) *tokenkeep.SecretStore {
	store, err := awssm.NewStore(p.Client(), awssm.Options{Prefix: "crm/prod"})
	if err != nil {
		c.t.Fatal(err)
	}
	return store
}

// compareWithDocs compares a table with that of docs/reliability.md, or writes it where TOKENKEEP_UPDATE is set.
func compareWithDocs(t *testing.T, want string) {
	t.Helper()
	const (
		name  = "../docs/reliability.md"
		begin = "<!-- faults of oauth: begin; written by TOKENKEEP_UPDATE=1 go test -run ASourceMeetsEveryFault ./oauth -->\n"
		end   = "<!-- faults of oauth: end -->\n"
	)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	switch {
	case !ok || !closed:
		t.Fatalf("%s has no place for the table", name)
	case got == want:
	case os.Getenv("TOKENKEEP_UPDATE") == "":
		t.Errorf("%s shows another table than what ran; write it with TOKENKEEP_UPDATE=1\n%s", name, want)
	default:
		if err := os.WriteFile(name, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Error(err)
		}
	}
}
