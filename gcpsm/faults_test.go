package gcpsm

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

var effects = []gcpsmtest.Effect{
	gcpsmtest.FailBefore, gcpsmtest.Throttle, gcpsmtest.CutBefore, gcpsmtest.FailAfter, gcpsmtest.CutAfter, gcpsmtest.Late,
}

func TestAnyRequestMayFailOnce(t *testing.T) {
	works := map[string]func(b *bench) error{
		"create": func(b *bench) error { _, err := b.Put(b.t.Context(), "a", []byte("two"), ""); return err },
		"put": func(b *bench) error {
			rev := mustPut(b.t, b.another(), "a", "one", "")
			_, err := b.Put(b.t.Context(), "a", []byte("two"), rev)
			return err
		},
		"put at a revision of Get": func(b *bench) error {
			mustPut(b.t, b.another(), "a", "one", "")
			got, err := b.Get(b.t.Context(), "a")
			if err == nil {
				_, err = b.Put(b.t.Context(), "a", []byte("two"), got.Revision)
			}
			return err
		},
	}
	for what, work := range works {
		for _, effect := range effects {
			t.Run(fmt.Sprint(what, ", ", effect), func(t *testing.T) {
				for request, met := 1, true; met; request++ {
					b := newBench(t)
					fault := b.server.Inject(gcpsmtest.Fault{Request: request, Effect: effect})
					if err := work(b); err != nil {
						t.Errorf("request %d: %v; want success", request, err)
					}
					met = fault.Met()
					fault.Release()
					rev := wantLatest(t, b, "a", "two")
					mustPut(t, b.another(), "a", "three", rev)
					b.wantLive(1)
				}
			})
		}
	}
}

// between makes something happen while a driver waits before it sends a request again.
func (b *bench) between(do func()) {
	b.pause = func(context.Context, time.Duration) error {
		b.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
		do()
		return nil
	}
}

func TestALostReplyAndAnotherWriter(t *testing.T) {
	for _, effect := range []gcpsmtest.Effect{gcpsmtest.CutBefore, gcpsmtest.CutAfter} {
		t.Run(string(effect), func(t *testing.T) {
			b := newBench(t)
			rev := mustPut(t, b, "a", "one", "")
			b.server.Inject(gcpsmtest.Fault{Method: "UpdateSecret", Effect: effect})
			b.between(func() {
				other := b.another()
				got, err := other.Latest(t.Context(), "a")
				if err != nil {
					t.Fatal(err)
				}
				mustPut(t, other, "a", "theirs", got.Revision)
			})
			_, err := b.Put(t.Context(), "a", []byte("ours"), rev)
			var e *driver.Error
			if !errors.Is(err, driver.ErrConflict) || !errors.As(err, &e) || !e.Resent {
				t.Errorf("Put = %v; want ErrConflict that says Resent", err)
			}
			wantLatest(t, b, "a", "theirs")
			b.wantLive(1)
		})
	}
}

// Whoever has added a version before ours cannot have written over ours.
func TestALostReplyAndAWriterWhoBeganBefore(t *testing.T) {
	b := newBench(t)
	rev := mustPut(t, b, "a", "one", "")
	theirs := b.server.Inject(gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.Hold})
	done := make(chan error)
	go func() {
		_, err := b.another().Put(t.Context(), "a", []byte("theirs"), rev)
		done <- err
	}()
	if err := theirs.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.server.Inject(gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.CutBefore})
	b.between(func() {
		theirs.Release()
		if err := <-done; err != nil {
			t.Errorf("their put = %v; want success", err)
		}
	})
	_, err := b.Put(t.Context(), "a", []byte("ours"), rev)
	var e *driver.Error
	if !errors.Is(err, driver.ErrConflict) || !errors.As(err, &e) || e.Resent {
		t.Errorf("Put = %v; want ErrConflict that does not say Resent", err)
	}
	wantLatest(t, b, "a", "theirs")
	b.wantLive(1)
}

func TestALostReplyAndADelete(t *testing.T) {
	for again, want := range map[string]error{"": driver.ErrNotFound, "created again": nil} {
		b := newBench(t)
		rev := mustPut(t, b, "a", "one", "")
		b.server.Inject(gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.CutAfter})
		b.between(func() {
			other := b.another()
			if err := other.Delete(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			if again != "" {
				mustPut(t, other, "a", "three", mustPut(t, other, "a", "two", ""))
			}
		})
		_, err := b.Put(t.Context(), "a", []byte("ours"), rev)
		var e *driver.Error
		if !errors.Is(err, driver.ErrConflict) || !errors.As(err, &e) || !e.Resent {
			t.Errorf("Put = %v; want ErrConflict that says Resent", err)
		}
		if got, err := b.another().Latest(t.Context(), "a"); !errors.Is(err, want) || want == nil && string(got.Payload) != "three" {
			t.Errorf("Latest = %q, %v; want %v", got.Payload, err, want)
		}
	}
}

