package gcpsm

import (
	"context"
	"errors"
	"testing"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
	"github.com/tokenkeep/tokenkeep/storetest"
)

// provisioned is a driver whose secrets somebody else makes, just in time.
type provisioned struct {
	amongTokens
	t     *testing.T
	admin *secretmanager.Client
}

func makeEmpty(t testing.TB, admin *secretmanager.Client, s *secrets, name string) {
	_, err := admin.CreateSecret(context.WithoutCancel(t.Context()), &secretmanagerpb.CreateSecretRequest{
		Parent: s.parent, SecretId: s.id(name), Secret: &secretmanagerpb.Secret{},
	})
	if err != nil && status.Code(err) != codes.AlreadyExists {
		t.Error(err)
	}
}

func (p provisioned) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	if rev == "" && p.s.checkName(tokenName+name) == nil {
		makeEmpty(p.t, p.admin, p.s, tokenName+name)
	}
	return p.amongTokens.Put(ctx, name, payload, rev)
}

func TestBothSuitesPassWithSecretsMadeBySomebodyElse(t *testing.T) {
	server := startServer(t)
	admin := clientOf(t, server)
	handles := func(t *testing.T) func() provisioned {
		o := Options{Prefix: freshPrefix(), NoCreate: true}
		server.SetPermissions(o.Prefix, grants(t, JobWrite, o)...)
		client := clientAs(t, server, o.Prefix)
		return func() provisioned { return provisioned{amongTokens{newDriver(t, client, regional, o)}, t, admin} }
	}
	t.Run("driver", func(t *testing.T) {
		drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
			open := handles(t)
			return func() driver.Secrets { return open() }
		})
	})
	t.Run("store", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
			open := handles(t)
			return func() tokenkeep.Store { return tokenkeep.NewSecretStore(open(), tokenkeep.Options{}) }
		}, storetest.Limits{})
	})
	if n := server.Calls()["DeleteSecret"]; n != 0 {
		t.Errorf("%d secrets were deleted; want none", n)
	}
}

func TestADeleteThatLeavesTheSecretLeavesNoVersion(t *testing.T) {
	b := newBench(t, gcpsmtest.WithPageSize(1))
	mustPut(t, b, "a", "two", mustPut(t, b, "a", "one", ""))
	b.add("left over")
	b.add("left over, too")
	o := b.o
	o.NoCreate = true
	s := newDriver(t, b.client, regional, o)
	for range 2 {
		if err := s.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		b.wantLive(0)
	}
	if _, err := b.client.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: secretA}); err != nil {
		t.Errorf("GetSecret = %v; want the empty secret", err)
	}
	mustPut(t, s, "a", "three", "")
	wantLatest(t, b, "a", "three")
	if err := s.Delete(t.Context(), "b"); err != nil {
		t.Errorf("Delete of no secret = %v; want success", err)
	}
}

// A put that is under way when a delete begins, and one that begins after it.
func TestADeleteThatLeavesTheSecretStopsPutsUnderWay(t *testing.T) {
	b := newBench(t, gcpsmtest.WithStaleness(3))
	rev := mustPut(t, b, "a", "one", "")
	fault := b.server.Inject(gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.Hold})
	slow := make(chan error)
	go func() {
		_, err := b.another().Put(t.Context(), "a", []byte("two"), rev)
		slow <- err
	}()
	if err := fault.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := b.o
	o.NoCreate = true
	if err := newDriver(t, b.client, regional, o).Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	fault.Release()
	if err := <-slow; !errors.Is(err, driver.ErrConflict) {
		t.Errorf("the slow put = %v; want ErrConflict", err)
	}
	for range 8 {
		if got, err := b.another().Latest(t.Context(), "a"); err == nil {
			t.Errorf("Latest = %q; want no secret", got.Payload)
		}
	}
}

// With roles on single secrets, one that is missing and one that may not be read are the same.
func TestAMissingSecretOfARoleOnSecretsIsErrPermission(t *testing.T) {
	b := newBench(t)
	makeEmpty(t, b.client, b.secrets, "a")
	var all []string
	for _, permission := range permissions {
		all = append(all, permission)
	}
	b.server.SetPermissions("worker", gcpsmtest.Grant{Permissions: all, OnSecret: true})
	s := newDriver(t, clientAs(t, b.server, "worker"), regional, Options{Prefix: "crm", NoCreate: true})
	for name, want := range map[string]error{"a": driver.ErrNotFound, "b": driver.ErrPermission} {
		_, get := s.Get(t.Context(), name)
		_, latest := s.Latest(t.Context(), name)
		for method, err := range map[string]error{"Get": get, "Latest": latest} {
			if !errors.Is(err, want) {
				t.Errorf("%s(%q) = %v; want %v", method, name, err, want)
			}
		}
	}
	_, err := s.Get(t.Context(), "b")
	wantText(t, err, "secretmanager.versions.access", "or the secret does not exist")
	mustPut(t, s, "a", "one", "")
	wantLatest(t, s, "a", "one")
	_, err = newDriver(t, b.client, regional, Options{Prefix: "crm", NoCreate: true}).Put(t.Context(), "b", []byte("one"), "")
	if !errors.Is(err, driver.ErrPermission) {
		t.Errorf("Put of a secret that is not there = %v; want ErrPermission", err)
	}
}
