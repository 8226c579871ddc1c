package gcpsmtest_test

import (
	"fmt"
	"testing"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func codeOf(err error) codes.Code { return status.Code(err) }

// wantPassing fails the test unless n calls pass and the next is over the quota.
func wantPassing(t *testing.T, n int, call func() error) {
	t.Helper()
	for i := range n {
		if err := call(); codeOf(err) == codes.ResourceExhausted {
			t.Fatalf("call %d of %d: %v", i+1, n, err)
		}
	}
	wantCode(t, call(), codes.ResourceExhausted)
}

func TestAProjectHasAQuotaOfReadsAndOneOfWritesInAMinute(t *testing.T) {
	for method, others := range map[string][]string{
		"GetSecret":    {"GetSecretVersion", "ListSecrets", "ListSecretVersions"},
		"DeleteSecret": {"CreateSecret", "UpdateSecret", "AddSecretVersion", "EnableSecretVersion", "DisableSecretVersion", "DestroySecretVersion"},
	} {
		t.Run(method, func(t *testing.T) {
			c, clock := newClientWithClock(t, gcpsmtest.WithQuotas())
			call := func() error { return calls[method](c, "missing") }
			wantPassing(t, 600, call)
			shared := map[string]bool{method: true}
			for _, other := range others {
				shared[other] = true
			}
			for other, call := range calls {
				if got := codeOf(call(c, other)) == codes.ResourceExhausted; got != shared[other] {
					t.Errorf("after 600 of %s, %s is refused: %t; want %t", method, other, got, shared[other])
				}
			}
			_, err := c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: "projects/other/secrets/s"})
			wantCode(t, err, codes.NotFound)
			clock.advance(100*time.Millisecond - 1)
			wantPassing(t, 0, call)
			clock.advance(1)
			wantPassing(t, 1, call)
			clock.advance(time.Second)
			wantPassing(t, 10, call)
			clock.advance(time.Hour)
			wantPassing(t, 600, call)
		})
	}
}

func TestASecretHasALimitOfUpdatesAndNewVersionsTogether(t *testing.T) {
	c, clock := newClientWithClock(t, gcpsmtest.WithQuotas())
	for _, location := range []struct {
		parent string
		fields *secretmanagerpb.Secret
		n      int
	}{{global, &secretmanagerpb.Secret{Replication: automatic}, 2}, {regional, &secretmanagerpb.Secret{}, 80}} {
		for _, id := range []string{"a", "b"} {
			if _, err := c.make(location.parent, id, location.fields); err != nil {
				t.Fatal(err)
			}
		}
		turn := 0
		call := func(id string) func() error {
			return func() error {
				name := location.parent + "/secrets/" + id
				if turn++; turn%2 == 0 {
					_, err := c.add(name, "value")
					return err
				}
				_, err := c.update(&secretmanagerpb.Secret{Name: name}, "labels")
				return err
			}
		}
		wantPassing(t, location.n, call("a"))
		wantPassing(t, location.n, call("b"))
		c.get(location.parent + "/secrets/a")
		clock.advance(time.Second / time.Duration(location.n))
		wantPassing(t, 1, call("a"))
		clock.advance(time.Minute)
		wantPassing(t, location.n, call("a"))
		clock.advance(time.Minute)
	}
}

func TestAVersionHasALimitOfChangesOfItsState(t *testing.T) {
	c, clock := newClientWithClock(t, gcpsmtest.WithQuotas())
	for parent, n := range map[string]int{global: 1, regional: 50} {
		fields := &secretmanagerpb.Secret{}
		if parent == global {
			fields.Replication = automatic
		}
		if _, err := c.make(parent, "s", fields); err != nil {
			t.Fatal(err)
		}
		c.mustAdd(parent+"/secrets/s", "one", "two")
		for _, version := range []string{"1", "2"} {
			turn := 0
			wantPassing(t, n, func() error {
				turn++
				method := []string{"EnableSecretVersion", "DisableSecretVersion"}[turn%2]
				_, err := changes[method](c, parent+"/secrets/s/versions/"+version, "")
				return err
			})
			_, err := changes["DestroySecretVersion"](c, parent+"/secrets/s/versions/"+version, "")
			wantCode(t, err, codes.ResourceExhausted)
		}
		clock.advance(time.Minute)
	}
}

func TestARequestOverAQuotaIsNotExecutedAndTakesFromNoOther(t *testing.T) {
	c, clock := newClientWithClock(t, gcpsmtest.WithQuotas())
	secret := c.create("s")                                                      // 1 of 600
	wantPassing(t, 2, func() error { return calls["AddSecretVersion"](c, "s") }) // 3
	for range 600 {
		wantCode(t, calls["AddSecretVersion"](c, "s"), codes.ResourceExhausted)
	}
	i := 0
	create := func() error {
		i++
		_, err := c.make(global, fmt.Sprint("n", i), &secretmanagerpb.Secret{Replication: automatic})
		return err
	}
	wantPassing(t, 597, create)
	clock.advance(time.Minute)
	_, err := c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: global + "/secrets/n598"})
	wantCode(t, err, codes.NotFound)
	if v := c.getVersion(secret, "latest"); last(v.Name) != "2" {
		t.Errorf("latest version %s; want 2", v.Name)
	}
}

func TestADeniedRequestCountsAndAMalformedOneDoesNot(t *testing.T) {
	clock := &clock{}
	server := startServer(t, gcpsmtest.WithQuotas(), gcpsmtest.WithClock(clock.now))
	server.SetPermissions("app")
	c := as(t, server, "app")
	wantCode(t, calls["GetSecret"](c, "mal.formed"), codes.InvalidArgument)
	for range 600 {
		wantCode(t, calls["GetSecret"](c, "s"), codes.PermissionDenied)
	}
	wantCode(t, calls["GetSecret"](c, "s"), codes.ResourceExhausted)
}

func TestNothingIsLimitedByDefault(t *testing.T) {
	c, _ := newClientWithClock(t)
	secret := c.create("s")
	for range 5 {
		c.mustAdd(secret, "value")
		c.change("Disable", secret, "1")
	}
	for range 601 {
		c.get(secret)
	}
}