// Whoever took a late read for the truth would destroy the version that it had just made the current one.
func TestALostReplyAndLateReads(t *testing.T) {
	for k := 1; k <= 8; k++ {
		b := newBench(t, gcpsmtest.WithRandomStaleness(k, uint64(k)))
		rev := mustPut(t, b, "a", "one", "")
		rev = mustPut(t, b, "a", "two", rev)
		b.server.Inject(gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.CutAfter})
		if _, err := b.another().Put(t.Context(), "a", []byte("three"), rev); err != nil && !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("%d commits late: Put = %v; want success or ErrUnavailable", k, err)
		}
		if _, payload, err := b.access(t.Context(), "a", "3", b.reads()); err != nil || string(payload) != "three" {
			t.Errorf("%d commits late: version 3 = %q, %v; want three", k, payload, err)
		}
	}
}

func TestNothingIsSentAfterItsTime(t *testing.T) {
	tests := []struct {
		name   string
		fault  gcpsmtest.Fault
		add    int
		update int
		resent bool
		holds  string
	}{
		{"a version not added", gcpsmtest.Fault{Method: "AddSecretVersion", Effect: gcpsmtest.CutBefore}, 1, 0, false, "one"},
		{"a version added", gcpsmtest.Fault{Method: "AddSecretVersion", Effect: gcpsmtest.CutAfter}, 1, 0, false, "one"},
		{"an update throttled", gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.Throttle}, 1, 1, false, "one"},
		{"an update not executed", gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.CutBefore}, 1, 1, true, "one"},
		{"an update executed", gcpsmtest.Fault{Method: "UpdateSecret", Effect: gcpsmtest.CutAfter}, 1, 1, true, "two"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			rev := mustPut(t, b, "a", "one", "")
			ctx := driver.WithNotAfter(t.Context(), time.Now().Add(time.Minute))
			b.server.Inject(tt.fault)
			var passed time.Duration
			b.now = func() time.Time { return time.Now().Add(passed) }
			b.between(func() { passed = 2 * time.Minute })
			b.server.ResetCalls()
			_, err := b.Put(ctx, "a", []byte("two"), rev)
			if calls := b.server.Calls(); !errors.Is(err, driver.ErrConflict) || calls["AddSecretVersion"] != tt.add || calls["UpdateSecret"] != tt.update {
				t.Errorf("Put = %v with calls %v; want ErrConflict, %d AddSecretVersion and %d UpdateSecret", err, calls, tt.add, tt.update)
			}
			var e *driver.Error
			if !errors.As(err, &e) || e.Resent != tt.resent {
				t.Errorf("Put = %v; want Resent %v", err, tt.resent)
			}
			wantLatest(t, b.another(), "a", tt.holds)
		})
	}
}

// The time may pass while a connection is made.
func TestNothingGoesOutAfterItsTime(t *testing.T) {
	b := newBench(t)
	rev := mustPut(t, b, "a", "one", "")
	start := time.Now()
	looks := 0
	b.now = func() time.Time {
		if looks++; looks > 2 { // of Put, and of the request
			return start.Add(time.Hour)
		}
		return start
	}
	b.server.ResetCalls()
	_, err := b.Put(driver.WithNotAfter(t.Context(), start.Add(time.Minute)), "a", []byte("two"), rev)
	if !errors.Is(err, driver.ErrConflict) || len(b.server.Calls()) != 0 {
		t.Errorf("Put = %v with calls %v; want ErrConflict and none", err, b.server.Calls())
	}
}

// throttled returns a driver of global secrets on a server with quotas, whose clock stands still but for pauses.
func throttled(t *testing.T, passes func(time.Duration) time.Duration) *secrets {
	now := time.Now()
	server := startServer(t, gcpsmtest.WithQuotas(), gcpsmtest.WithClock(func() time.Time { return now }))
	s := newDriver(t, clientOf(t, server), global, Options{})
	s.pause = func(ctx context.Context, d time.Duration) error {
		now = now.Add(passes(d))
		return ctx.Err()
	}
	return s
}

func TestAThrottledPutWaits(t *testing.T) {
	s := throttled(t, func(d time.Duration) time.Duration { return d })
	var rev driver.Revision
	for i := range 10 {
		rev = mustPut(t, s, "a", fmt.Sprint(i), rev)
	}
}

func TestAPutThatIsThrottledForLongIsErrQuota(t *testing.T) {
	s := throttled(t, func(time.Duration) time.Duration { return 0 })
	rev := mustPut(t, s, "a", "one", "")
	if _, err := s.Put(t.Context(), "a", []byte("two"), rev); !errors.Is(err, driver.ErrQuota) {
		t.Errorf("Put = %v; want ErrQuota", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s.pause = func(context.Context, time.Duration) error { cancel(); return context.Canceled }
	if _, err := s.Put(ctx, "a", []byte("two"), rev); !errors.Is(err, context.Canceled) {
		t.Errorf("Put that is given up meanwhile = %v; want context.Canceled", err)
	}
}
