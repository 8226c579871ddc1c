package drivertest

import (
	"fmt"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

var manyPromises = []promise{
	{"no names give no secrets", noNames},
	{"one name, present or absent", oneName},
	{"45 names, a third of them absent", manyNames},
	{"only absent names give no secrets and no error", onlyAbsentNames},
	{"what GetMany reads is as fresh as Latest and can be written at", manyRevisions},
}

func getMany(t testing.TB, s driver.Secrets, names ...string) map[string]driver.Secret {
	t.Helper()
	got, err := s.GetMany(t.Context(), names)
	if err != nil {
		t.Fatalf("GetMany(%d names) = %v; want success", len(names), err)
	}
	return got
}

func noNames(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	if got := getMany(t, s); len(got) != 0 {
		t.Errorf("GetMany of no names found %d secrets; want none", len(got))
	}
}

func oneName(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	if got := getMany(t, s, "a"); len(got) != 1 || string(got["a"].Payload) != "one" {
		t.Errorf("GetMany(%q) found %d secrets, payload %q; want payload %q", "a", len(got), got["a"].Payload, "one")
	}
	if got := getMany(t, s, "missing"); len(got) != 0 {
		t.Errorf("GetMany of an absent name found %d secrets; want none", len(got))
	}
}

func manyNames(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	var names []string
	for i := range 45 {
		name := fmt.Sprintf("t_p%d", i)
		names = append(names, name)
		if i%3 != 2 {
			put(t, s, name, "payload of "+name, "")
		}
	}
	got := getMany(t, handle(), names...)
	for i, name := range names {
		secret, ok := got[name]
		switch {
		case ok == (i%3 == 2):
			t.Errorf("GetMany has %q: %v; want %v", name, ok, !ok)
		case ok && string(secret.Payload) != "payload of "+name:
			t.Errorf("GetMany gives %q the payload %q", name, secret.Payload)
		}
	}
	if len(got) != 30 {
		t.Errorf("GetMany found %d secrets; want 30", len(got))
	}
}

func onlyAbsentNames(t testing.TB, handle func() driver.Secrets) {
	var names []string
	for i := range 25 {
		names = append(names, fmt.Sprintf("missing%d", i))
	}
	if got := getMany(t, handle(), names...); len(got) != 0 {
		t.Errorf("GetMany of absent names found %d secrets; want none", len(got))
	}
}

func manyRevisions(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	revA := put(t, s, "a", "one", "")
	put(t, s, "b", "one", "")
	put(t, s, "a", "two", revA)
	got := getMany(t, s, "a", "b")
	for name, want := range map[string]string{"a": "two", "b": "one"} {
		if string(got[name].Payload) != want {
			t.Errorf("GetMany gives %q the payload %q; want %q", name, got[name].Payload, want)
		}
		if rev := wantLatest(t, s, name, want); got[name].Revision != rev {
			t.Errorf("GetMany gives %q the revision %q, Latest %q", name, got[name].Revision, rev)
		}
		put(t, s, name, "three", got[name].Revision)
		wantLatest(t, s, name, "three")
	}
}
