package drivertest

import (
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

var getPromises = []promise{
	{"an absent secret is ErrNotFound in Get and Latest", absent},
	{"Get and Latest read what was put", readsWhatWasPut},
	{"another handle reads what was put", otherHandleReads},
	{"a payload comes back byte for byte", byteExact},
	{"the payload read belongs to the caller", payloadIsACopy},
	{"the revision of Put is the one that Latest reads", revisionOfPut},
	{"the revision of Get can be written at", revisionOfGet},
}

func absent(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	_, err := s.Get(t.Context(), "missing")
	wantError(t, s, "Get", "missing", err, driver.ErrNotFound)
	_, err = s.Latest(t.Context(), "missing")
	wantError(t, s, "Latest", "missing", err, driver.ErrNotFound)
}

// wantGet checks what Get answers once it has caught up.
func wantGet(t testing.TB, s driver.Secrets, name, payload string) {
	t.Helper()
	var got driver.Secret
	var err error
	caughtUp := eventually(t.Context(), func() bool {
		got, err = s.Get(t.Context(), name)
		return err == nil && string(got.Payload) == payload
	})
	if !caughtUp {
		t.Fatalf("Get(%q) = payload %q, error %v; want %q within %v", name, got.Payload, err, payload, staleness)
	}
}

func readsWhatWasPut(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	rev := put(t, s, "a", "one", "")
	put(t, s, "b", "other", "")
	wantLatest(t, s, "a", "one")
	wantGet(t, s, "a", "one")
	put(t, s, "a", "two", rev)
	wantLatest(t, s, "a", "two")
	wantGet(t, s, "a", "two")
	wantLatest(t, s, "b", "other")
}

func otherHandleReads(t testing.TB, handle func() driver.Secrets) {
	s, other := handle(), handle()
	rev := put(t, s, "a", "one", "")
	if got := wantLatest(t, other, "a", "one"); got != rev {
		t.Errorf("one handle put revision %q, the other reads %q", rev, got)
	}
	put(t, other, "a", "two", rev)
	wantLatest(t, s, "a", "two")
	wantGet(t, s, "a", "two")
	remove(t, other, "a")
	wantAbsent(t, s, "a")
}

func byteExact(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	payloads := map[string]string{
		"newlines": " \n{\r\n\t\"a\": 1}\n\n ",
		"emoji":    "naïve 👩‍👩‍👧‍👦 \U0001F511 日本語 \u2028 \ufeff",
		"escapes":  `"quoted" \back\slash\ %20 %s <tag> & 'it' \u0041 ${x}`,
		"control":  "tab\tdel\x7f",
		"numbers":  `{"tokenkeep": 1, "n": 12345678901234567890.10}`,
		"blank":    " ",
	}
	for name, payload := range payloads {
		put(t, s, name, payload, "")
		wantLatest(t, s, name, payload)
		wantGet(t, s, name, payload)
	}
}

func payloadIsACopy(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	mine := []byte("one")
	if _, err := s.Put(t.Context(), "a", mine, ""); err != nil {
		t.Fatalf("Put = %v; want success", err)
	}
	copy(mine, "XXX")
	got, err := s.Latest(t.Context(), "a")
	if err != nil {
		t.Fatalf("Latest = %v; want success", err)
	}
	copy(got.Payload, "YYY")
	wantLatest(t, s, "a", "one")
}

func revisionOfPut(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	rev := put(t, s, "a", "one", "")
	if got := wantLatest(t, s, "a", "one"); got != rev {
		t.Errorf("create returned revision %q, Latest has %q", rev, got)
	}
	rev = put(t, s, "a", "two", rev)
	if got := wantLatest(t, s, "a", "two"); got != rev {
		t.Errorf("update returned revision %q, Latest has %q", rev, got)
	}
}

func revisionOfGet(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	wantGet(t, s, "a", "one")
	got, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatalf("Get = %v; want success", err)
	}
	put(t, s, "a", "two", got.Revision)
	wantLatest(t, s, "a", "two")
}
