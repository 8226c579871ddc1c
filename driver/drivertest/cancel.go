package drivertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

var cancelPromises = []promise{
	{"every method of a cancelled context is context.Canceled and does nothing", cancelled},
	{"every method of an expired context is context.DeadlineExceeded and does nothing", expired},
}

func cancelled(t testing.TB, handle func() driver.Secrets) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended(t, handle, ctx, context.Canceled)
}

func expired(t testing.TB, handle func() driver.Secrets) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	ended(t, handle, ctx, context.DeadlineExceeded)
}

// ended calls every method in a context that has ended.
func ended(t testing.TB, handle func() driver.Secrets, ctx context.Context, target error) {
	t.Helper()
	s := handle()
	rev := put(t, s, "a", "one", "")
	calls := map[string]func() error{
		"Get":              func() error { _, err := s.Get(ctx, "a"); return err },
		"Latest":           func() error { _, err := s.Latest(ctx, "a"); return err },
		"GetMany of 1":     func() error { _, err := s.GetMany(ctx, []string{"a"}); return err },
		"GetMany of 2":     func() error { _, err := s.GetMany(ctx, []string{"a", "b"}); return err },
		"a put":            func() error { _, err := s.Put(ctx, "a", []byte("late"), rev); return err },
		"a create":         func() error { _, err := s.Put(ctx, "b", []byte("late"), ""); return err },
		"a delete":         func() error { return s.Delete(ctx, "a") },
		"a useless delete": func() error { return s.Delete(ctx, "b") },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, target) {
			t.Errorf("%s in a context that has ended = %v; want an error that is %q", name, err, target)
		}
	}
	if got := wantLatest(t, s, "a", "one"); got != rev {
		t.Errorf("a call whose context had ended moved the revision from %q to %q", rev, got)
	}
	wantAbsent(t, s, "b")
}
