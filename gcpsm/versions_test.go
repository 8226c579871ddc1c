package gcpsm

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// mortal returns a driver of a process that dies after it has sent n requests.
func (b *bench) mortal(n int) *secrets {
	b.t.Helper()
	die := grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if n--; n < 0 {
			return status.Error(codes.Unavailable, "this process is dead")
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	})
	client, err := secretmanager.NewClient(b.t.Context(), append(b.server.ClientOptions(), option.WithGRPCDialOption(die))...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = client.Close() })
	return newDriver(b.t, client, regional, b.o)
}

// cleanLater cleans when nothing is young any more.
func (b *bench) cleanLater() int {
	b.t.Helper()
	s := b.another()
	s.now = func() time.Time { return time.Now().Add(youngest) }
	n, err := s.Clean(b.t.Context(), "a")
	if err != nil {
		b.t.Fatalf("Clean = %v; want success", err)
	}
	return n
}

func TestASecretHasOneVersionAfterManyPuts(t *testing.T) {
	b := newBench(t)
	rev := mustPut(t, b, "a", "payload", "")
	for i := range 100 {
		s := b.secrets
		if i%10 == 9 {
			s = b.another()
			got, err := s.Get(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			rev = got.Revision
		}
		rev = mustPut(t, s, "a", fmt.Sprint("payload ", i), rev)
	}
	b.wantLive(1)
	wantLatest(t, b, "a", "payload 99")
}

func TestALoserLeavesNoVersion(t *testing.T) {
	b := newBench(t)
	first := mustPut(t, b, "a", "one", "")
	mustPut(t, b.another(), "a", "two", first)
	for _, s := range []*secrets{b.secrets, b.another()} {
		if _, err := s.Put(t.Context(), "a", []byte("intruder"), first); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("Put = %v; want ErrConflict", err)
		}
	}
	if _, err := b.Put(t.Context(), "a", []byte("intruder"), ""); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("Put = %v; want ErrConflict", err)
	}
	b.wantLive(1)
}

// A writer may die after each of its requests. What it leaves goes with the next put of another process, or by Clean.
func TestWhatADyingWriterLeavesIsDestroyed(t *testing.T) {
	writes := map[string]func(b *bench, mortal *secrets){
		"a create": func(b *bench, mortal *secrets) { _, _ = mortal.Put(b.t.Context(), "a", []byte("new"), "") },
		"a put": func(b *bench, mortal *secrets) {
			rev := mustPut(b.t, b, "a", "old", "")
			_, _ = mortal.Put(b.t.Context(), "a", []byte("new"), rev)
		},
		"a put that loses": func(b *bench, mortal *secrets) {
			rev := mustPut(b.t, b, "a", "older", "")
			mustPut(b.t, b, "a", "old", rev)
			_, _ = mortal.Put(b.t.Context(), "a", []byte("new"), rev)
		},
	}
	healings := map[string]func(b *bench, rev driver.Revision){
		"the next put of another process": func(b *bench, rev driver.Revision) { mustPut(b.t, b.another(), "a", "next", rev) },
		"Clean": func(b *bench, rev driver.Revision) {
			b.cleanLater()
			if n := b.cleanLater(); n != 0 {
				b.t.Errorf("Clean destroyed %d more versions; want 0, as it left nothing", n)
			}
		},
	}
	for what, write := range writes {
		for n := range 6 {
			for by, heal := range healings {
				t.Run(fmt.Sprintf("%s, %d requests, %s", what, n, by), func(t *testing.T) {
					b := newBench(t)
					write(b, b.mortal(n))
					secret, err := b.another().Latest(t.Context(), "a")
					if err != nil && !errors.Is(err, driver.ErrNotFound) {
						t.Fatal(err)
					}
					heal(b, secret.Revision)
					after, err := b.another().Latest(t.Context(), "a")
					if by == "Clean" && string(after.Payload) != string(secret.Payload) {
						t.Errorf("after Clean the payload is %q, error %v; want %q as before", after.Payload, err, secret.Payload)
					}
					want := 1
					if errors.Is(err, driver.ErrNotFound) {
						want = 0
					}
					b.wantLive(want)
				})
			}
		}
	}
}

