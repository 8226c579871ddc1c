package gcpsmtest_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// faulty returns a server with the secret s, whose latest version is "old", and a client that does not retry.
func faulty(t *testing.T) (*gcpsmtest.Server, sm) {
	t.Helper()
	server := startServer(t)
	c := as(t, server, "")
	c.mustAdd(c.create("s"), "old")
	server.ResetCalls()
	return server, c
}

const faultySecret = global + "/secrets/s"

func TestAFaultHappensBeforeOrAfterTheRequestIsExecuted(t *testing.T) {
	tests := []struct {
		effect   gcpsmtest.Effect
		code     codes.Code
		message  string
		executed bool
	}{
		{gcpsmtest.FailBefore, codes.Internal, "Internal error encountered.", false},
		{gcpsmtest.Throttle, codes.ResourceExhausted, "Quota exceeded.", false},
		{gcpsmtest.CutBefore, codes.Unavailable, "error reading from server: EOF", false},
		{gcpsmtest.FailAfter, codes.Internal, "Internal error encountered.", true},
		{gcpsmtest.CutAfter, codes.Unavailable, "error reading from server: EOF", true},
		{"", codes.Internal, "Internal error encountered.", false},
		{"none of them", codes.Internal, "Internal error encountered.", false},
	}
	for _, tt := range tests {
		t.Run(string(tt.effect), func(t *testing.T) {
			server, c := faulty(t)
			injected := server.Inject(gcpsmtest.Fault{Effect: tt.effect})
			if injected.Met() {
				t.Error("Met() before the request")
			}
			_, err := c.add(faultySecret, "new")
			wantError(t, err, tt.code, tt.message)
			if !injected.Met() {
				t.Error("Met() is false after the request")
			}
			if n := server.Calls()["AddSecretVersion"]; n != 1 {
				t.Errorf("Calls() has %d of AddSecretVersion; want 1", n)
			}
			want := "old"
			if tt.executed {
				want = "new"
			}
			c.wantValue(faultySecret, "latest", want)
		})
	}
}

func TestAFaultMeetsTheRequestThatItIsFor(t *testing.T) {
	for request, want := range map[int]int{-1: 1, 0: 1, 1: 1, 2: 2, 3: 3} {
		server, c := faulty(t)
		c.wantValue(faultySecret, "1", "old") // before Inject: does not count
		injected := server.Inject(gcpsmtest.Fault{Method: "AccessSecretVersion", Request: request})
		for n := 1; n <= 4; n++ {
			c.get(faultySecret)
			_, err := c.access(faultySecret, "1")
			if met := codeOf(err) == codes.Internal; met != (n == want) || injected.Met() != (n >= want) {
				t.Errorf("Request %d: call %d of 4: %v, Met() %t; want call %d to fail", request, n, err, injected.Met(), want)
			}
		}
	}
}

func TestAFaultForASecretMeetsRequestsThatNameIt(t *testing.T) {
	for method, call := range calls {
		for secret, want := range map[string]bool{
			global + "/secrets/s": true, answered + "/secrets/s": true, global + "/secrets/t": false, regional + "/secrets/s": false,
			"projects/other/secrets/s": false, "s": false,
		} {
			server, c := faulty(t)
			injected := server.Inject(gcpsmtest.Fault{Secret: secret})
			err := call(c, "s")
			want := want && method != "ListSecrets"
			if failed := codeOf(err) == codes.Internal; failed != want || injected.Met() != want {
				t.Errorf("%s with a fault for %s: %v; want the fault met: %t", method, secret, err, want)
			}
		}
	}
	server, c := faulty(t)
	server.Inject(gcpsmtest.Fault{Secret: faultySecret})
	_, err := c.access("s", "1")
	wantCode(t, err, codes.InvalidArgument)
}

