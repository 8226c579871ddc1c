package gcpsmtest_test

import (
	"maps"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func TestAServerListensOnAnAddressUntilItIsClosed(t *testing.T) {
	server := startServer(t, gcpsmtest.WithAddr("127.0.0.1:0"))
	if !strings.HasPrefix(server.Addr, "127.0.0.1:") || strings.HasSuffix(server.Addr, ":0") {
		t.Errorf("Addr %q; want a port of 127.0.0.1", server.Addr)
	}
	if other, err := gcpsmtest.Start(gcpsmtest.WithAddr(server.Addr)); err == nil {
		other.Close()
		t.Error("two servers on one address")
	}
	c := as(t, server, "")
	c.create("s")
	server.Close()
	server.Close()
	_, err := c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: global + "/secrets/s"})
	wantCode(t, err, codes.Unavailable)
	listener, err := net.Listen("tcp", server.Addr)
	if err != nil {
		t.Fatalf("the address is not free after Close: %v", err)
	}
	_ = listener.Close()
}

// The request is in the middle of its execution until its client knows of the end.
func TestCloseWaitsForTheRequestsThatAreExecuted(t *testing.T) {
	var armed, finished atomic.Bool
	entered, cut := make(chan struct{}), make(chan struct{})
	server := startServer(t, gcpsmtest.WithClock(func() time.Time {
		if armed.CompareAndSwap(true, false) {
			close(entered)
			<-cut
			for range 1000 {
				runtime.Gosched()
			}
			finished.Store(true)
		}
		return epoch
	}))
	c := as(t, server, "")
	c.create("s")
	armed.Store(true)
	var wg sync.WaitGroup
	wg.Go(func() {
		wantCode(t, calls["GetSecret"](c, "s"), codes.Unavailable)
		close(cut)
	})
	<-entered
	server.Close()
	if !finished.Load() {
		t.Error("Close returned before the request was done")
	}
	wg.Wait()
}

func TestEachServerHasSecretsOfItsOwn(t *testing.T) {
	one, two := newClient(t), newClient(t)
	one.create("s")
	two.create("s")
}

func TestClientOptionsMakeAClient(t *testing.T) {
	server := startServer(t)
	server.SetPermissions("app")
	for principal, want := range map[string]codes.Code{"": codes.NotFound, "app": codes.PermissionDenied} {
		opts := server.ClientOptions()
		if principal != "" {
			opts = server.ClientOptionsAs(principal)
		}
		client, err := secretmanager.NewClient(t.Context(), opts...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: global + "/secrets/s"})
		wantCode(t, err, want)
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCallsAreCountedByMethodRefusedOnesToo(t *testing.T) {
	server := startServer(t)
	c := as(t, server, "")
	want := map[string]int{}
	for method, call := range calls {
		_ = call(c, "s")
		want[method] = 1
	}
	_ = calls["GetSecret"](c, "mal.formed")
	want["GetSecret"]++
	server.Calls()["GetSecret"] = 99 // a copy
	if got := server.Calls(); !maps.Equal(got, want) {
		t.Errorf("Calls() = %v; want %v", got, want)
	}
	server.ResetCalls()
	if got := server.Calls(); len(got) != 0 {
		t.Errorf("after ResetCalls: %v", got)
	}
}

func TestLiveVersionsAreThoseThatAreNotDestroyed(t *testing.T) {
	c0 := startServer(t)
	c := as(t, c0, "")
	secret := c.create("s")
	c.mustAdd(secret, "1", "2", "3", "4")
	c.change("Disable", secret, "2")
	c.change("Destroy", secret, "3")
	for _, name := range []string{secret, answered + "/secrets/s"} {
		if got := c0.LiveVersions(name); !slices.Equal(got, []int64{1, 2, 4}) {
			t.Errorf("LiveVersions(%q) = %d; want 1, 2 and 4", name, got)
		}
	}
	for _, name := range []string{global + "/secrets/missing", "s"} {
		if got := c0.LiveVersions(name); len(got) != 0 {
			t.Errorf("LiveVersions(%q) = %d; want none", name, got)
		}
	}
}

func TestOtherMethodsAreUnimplemented(t *testing.T) {
	server := startServer(t)
	c := as(t, server, "")
	secret := c.create("s")
	server.ResetCalls()
	server.Inject(gcpsmtest.Fault{}) // which they do not meet
	_, err := c.GetIamPolicy(t.Context(), &iampb.GetIamPolicyRequest{Resource: secret})
	wantCode(t, err, codes.Unimplemented)
	_, err = c.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{Resource: secret})
	wantCode(t, err, codes.Unimplemented)
	_, err = c.TestIamPermissions(t.Context(), &iampb.TestIamPermissionsRequest{Resource: secret})
	wantCode(t, err, codes.Unimplemented)
	_, err = c.RotateSecret(t.Context(), &secretmanagerpb.RotateSecretRequest{Parent: secret})
	wantCode(t, err, codes.Unimplemented)
	_, err = c.EnableManagedRotation(t.Context(), &secretmanagerpb.EnableManagedRotationRequest{Parent: secret})
	wantCode(t, err, codes.Unimplemented)
	if got := server.Calls(); len(got) != 0 {
		t.Errorf("Calls() = %v; want none", got)
	}
}

// Of writers that have read the same etag one wins, at every step.
func TestAnEtagLetsOneOfManyWritersThrough(t *testing.T) {
	server := startServer(t)
	c := as(t, server, "")
	secret := c.create("s")
	for range 5 {
		before := c.get(secret)
		var won sync.Map
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := c.update(&secretmanagerpb.Secret{Name: secret, Etag: before.Etag, Annotations: map[string]string{"writer": "w"}}, "annotations")
				if err == nil {
					won.Store(i, true)
				} else if codeOf(err) != codes.FailedPrecondition {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		winners := 0
		won.Range(func(any, any) bool { winners++; return true })
		if winners != 1 {
			t.Errorf("%d writers with the same etag were accepted; want 1", winners)
		}
	}
}
