package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/internal/mototest"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

// doorman lets requests through to a Secrets Manager, but for a create: that one waits until its client is gone.
type doorman struct {
	next    http.Handler
	stop    atomic.Int64 // the number of the create that waits; below it, they pass
	reached chan struct{}

	mu     sync.Mutex
	writes map[string]int // of secrets, by name
}

func (d *doorman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".CreateSecret") && d.stop.Add(-1) == 0 {
		body, err := io.ReadAll(r.Body) // the server notices that a client is gone once its request is read
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		close(d.reached)
		<-r.Context().Done()
		return
	}
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutSecretValue") {
		d.count(r)
	}
	d.next.ServeHTTP(w, r)
}

// count counts a write of a secret.
func (d *doorman) count(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var request struct{ SecretId string }
	if err := errors.Join(err, json.Unmarshal(body, &request)); err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes[request.SecretId]++
}

// stores starts a Secrets Manager behind a doorman, and returns stores under two prefixes of it, the first with n tokens.
func stores(t *testing.T, n int) (d *doorman, source, target *localstack.Store) {
	t.Helper()
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httputil.NewSingleHostReverseProxy(address)
	proxy.Transport = transport
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of the requests of who is killed
	d = &doorman{next: proxy, reached: make(chan struct{}), writes: map[string]int{}}
	front := httptest.NewServer(d)
	t.Cleanup(front.Close)
	t.Setenv("LOCALSTACK_ENDPOINT", front.URL)
	t.Setenv("GORACE", "atexit_sleep_ms=0")

	opened := make([]*localstack.Store, 2)
	for i, prefix := range []string{"crm/old", "crm/new"} {
		if opened[i], err = localstack.Open(t.Context(), awssm.Options{Prefix: prefix}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = opened[i].Close() })
	}
	tokens := make([]tokenkeep.Token, n)
	for i := range tokens {
		tokens[i] = login(fmt.Sprintf("user%d", i), "web", "first")
	}
	if _, err := opened[0].SaveTokens(t.Context(), tokens); err != nil {
		t.Fatal(err)
	}
	return d, opened[0], opened[1]
}

func tokensOf(t *testing.T, store tokenkeep.Store) []tokenkeep.Token {
	t.Helper()
	tokens, err := store.GetTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestACopyThatIsKilledIsRunAgain(t *testing.T) {
	const n = 40
	d, source, target := stores(t, n)
	d.stop.Store(n / 2)

	args := []string{"copy", "--from", "localstack://crm/old", "--to", "localstack://crm/new", "--verify"}
	program := exec.CommandContext(t.Context(), os.Args[0], args...)
	program.Env = append(os.Environ(), asProgram+"=1")
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.reached:
	case <-t.Context().Done():
		t.Fatal("the copy did not come to its middle")
	}
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err == nil {
		t.Fatal("the copy was not killed")
	}
	there := len(tokensOf(t, target))
	if there == 0 || there >= n {
		t.Fatalf("%d tokens were copied before the kill; want some of %d", there, n)
	}

	for range 2 { // the second finds nothing left to do
		got := command(t, args...)
		if got.status != 0 || !strings.Contains(got.stdout, "different 0, conflicts 0, failed 0\nverified") {
			t.Fatalf("status %d, %q, on stderr %q; want 0 and a verified copy", got.status, got.stdout, got.stderr)
		}
	}
	want, have := tokensOf(t, source), tokensOf(t, target)
	if len(want) != n || len(have) != n {
		t.Fatalf("%d tokens in the source and %d in the target; want %d", len(want), len(have), n)
	}
	for i := range want {
		if !equal(want[i], have[i]) {
			t.Errorf("the target has %v; want %v with the same credentials", have[i], want[i])
		}
	}
	if got := command(t, "verify", "--store", "localstack://crm/new"); got.status != 0 {
		t.Errorf("verify: status %d, %q; want 0", got.status, got.stdout)
	}
}

func TestACopyWritesTheIndexSeldomForManyTokens(t *testing.T) {
	for _, tt := range []struct{ tokens, secrets, writes int }{{40, 0, 0}, {1000, 17, 10}} {
		t.Run(fmt.Sprintf("%d tokens", tt.tokens), func(t *testing.T) {
			d, _, target := stores(t, tt.tokens)
			clear(d.writes)
			got := command(t, "copy", "--from", "localstack://crm/old", "--to", "localstack://crm/new", "--json")
			if got.status != 0 {
				t.Fatalf("status %d, on stderr %q; want 0", got.status, got.stderr)
			}
			if have := len(tokensOf(t, target)); have != tt.tokens || len(d.writes) != tt.secrets {
				t.Errorf("%d tokens in the target after writes of %d index secrets; want %d, and %d", have, len(d.writes), tt.tokens, tt.secrets)
			}
			for name, n := range d.writes {
				if n > tt.writes {
					t.Errorf("%d writes of the index secret %s; want %d at most", n, name, tt.writes)
				}
			}
		})
	}
}

// forget deletes the tokens of a store, and then its index, which other tests would take for litter.
func forget(t *testing.T, endpoint, prefix string) {
	t.Helper()
	ctx := context.Background()
	if got := run(ctx, []string{"clear", "--yes", "--store", "localstack://" + prefix}, io.Discard, io.Discard); got != 0 {
		t.Errorf("clear: status %d; want 0", got)
	}
	cfg, err := localstack.ConfigFor(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	cfg.HTTPClient = &http.Client{Transport: transport}
	_, err = secretsmanager.NewFromConfig(cfg).DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: aws.String(prefix + "/i_r"), ForceDeleteWithoutRecovery: aws.Bool(true),
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTokensAreCopiedAndClearedOnMoto(t *testing.T) {
	endpoint := mototest.Start(t)
	t.Setenv("LOCALSTACK_ENDPOINT", endpoint)
	prefix := "tokenkeep-copy/" + strings.ToLower(rand.Text())
	from, to := "localstack://"+prefix+"/old", "localstack://"+prefix+"/new"
	t.Cleanup(func() {
		for _, name := range []string{"/old", "/new"} {
			forget(t, endpoint, prefix+name)
		}
	})
	store, err := storeurl.Open(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for _, user := range []string{"ann", "bob"} {
		if _, err := store.SaveToken(t.Context(), login(user, "web", "first")); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"copied 2, already there 0,", "copied 0, already there 2,"} {
		if got := command(t, "copy", "--from", from, "--to", to, "--verify"); got.status != 0 || !strings.HasPrefix(got.stdout, want) {
			t.Errorf("copy: status %d, %q, on stderr %q; want 0 and %q", got.status, got.stdout, got.stderr, want)
		}
	}
	if got := command(t, "verify", "--store", to); got.status != 0 || !strings.HasPrefix(got.stdout, "2 tokens, ") {
		t.Errorf("verify: status %d, %q, on stderr %q; want 0 and 2 tokens", got.status, got.stdout, got.stderr)
	}
}