func TestCleanLeavesYoungVersions(t *testing.T) {
	b := newBench(t)
	mustPut(t, b, "a", "one", "")
	b.add("of a put under way")
	start := time.Now()
	for age, want := range map[time.Duration]int{0: 2, youngest - time.Minute: 2, youngest + time.Minute: 1} {
		s := newBench(t)
		mustPut(t, s, "a", "one", "")
		s.add("of a put under way")
		s.now = func() time.Time { return start.Add(age) }
		n, err := s.Clean(t.Context(), "a")
		if err != nil || n != 2-want {
			t.Errorf("Clean of a version %v old = %d, %v; want %d", age, n, err, 2-want)
		}
		s.wantLive(want)
	}
}

func TestCleanWritesNothingWhereNothingIsLeft(t *testing.T) {
	b := newBench(t)
	if n := b.cleanLater(); n != 0 {
		t.Errorf("Clean of no secret destroyed %d versions", n)
	}
	rev := mustPut(t, b, "a", "one", "")
	b.cleanLater()
	if got := wantLatest(t, b, "a", "one"); got != rev {
		t.Error("Clean of a clean secret moved its revision")
	}
}

// The slow writer has added its version, and sends the update only after it was cleaned away.
func TestASlowWriterCannotMakeACleanedVersionCurrent(t *testing.T) {
	b := newBench(t)
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
	if n := b.cleanLater(); n != 1 {
		t.Errorf("Clean destroyed %d versions; want that of the slow writer", n)
	}
	fault.Release()
	if err := <-slow; !errors.Is(err, driver.ErrConflict) {
		t.Errorf("the slow put = %v; want ErrConflict", err)
	}
	wantLatest(t, b, "a", "one")
	b.wantLive(1)
}

// Of a state that is out of date, the current version looks like one that nothing refers to.
func TestCleanIsNotMisledByALateRead(t *testing.T) {
	for k := 1; k <= 8; k++ {
		b := newBench(t, gcpsmtest.WithStaleness(k))
		rev := mustPut(t, b, "a", "one", "")
		b.add("left over")
		mustPut(t, b, "a", "two", rev)
		s := b.another()
		s.now = func() time.Time { return time.Now().Add(youngest) }
		for range k + 1 {
			if _, err := s.Clean(t.Context(), "a"); err != nil && !errors.Is(err, driver.ErrConflict) {
				t.Errorf("Clean = %v; want success or ErrConflict", err)
			}
		}
		wantLatest(t, patient{b.another()}, "a", "two")
	}
}

// The number of a version begins again with a new life of the secret.
func TestALateDestroyDoesNotHitANewLife(t *testing.T) {
	for name, writer := range map[string]func(b *bench) *secrets{
		"of its own version":      func(b *bench) *secrets { return b.secrets },
		"of another's, by a list": func(b *bench) *secrets { return b.another() },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			rev := mustPut(t, b, "a", "one", "")
			fault := b.server.Inject(gcpsmtest.Fault{Method: "DestroySecretVersion", Effect: gcpsmtest.Late})
			mustPut(t, writer(b), "a", "two", rev)
			if err := b.Delete(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			mustPut(t, b, "a", "new life", "")
			fault.Release()
			wantLatest(t, b, "a", "new life")
		})
	}
}

func TestAVersionWithAnotherAliasStays(t *testing.T) {
	b := newBench(t)
	mustPut(t, b, "a", "one", "")
	secret, err := b.client.UpdateSecret(t.Context(), &secretmanagerpb.UpdateSecretRequest{
		Secret:     &secretmanagerpb.Secret{Name: secretA, VersionAliases: map[string]int64{"pinned": 1, current: 1}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"version_aliases"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rev := mustPut(t, b, "a", "two", stateOf(secret).revision(secretA))
	mustPut(t, b.another(), "a", "three", rev)
	b.cleanLater()
	b.wantLive(2)
	got, err := b.client.AccessSecretVersion(t.Context(), &secretmanagerpb.AccessSecretVersionRequest{Name: secretA + "/versions/pinned"})
	if err != nil || string(got.Payload.Data) != "one" {
		t.Errorf("the version pinned = %v, %v; want one", got, err)
	}
}
