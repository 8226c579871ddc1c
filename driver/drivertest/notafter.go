package drivertest

import (
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

var notAfterPromises = []promise{
	{"a create after its time conflicts and writes nothing", createAfterItsTime},
	{"a put after its time conflicts and writes nothing", putAfterItsTime},
	{"a put before its time is written", putBeforeItsTime},
	{"reads and deletes have no such time", notAfterBoundsPutsOnly},
}

// late puts in a context whose time has passed.
func late(t testing.TB, s driver.Secrets, rev driver.Revision) {
	t.Helper()
	for _, ago := range []time.Duration{time.Second, 24 * time.Hour} {
		ctx := driver.WithNotAfter(t.Context(), time.Now().Add(-ago))
		_, err := s.Put(ctx, "a", []byte("late"), rev)
		if err == nil {
			t.Fatalf("Put %v after NotAfter succeeded; want ErrConflict", ago)
		}
		wantError(t, s, "Put", "a", err, driver.ErrConflict)
	}
}

func createAfterItsTime(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	late(t, s, "")
	wantAbsent(t, s, "a")
	put(t, s, "a", "one", "")
	remove(t, s, "a")
	late(t, s, "")
	wantAbsent(t, s, "a")
}

func putAfterItsTime(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	rev := put(t, s, "a", "one", "")
	late(t, s, rev)
	if got := wantLatest(t, s, "a", "one"); got != rev {
		t.Errorf("the late put moved the revision from %q to %q", rev, got)
	}
	put(t, s, "a", "two", rev)
	wantLatest(t, s, "a", "two")
}

func putBeforeItsTime(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	ctx := driver.WithNotAfter(t.Context(), time.Now().Add(time.Hour))
	rev, err := s.Put(ctx, "a", []byte("one"), "")
	if err != nil {
		t.Fatalf("create an hour before NotAfter = %v; want success", err)
	}
	if _, err := s.Put(ctx, "a", []byte("two"), rev); err != nil {
		t.Fatalf("Put an hour before NotAfter = %v; want success", err)
	}
	wantLatest(t, s, "a", "two")
}

func notAfterBoundsPutsOnly(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	wantGet(t, s, "a", "one")
	ctx := driver.WithNotAfter(t.Context(), time.Now().Add(-time.Hour))
	if _, err := s.Get(ctx, "a"); err != nil {
		t.Errorf("Get after NotAfter = %v; want success", err)
	}
	if _, err := s.Latest(ctx, "a"); err != nil {
		t.Errorf("Latest after NotAfter = %v; want success", err)
	}
	if _, err := s.GetMany(ctx, []string{"a", "b"}); err != nil {
		t.Errorf("GetMany after NotAfter = %v; want success", err)
	}
	if err := s.Delete(ctx, "a"); err != nil {
		t.Errorf("Delete after NotAfter = %v; want success", err)
	}
	wantAbsent(t, s, "a")
}
