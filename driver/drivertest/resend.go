package drivertest

import (
	"errors"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

var resendPromises = []promise{
	{"a create sent again is recognised and changes nothing", createAgain},
	{"a put sent again is recognised and changes nothing", putAgain},
	{"a put sent again by another handle is recognised", putAgainElsewhere},
	{"a put sent again after a later one overwrites nothing", putAgainTooLate},
	{"a create sent again after a later put overwrites nothing", createAgainTooLate},
	{"a put sent again after a delete brings nothing back", putAgainAfterDelete},
	{"a put sent again after a re-creation overwrites nothing", putAgainAfterRecreation},
}

// again sends a put that has been acknowledged, which must come to the same.
func again(t testing.TB, s driver.Secrets, payload string, rev, acknowledged driver.Revision) {
	t.Helper()
	got, err := s.Put(t.Context(), "a", []byte(payload), rev)
	if err != nil {
		t.Fatalf("the same put sent again = %v; want success", err)
	}
	if got != acknowledged {
		t.Errorf("the same put sent again returned revision %q; want %q as before", got, acknowledged)
	}
	if now := wantLatest(t, s, "a", payload); now != acknowledged {
		t.Errorf("the same put sent again moved the revision from %q to %q", acknowledged, now)
	}
}

func createAgain(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	rev := put(t, s, "a", "one", "")
	again(t, s, "one", "", rev)
	put(t, s, "a", "two", rev)
	wantLatest(t, s, "a", "two")
}

func putAgain(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	second := put(t, s, "a", "two", first)
	again(t, s, "two", first, second)
	put(t, s, "a", "three", second)
	wantLatest(t, s, "a", "three")
}

func putAgainElsewhere(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	second := put(t, s, "a", "two", first)
	again(t, handle(), "two", first, second)
}

// tooLate sends a put that something else has overwritten since: recognised or refused, it may change nothing.
func tooLate(t testing.TB, s driver.Secrets, payload string, rev driver.Revision, want string, wantRev driver.Revision) {
	t.Helper()
	got, err := s.Put(t.Context(), "a", []byte(payload), rev)
	if err != nil && !errors.Is(err, driver.ErrConflict) {
		t.Fatalf("an overwritten put sent again = %v; want success or ErrConflict", err)
	}
	if now := wantLatest(t, s, "a", want); now != wantRev {
		t.Fatalf("an overwritten put sent again moved the revision from %q to %q", wantRev, now)
	}
	if err == nil {
		wantConflict(t, s, "a", "intruder", got)
		wantLatest(t, s, "a", want)
	}
}

func putAgainTooLate(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	second := put(t, s, "a", "two", first)
	third := put(t, s, "a", "three", second)
	tooLate(t, s, "two", first, "three", third)
	fourth := put(t, s, "a", "four", third)
	tooLate(t, s, "two", first, "four", fourth)
}

func createAgainTooLate(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	second := put(t, s, "a", "two", first)
	tooLate(t, s, "one", "", "two", second)
}

// afterDelete sends a put of a former life again. That it took effect then may be recognised; it may do nothing now.
func afterDelete(t testing.TB, s driver.Secrets, payload string, rev driver.Revision) {
	t.Helper()
	got, err := s.Put(t.Context(), "a", []byte(payload), rev)
	if err == nil {
		wantConflict(t, s, "a", "intruder", got)
	} else if !errors.Is(err, driver.ErrConflict) {
		t.Fatalf("a put of a former life sent again = %v; want success or ErrConflict", err)
	}
}

func putAgainAfterDelete(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	put(t, s, "a", "two", first)
	remove(t, s, "a")
	afterDelete(t, s, "two", first)
	wantAbsent(t, s, "a")
}

func putAgainAfterRecreation(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	put(t, s, "a", "two", first)
	remove(t, s, "a")
	rev := put(t, s, "a", "new life", "")
	afterDelete(t, s, "two", first)
	if got := wantLatest(t, s, "a", "new life"); got != rev {
		t.Errorf("a put of a former life sent again moved the revision from %q to %q", rev, got)
	}
}