func TestARequestMeetsOneFaultAndTheNextRequestTheOther(t *testing.T) {
	server, c := faulty(t)
	server.Inject(gcpsmtest.Fault{Effect: gcpsmtest.Throttle})
	server.Inject(gcpsmtest.Fault{Effect: gcpsmtest.CutBefore})
	for _, want := range []codes.Code{codes.ResourceExhausted, codes.Unavailable, codes.OK} {
		_, err := c.access(faultySecret, "1")
		wantCode(t, err, want)
	}
}

func TestAHeldRequestIsExecutedAndAnsweredWhenItIsReleased(t *testing.T) {
	server, c := faulty(t)
	held := server.Inject(gcpsmtest.Fault{Method: "AddSecretVersion", Effect: gcpsmtest.Hold})
	var wg sync.WaitGroup
	var added *secretmanagerpb.SecretVersion
	var err error
	wg.Go(func() { added, err = c.add(faultySecret, "held") })
	if err := held.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mustAdd(faultySecret, "meanwhile")
	c.wantValue(faultySecret, "latest", "meanwhile")
	held.Release()
	wg.Wait()
	if err != nil || last(added.GetName()) != "3" {
		t.Errorf("held request: %v, %v; want version 3", added, err)
	}
	c.wantValue(faultySecret, "latest", "held")
	held.Release()
	c.wantValue(faultySecret, "latest", "held")
	if n := len(server.LiveVersions(faultySecret)); n != 3 {
		t.Errorf("%d versions after a second Release; want 3", n)
	}
}

func TestAHeldRequestIsExecutedAlthoughItsClientIsGone(t *testing.T) {
	server, c := faulty(t)
	held := server.Inject(gcpsmtest.Fault{Effect: gcpsmtest.Hold})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var err error
	wg.Go(func() {
		_, err = c.AddSecretVersion(ctx, &secretmanagerpb.AddSecretVersionRequest{
			Parent: faultySecret, Payload: &secretmanagerpb.SecretPayload{Data: []byte("held")},
		})
	})
	if err := held.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	wg.Wait()
	wantCode(t, err, codes.Canceled)
	c.wantValue(faultySecret, "latest", "old")
	held.Release()
	c.wantValue(faultySecret, "latest", "held")
}

func TestALateRequestIsExecutedAfterItsClientWasCut(t *testing.T) {
	server, c := faulty(t)
	late := server.Inject(gcpsmtest.Fault{Effect: gcpsmtest.Late})
	_, err := c.add(faultySecret, "late")
	wantCode(t, err, codes.Unavailable)
	c.mustAdd(faultySecret, "new")
	c.wantValue(faultySecret, "latest", "new")
	late.Release()
	c.wantValue(faultySecret, "latest", "late")
}

func TestALateRequestComesBehindOthers(t *testing.T) {
	server, c := faulty(t)
	server.Inject(gcpsmtest.Fault{Effect: gcpsmtest.Late, Behind: 2})
	_, err := c.add(faultySecret, "late")
	wantCode(t, err, codes.Unavailable)
	for _, want := range []string{"old", "old", "late"} {
		c.wantValue(faultySecret, "latest", want)
	}
}

func TestAFaultThatWasReleasedBeforeItIsMetMeetsNothing(t *testing.T) {
	server, c := faulty(t)
	injected := server.Inject(gcpsmtest.Fault{})
	injected.Release()
	c.wantValue(faultySecret, "1", "old")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := injected.Wait(ctx); injected.Met() || !errors.Is(err, context.Canceled) {
		t.Errorf("Met() %t, Wait %v; want it never met", injected.Met(), err)
	}
}

func TestCloseEndsAHeldRequest(t *testing.T) {
	server, c := faulty(t)
	held := server.Inject(gcpsmtest.Fault{Effect: gcpsmtest.Hold})
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { _, err = c.access(faultySecret, "1") })
	if err := held.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Close()
	wg.Wait()
	wantCode(t, err, codes.Unavailable)
	held.Release()
}
