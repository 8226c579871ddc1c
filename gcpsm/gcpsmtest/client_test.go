package gcpsmtest_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Parents that tests use, and the first as answers have it.
const (
	global   = "projects/demo"
	regional = "projects/demo/locations/europe-west1"
)

var answered = "projects/" + gcpsmtest.ProjectNumber("demo")

var (
	automatic = &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{Automatic: &secretmanagerpb.Replication_Automatic{}}}
	enabled   = secretmanagerpb.SecretVersion_ENABLED
	disabled  = secretmanagerpb.SecretVersion_DISABLED
	destroyed = secretmanagerpb.SecretVersion_DESTROYED
)

// clock is a time that passes only when a test says so.
type clock struct{ passed atomic.Int64 }

var epoch = time.Date(2026, 3, 1, 15, 4, 5, 0, time.UTC)

func (c *clock) now() time.Time          { return epoch.Add(time.Duration(c.passed.Load())) }
func (c *clock) advance(d time.Duration) { c.passed.Add(int64(d)) }

func startServer(t *testing.T, opts ...gcpsmtest.Option) *gcpsmtest.Server {
	t.Helper()
	server, err := gcpsmtest.Start(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// sm is the client of the service with calls that fail the test where the test expects none to fail. It repeats nothing.
type sm struct {
	*secretmanager.Client
	t *testing.T
}

func newClient(t *testing.T, opts ...gcpsmtest.Option) sm {
	t.Helper()
	return as(t, startServer(t, opts...), "")
}

// as returns a client of server for a principal, "" for none.
func as(t *testing.T, server *gcpsmtest.Server, principal string) sm {
	t.Helper()
	dial := server.Client
	if principal != "" {
		dial = func(ctx context.Context) (*secretmanager.Client, error) { return server.ClientAs(ctx, principal) }
	}
	client, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	client.CallOptions.AccessSecretVersion = nil
	return sm{client, t}
}

func newClientWithClock(t *testing.T, opts ...gcpsmtest.Option) (sm, *clock) {
	t.Helper()
	c := &clock{}
	return newClient(t, append(opts, gcpsmtest.WithClock(c.now))...), c
}

// make creates a secret with fields.
func (c sm) make(parent, id string, fields *secretmanagerpb.Secret) (*secretmanagerpb.Secret, error) {
	return c.CreateSecret(c.t.Context(), &secretmanagerpb.CreateSecretRequest{Parent: parent, SecretId: id, Secret: fields})
}

// create makes an empty global secret and returns its resource name.
func (c sm) create(id string) string {
	c.t.Helper()
	if _, err := c.make(global, id, &secretmanagerpb.Secret{Replication: automatic}); err != nil {
		c.t.Fatal(err)
	}
	return global + "/secrets/" + id
}

func (c sm) add(secret, value string) (*secretmanagerpb.SecretVersion, error) {
	return c.AddSecretVersion(c.t.Context(), &secretmanagerpb.AddSecretVersionRequest{
		Parent: secret, Payload: &secretmanagerpb.SecretPayload{Data: []byte(value)},
	})
}

// mustAdd adds versions and returns the last one.
func (c sm) mustAdd(secret string, values ...string) *secretmanagerpb.SecretVersion {
	c.t.Helper()
	var last *secretmanagerpb.SecretVersion
	for _, value := range values {
		v, err := c.add(secret, value)
		if err != nil {
			c.t.Fatal(err)
		}
		last = v
	}
	return last
}

// access returns the value of a version, by its number, an alias or latest.
func (c sm) access(secret, version string) (string, error) {
	out, err := c.AccessSecretVersion(c.t.Context(), &secretmanagerpb.AccessSecretVersionRequest{Name: secret + "/versions/" + version})
	return string(out.GetPayload().GetData()), err
}

func (c sm) wantValue(secret, version, want string) {
	c.t.Helper()
	if got, err := c.access(secret, version); err != nil || got != want {
		c.t.Errorf("version %s of %s = %q, %v; want %q", version, secret, got, err, want)
	}
}

func (c sm) get(secret string) *secretmanagerpb.Secret {
	c.t.Helper()
	s, err := c.GetSecret(c.t.Context(), &secretmanagerpb.GetSecretRequest{Name: secret})
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c sm) getVersion(secret, version string) *secretmanagerpb.SecretVersion {
	c.t.Helper()
	v, err := c.GetSecretVersion(c.t.Context(), &secretmanagerpb.GetSecretVersionRequest{Name: secret + "/versions/" + version})
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

// update sets the fields that paths name.
func (c sm) update(fields *secretmanagerpb.Secret, paths ...string) (*secretmanagerpb.Secret, error) {
	return c.UpdateSecret(c.t.Context(), &secretmanagerpb.UpdateSecretRequest{Secret: fields, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}})
}

func (c sm) mustUpdate(fields *secretmanagerpb.Secret, paths ...string) *secretmanagerpb.Secret {
	c.t.Helper()
	s, err := c.update(fields, paths...)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c sm) alias(secret, alias string, number int64) {
	c.t.Helper()
	c.mustUpdate(&secretmanagerpb.Secret{Name: secret, VersionAliases: map[string]int64{alias: number}}, "version_aliases")
}

func (c sm) remove(secret string) {
	c.t.Helper()
	if err := c.DeleteSecret(c.t.Context(), &secretmanagerpb.DeleteSecretRequest{Name: secret}); err != nil {
		c.t.Fatal(err)
	}
}

// changes are the three methods that change the state of a version.
var changes = map[string]func(c sm, version, etag string) (*secretmanagerpb.SecretVersion, error){
	"EnableSecretVersion": func(c sm, version, etag string) (*secretmanagerpb.SecretVersion, error) {
		return c.EnableSecretVersion(c.t.Context(), &secretmanagerpb.EnableSecretVersionRequest{Name: version, Etag: etag})
	},
	"DisableSecretVersion": func(c sm, version, etag string) (*secretmanagerpb.SecretVersion, error) {
		return c.DisableSecretVersion(c.t.Context(), &secretmanagerpb.DisableSecretVersionRequest{Name: version, Etag: etag})
	},
	"DestroySecretVersion": func(c sm, version, etag string) (*secretmanagerpb.SecretVersion, error) {
		return c.DestroySecretVersion(c.t.Context(), &secretmanagerpb.DestroySecretVersionRequest{Name: version, Etag: etag})
	},
}

// change calls one of them, such as "Enable".
func (c sm) change(what, secret, version string) *secretmanagerpb.SecretVersion {
	c.t.Helper()
	v, err := changes[what+"SecretVersion"](c, secret+"/versions/"+version, "")
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}

func wantCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("code %s (%v); want %s", got, err, want)
	}
}

func wantError(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	wantCode(t, err, code)
	if got := status.Convert(err).Message(); got != message {
		t.Errorf("message %q; want %q", got, message)
	}
}

func last(resource string) string { return resource[strings.LastIndex(resource, "/")+1:] }
