// Package drivertest checks that a driver keeps the promises of package driver.
//
// A driver's own test calls [Run] with a function that makes an empty folder of secrets:
//
//	func TestDriver(t *testing.T) {
//		drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
//			folder := newFolder(t) // empty, removed by t.Cleanup
//			return func() driver.Secrets { return open(folder) }
//		})
//	}
//
// Each promise is a subtest named by a sentence and gets a folder of its own. What a manager has no limit for is
// not checked. One run writes about 400 times, at most a dozen times to one secret, and makes no single call wait.
package drivertest

import (
	"context"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Run checks every promise of package driver.
//
// open makes an empty folder of secrets and returns a function that opens one more handle on it. Handles are used
// together, as two processes would; they may share a client.
func Run(t *testing.T, open func(t *testing.T) func() driver.Secrets) {
	for _, s := range subjects() {
		t.Run(s.name, func(t *testing.T) {
			for _, p := range s.promises {
				t.Run(p.sentence, func(t *testing.T) { p.check(t, open(t)) })
			}
		})
	}
}

// promise is one sentence of the contract. Its check takes a testing.TB, so that this package's own tests can see
// it fail.
type promise struct {
	sentence string
	check    func(t testing.TB, handle func() driver.Secrets)
}

type subject struct {
	name     string
	promises []promise
}

func subjects() []subject {
	return []subject{
		{"get", getPromises},
		{"put", putPromises},
		{"resend", resendPromises},
		{"race", racePromises},
		{"delete", deletePromises},
		{"many", manyPromises},
		{"list", listPromises},
		{"limits", limitsPromises},
		{"notafter", notAfterPromises},
		{"cancel", cancelPromises},
		{"errors", errorsPromises},
	}
}

// staleness is how long Get may answer with a state older than the newest write before the suite loses patience.
const staleness = 10 * time.Second

// put writes a secret that the check needs.
func put(t testing.TB, s driver.Secrets, name, payload string, rev driver.Revision) driver.Revision {
	t.Helper()
	next, err := s.Put(t.Context(), name, []byte(payload), rev)
	if err != nil {
		t.Fatalf("Put(%q, rev %q) = %v; want success", name, rev, err)
	}
	if next == "" {
		t.Fatalf("Put(%q, rev %q) returned the zero Revision, which stands for no secret", name, rev)
	}
	return next
}

// remove deletes a secret that the check needs gone.
func remove(t testing.TB, s driver.Secrets, name string) {
	t.Helper()
	if err := s.Delete(t.Context(), name); err != nil {
		t.Fatalf("Delete(%q) = %v; want success", name, err)
	}
}

// wantLatest checks what a secret holds, and returns its revision.
func wantLatest(t testing.TB, s driver.Secrets, name, payload string) driver.Revision {
	t.Helper()
	got, err := s.Latest(t.Context(), name)
	if err != nil {
		t.Fatalf("Latest(%q) = %v; want payload %q", name, err, payload)
	}
	if string(got.Payload) != payload {
		t.Fatalf("Latest(%q) = payload %q; want %q", name, got.Payload, payload)
	}
	if got.Revision == "" {
		t.Fatalf("Latest(%q) has the zero Revision, which stands for no secret", name)
	}
	return got.Revision
}

// wantAbsent checks that Latest finds nothing.
func wantAbsent(t testing.TB, s driver.Secrets, name string) {
	t.Helper()
	got, err := s.Latest(t.Context(), name)
	if err == nil {
		t.Fatalf("Latest(%q) = payload %q; want ErrNotFound", name, got.Payload)
	}
	wantError(t, s, "Latest", name, err, driver.ErrNotFound)
}

// wantConflict checks that a put conflicts.
func wantConflict(t testing.TB, s driver.Secrets, name, payload string, rev driver.Revision) {
	t.Helper()
	next, err := s.Put(t.Context(), name, []byte(payload), rev)
	if err == nil {
		t.Fatalf("Put(%q, rev %q) wrote revision %q; want ErrConflict", name, rev, next)
	}
	wantError(t, s, "Put", name, err, driver.ErrConflict)
}

// eventually repeats what may be answered from an older state.
func eventually(ctx context.Context, done func() bool) bool {
	deadline := time.Now().Add(staleness)
	for pause := time.Millisecond; !done(); pause *= 2 {
		if time.Now().After(deadline) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
	return true
}
