package gcpsm

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(instanceVariable); ok {
		os.Exit(instanceMain(text))
	}
	goleak.VerifyTestMain(m)
}

// Parents that tests use.
const (
	global   = "projects/demo"
	regional = "projects/demo/locations/europe-west1"
)

func startServer(t *testing.T, opts ...gcpsmtest.Option) *gcpsmtest.Server {
	t.Helper()
	server, err := gcpsmtest.Start(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func clientOf(t *testing.T, server *gcpsmtest.Server) *secretmanager.Client {
	t.Helper()
	client, err := server.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func clientAs(t *testing.T, server *gcpsmtest.Server, principal string) *secretmanager.Client {
	t.Helper()
	client, err := server.ClientAs(t.Context(), principal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// newDriver returns a driver whose waits are over soon.
func newDriver(t *testing.T, client *secretmanager.Client, parent string, o Options) *secrets {
	t.Helper()
	if o.Prefix == "" {
		o.Prefix = "crm"
	}
	s, err := newSecrets(client, parent, o)
	if err != nil {
		t.Fatal(err)
	}
	s.pause = func(ctx context.Context, _ time.Duration) error { return pause(ctx, time.Millisecond) }
	return s
}

func newStore(t *testing.T, client *secretmanager.Client, parent string, o Options) *tokenkeep.SecretStore {
	t.Helper()
	return tokenkeep.NewSecretStore(newDriver(t, client, parent, o), o.Store)
}

func freshPrefix() string { return "crm-" + strings.ToLower(rand.Text()) }

// bench is a server with one secret on it, "a", of the prefix crm.
type bench struct {
	*secrets
	t      *testing.T
	server *gcpsmtest.Server
	client *secretmanager.Client
}

const (
	secretA = regional + "/secrets/crm-a"
)

func newBench(t *testing.T, opts ...gcpsmtest.Option) *bench {
	t.Helper()
	server := startServer(t, opts...)
	client := clientOf(t, server)
	return &bench{newDriver(t, client, regional, Options{}), t, server, client}
}

// another returns a driver of another process.
func (b *bench) another() *secrets {
	b.t.Helper()
	return newDriver(b.t, b.client, regional, b.o)
}

func mustPut(t *testing.T, s driver.Secrets, name, payload string, rev driver.Revision) driver.Revision {
	t.Helper()
	next, err := s.Put(t.Context(), name, []byte(payload), rev)
	if err != nil {
		t.Fatalf("Put(%q) = %v; want success", payload, err)
	}
	return next
}

func wantLatest(t *testing.T, s driver.Secrets, name, payload string) driver.Revision {
	t.Helper()
	got, err := s.Latest(t.Context(), name)
	if err != nil || string(got.Payload) != payload {
		t.Fatalf("Latest(%q) = %q, %v; want %q", name, got.Payload, err, payload)
	}
	return got.Revision
}

func (b *bench) wantLive(want int) {
	b.t.Helper()
	if got := b.server.LiveVersions(secretA); len(got) != want {
		b.t.Errorf("the versions %v are to be paid for; want %d", got, want)
	}
}

// add adds a version by hand.
func (b *bench) add(payload string) {
	b.t.Helper()
	if _, err := b.client.AddSecretVersion(b.t.Context(), &secretmanagerpb.AddSecretVersionRequest{
		Parent: secretA, Payload: &secretmanagerpb.SecretPayload{Data: []byte(payload)},
	}); err != nil {
		b.t.Fatal(err)
	}
}
