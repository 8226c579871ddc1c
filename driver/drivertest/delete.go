package drivertest

import (
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

var deletePromises = []promise{
	{"deleting nothing succeeds", deleteNothing},
	{"a deleted secret is absent in every method", deletedIsAbsent},
	{"deleting one secret leaves the others", deleteLeavesOthers},
	{"a create right after a delete works", createAfterDelete},
	{"a revision read before a delete conflicts", oldRevisionAfterDelete},
	{"a revision read before a delete conflicts with the secret created again", oldRevisionAfterRecreation},
	{"no number of puts in a new life makes an old revision fit", oldRevisionAfterAsManyPuts},
	{"three lives keep their revisions apart", threeLives},
}

func deleteNothing(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	remove(t, s, "missing")
	remove(t, s, "missing")
	put(t, s, "a", "one", "")
	remove(t, s, "a")
	remove(t, s, "a")
	remove(t, handle(), "a")
	wantAbsent(t, s, "a")
}

func deletedIsAbsent(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	put(t, s, "b", "other", "")
	remove(t, s, "a")
	wantAbsent(t, s, "a")
	wantAbsent(t, handle(), "a")
	var err error
	if !eventually(t.Context(), func() bool { _, err = s.Get(t.Context(), "a"); return err != nil }) {
		t.Fatalf("Get still finds the deleted secret after %v", staleness)
	}
	wantError(t, s, "Get", "a", err, driver.ErrNotFound)
	many, err := s.GetMany(t.Context(), []string{"a", "b"})
	if err != nil {
		t.Fatalf("GetMany with a deleted name = %v; want success", err)
	}
	if _, ok := many["a"]; ok || len(many) != 1 {
		t.Errorf("GetMany with a deleted name found %d secrets, the deleted one: %v; want the other one only", len(many), ok)
	}
}

func deleteLeavesOthers(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	put(t, s, "a_b", "two", "")
	put(t, s, "aa", "three", "")
	remove(t, s, "a")
	wantAbsent(t, s, "a")
	wantLatest(t, s, "a_b", "two")
	wantLatest(t, s, "aa", "three")
}

func createAfterDelete(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	for _, payload := range []string{"two", "three"} {
		remove(t, s, "a")
		rev := put(t, s, "a", payload, "")
		if got := wantLatest(t, s, "a", payload); got != rev {
			t.Errorf("create after delete returned revision %q, Latest has %q", rev, got)
		}
		wantGet(t, s, "a", payload)
		put(t, s, "a", payload+" updated", rev)
		wantLatest(t, s, "a", payload+" updated")
	}
}

func oldRevisionAfterDelete(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	second := put(t, s, "a", "two", first)
	remove(t, s, "a")
	for _, old := range []driver.Revision{first, second} {
		wantConflict(t, s, "a", "intruder", old)
		wantConflict(t, handle(), "a", "intruder", old)
	}
	wantAbsent(t, s, "a")
}

func oldRevisionAfterRecreation(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	second := put(t, s, "a", "two", first)
	remove(t, s, "a")
	third := put(t, s, "a", "new life", "")
	for _, old := range []driver.Revision{first, second} {
		wantConflict(t, s, "a", "intruder", old)
		wantConflict(t, handle(), "a", "intruder", old)
	}
	if got := wantLatest(t, s, "a", "new life"); got != third {
		t.Errorf("a refused put moved the revision from %q to %q", third, got)
	}
	put(t, s, "a", "updated", third)
	wantLatest(t, s, "a", "updated")
}

// oldRevisionAfterAsManyPuts finds revisions that are a count which starts again.
func oldRevisionAfterAsManyPuts(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	old := put(t, s, "a", "two", put(t, s, "a", "one", ""))
	remove(t, s, "a")
	rev := put(t, s, "a", "new one", "")
	for _, payload := range []string{"new two", "new three", "new four"} {
		rev = put(t, s, "a", payload, rev)
		wantConflict(t, s, "a", "intruder", old)
		wantLatest(t, s, "a", payload)
	}
}

func threeLives(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	var old []driver.Revision
	for range 3 {
		rev := put(t, s, "a", "the same payload in every life", "")
		for _, o := range old {
			wantConflict(t, s, "a", "intruder", o)
		}
		wantLatest(t, s, "a", "the same payload in every life")
		old = append(old, rev)
		remove(t, s, "a")
	}
	for _, o := range old {
		wantConflict(t, s, "a", "intruder", o)
	}
	wantAbsent(t, s, "a")
}
