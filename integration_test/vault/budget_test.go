package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/vault"
)

// counting counts requests, and loses the replies to some puts of data.
type counting struct {
	http.RoundTripper
	mu    sync.Mutex
	calls []string
	lose  int
}

// RoundTrip sends a request.
func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, req.Method+" "+strings.Split(req.URL.Path, "/")[3])
	if err == nil && c.lose > 0 && req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/data/") {
		c.lose--
		_ = resp.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return resp, err
}

// take returns the calls since the last take.
func (c *counting) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := strings.Join(c.calls, ", ")
	c.calls = nil
	return calls
}

func countingClient(t *testing.T, server *realvault.Instance) (*api.Client, *counting) {
	t.Helper()
	cfg := api.DefaultConfig()
	base := cfg.HttpClient.Transport.(*http.Transport)
	t.Cleanup(base.CloseIdleConnections)
	count := &counting{RoundTripper: base}
	cfg.Address, cfg.HttpClient.Transport, cfg.MinRetryWait, cfg.MaxRetryWait = server.Addr, count, time.Millisecond, time.Millisecond
	client, err := api.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken(server.RootToken)
	return client, count
}

func TestCallsOfTheDriver(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		client, count := countingClient(t, server)
		o := vault.Options{Prefix: freshPrefix()}
		d, err := vault.NewSecrets(client, o)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		var rev driver.Revision
		write := func(payload string) func() error {
			return func() (err error) {
				rev, err = d.Put(ctx, "a", []byte(payload), rev)
				return err
			}
		}
		steps := []struct {
			name string
			do   func() error
			want string
		}{
			{"the first read", func() error { _, _ = d.Latest(ctx, "a"); return nil }, "GET internal, GET data"},
			{"a read", func() error { _, _ = d.Latest(ctx, "a"); return nil }, "GET data"},
			{"a create", write("one"), "PUT data"},
			{"a put", write("two"), "PUT data, PUT destroy"},
			{"a create of what is there", func() error { _, _ = d.Put(ctx, "a", []byte("x"), ""); return nil }, "PUT data, GET data"},
			{"3 secrets", func() error { _, err := d.GetMany(ctx, []string{"a", "b", "c"}); return err }, "GET data, GET data, GET data"},
			{"a list", func() error { return drain(d.(driver.Lister).List(ctx)) }, "GET metadata"},
			{"a delete", func() error { rev = ""; return d.Delete(ctx, "a") }, "GET metadata, PUT data, PUT destroy"},
			{"a delete again", func() error { return d.Delete(ctx, "a") }, "GET metadata"},
			{"a delete of nothing", func() error { return d.Delete(ctx, "b") }, "GET metadata"},
			{"a create over a deleted secret", write("three"), "PUT data, GET data, PUT data"},
			{"a put by a handle that has not read it", func() error {
				d, _ = vault.NewSecrets(client, o)
				return write("four")()
			}, "GET internal, GET data, PUT data, PUT destroy"},
		}
		for _, step := range steps {
			count.take()
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if got := count.take(); got != step.want {
				t.Errorf("%s takes the calls %s; want %s", step.name, got, step.want)
			}
		}
	})
}

func drain(list func(func(string, error) bool)) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestCallsOfAStore(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		client, count := countingClient(t, server)
		store, err := vault.NewStore(client, vault.Options{Prefix: freshPrefix()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, id := t.Context(), ""
		save := func(token tokenkeep.Token) func() error {
			return func() error {
				saved, err := store.SaveToken(ctx, token)
				id = saved.ID
				return err
			}
		}
		if err := save(tokenkeep.Token{UserName: "zero", ClientID: "c", RefreshToken: "r0"})(); err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			name  string
			do    func() error
			calls int
		}{
			{"SaveToken, new", save(tokenkeep.Token{UserName: "one", ClientID: "c", RefreshToken: "r"}), 3},
			{"SaveToken, update", save(tokenkeep.Token{UserName: "one", ClientID: "c", AccessToken: "a"}), 2},
			{"FindTokenByID", func() error { _, err := store.FindTokenByID(ctx, id); return err }, 1},
			{"FindToken by user and client", func() error {
				_, err := store.FindToken(ctx, tokenkeep.Token{UserName: "one", ClientID: "c"})
				return err
			}, 1},
			{"FindToken by user", func() error { _, err := store.FindToken(ctx, tokenkeep.Token{UserName: "one"}); return err }, 1},
			{"a refresh within a second of a read", func() error {
				_, err := store.RefreshToken(ctx, id, tokenkeep.Refresh{
					Good: func(tokenkeep.Token) bool { return false },
					Ask: func(_ context.Context, t tokenkeep.Token) (tokenkeep.Token, error) {
						t.AccessToken = "b"
						return t, nil
					},
				})
				return err
			}, 4},
			// A list and a read of each token; the index is not read.
			{"GetTokens of 2", func() error { _, err := store.GetTokens(ctx); return err }, 3},
			{"DeleteToken", func() error { return store.DeleteToken(ctx, id) }, 3},
		}
		for _, step := range steps {
			count.take()
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			calls := count.take()
			if got := strings.Count(calls, ",") + 1; got != step.calls {
				t.Errorf("%s takes %d calls, %s; want %d", step.name, got, calls, step.calls)
			}
		}
	})
}

func TestAPutWhoseReplyIsLostIsRecognised(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		client, count := countingClient(t, server)
		d, err := vault.NewSecrets(client, vault.Options{Prefix: freshPrefix()})
		if err != nil {
			t.Fatal(err)
		}
		var rev driver.Revision
		for lost := range 4 { // 3: no attempt of the client has a reply
			count.lose = lost
			payload := fmt.Sprintf("%d lost", lost)
			rev = put(t, d, payload, rev)
			got, err := d.Latest(t.Context(), "a")
			if err != nil || string(got.Payload) != payload || got.Revision != rev {
				t.Errorf("with %d replies lost: Latest = %q, %v; want the payload at the revision of the put", lost, got.Payload, err)
			}
		}
		if err := d.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		count.lose = 1 // nobody can tell a create that was refused from one that was deleted since
		var detail *driver.Error
		_, err = d.Put(t.Context(), "a", []byte("again"), "")
		if !errors.Is(err, driver.ErrConflict) || !errors.As(err, &detail) || !detail.Resent {
			t.Errorf("a create over a deleted secret with a reply lost = %v; want ErrConflict, Resent", err)
		}
		put(t, d, "again", "")
	})
}
