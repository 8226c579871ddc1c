package drivertest

import (
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

var limitsPromises = []promise{
	{"a payload at the limit comes back whole", payloadAtLimit},
	{"a payload over the limit is ErrTooLarge and writes nothing", payloadOverLimit},
	{"a name at the limit works", nameAtLimit},
}

// fill makes a payload of n bytes with characters of two bytes, which a limit counted in characters would let pass.
func fill(n int) string {
	return strings.Repeat("é", n/2) + strings.Repeat("x", n%2)
}

func payloadAtLimit(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	n := s.Limits().Payload
	if n == 0 {
		return
	}
	rev := put(t, s, "a", fill(n), "")
	put(t, s, "a", strings.Repeat("y", n), rev)
	got, err := s.Latest(t.Context(), "a")
	if err != nil || string(got.Payload) != strings.Repeat("y", n) {
		t.Errorf("Latest of %d bytes = %d bytes, error %v; want them back", n, len(got.Payload), err)
	}
}

func payloadOverLimit(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	n := s.Limits().Payload
	if n == 0 {
		return
	}
	tooLarge := func(rev driver.Revision, payload string) {
		t.Helper()
		_, err := s.Put(t.Context(), "a", []byte(payload), rev)
		if err == nil {
			t.Fatalf("Put of %d bytes succeeded; want ErrTooLarge over %d", len(payload), n)
		}
		wantError(t, s, "Put", "a", err, driver.ErrTooLarge)
	}
	tooLarge("", strings.Repeat("x", n+1))
	wantAbsent(t, s, "a")
	rev := put(t, s, "a", "one", "")
	tooLarge(rev, strings.Repeat("x", n+1))
	tooLarge(rev, fill(n)+"é")
	if got := wantLatest(t, s, "a", "one"); got != rev {
		t.Errorf("the refused put moved the revision from %q to %q", rev, got)
	}
}

func nameAtLimit(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	n := s.Limits().Name
	if n == 0 {
		return
	}
	name := "t_" + strings.Repeat("x", n-3)
	put(t, s, name+"a", "one", put(t, s, name+"a", "zero", ""))
	put(t, s, name+"b", "two", "")
	wantLatest(t, s, name+"a", "one")
	if got := getMany(t, s, name+"a", name+"b"); len(got) != 2 || string(got[name+"b"].Payload) != "two" {
		t.Errorf("GetMany of two names of %d bytes found %d secrets", n, len(got))
	}
	remove(t, s, name+"a")
	wantAbsent(t, s, name+"a")
	wantLatest(t, s, name+"b", "two")
}
