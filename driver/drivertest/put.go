package drivertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

var putPromises = []promise{
	{"a create where a secret lives conflicts and writes nothing", createOverLive},
	{"a put at a stale revision conflicts and writes nothing", staleRevision},
	{"a put at a revision conflicts where nothing ever was", putWhereNothingWas},
	{"a made-up revision conflicts and writes nothing", madeUpRevision},
	{"another secret's revision conflicts and writes nothing", otherSecretsRevision},
	{"a chain of puts keeps every revision apart", chain},
}

func createOverLive(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	rev := put(t, s, "a", "one", "")
	wantConflict(t, s, "a", "intruder", "")
	if got := wantLatest(t, s, "a", "one"); got != rev {
		t.Errorf("the refused create moved the revision from %q to %q", rev, got)
	}
}

func staleRevision(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	first := put(t, s, "a", "one", "")
	second := put(t, s, "a", "two", first)
	wantConflict(t, s, "a", "intruder", first)
	wantConflict(t, handle(), "a", "intruder", first)
	if got := wantLatest(t, s, "a", "two"); got != second {
		t.Errorf("the refused put moved the revision from %q to %q", second, got)
	}
	put(t, s, "a", "three", second)
	wantLatest(t, s, "a", "three")
}

func putWhereNothingWas(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	wantConflict(t, s, "missing", "intruder", "made-up")
	wantAbsent(t, s, "missing")
	wantConflict(t, s, "missing", "intruder", put(t, s, "a", "one", ""))
	wantAbsent(t, s, "missing")
}

func madeUpRevision(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	rev := put(t, s, "a", "one", "")
	madeUp := []driver.Revision{
		" ", "0", "-1", "made-up", "made up in five words here", "\x00", "☃", "\xff", "{}", "a/b/c", "a:b:c", "||",
		"99999999999999999999", rev + "0", rev + " ", " " + rev, rev + rev, rev[:len(rev)-1] + "~",
		driver.Revision(strings.Repeat("long", 4096)),
	}
	for _, m := range madeUp {
		wantConflict(t, s, "a", "intruder", m)
	}
	if got := wantLatest(t, s, "a", "one"); got != rev {
		t.Errorf("a refused put moved the revision from %q to %q", rev, got)
	}
}

// otherSecretsRevision gives both secrets the same history, so that a revision that is only a number shows.
func otherSecretsRevision(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	revA := put(t, s, "a", "one", "")
	revB := put(t, s, "b", "one", "")
	wantConflict(t, s, "b", "intruder", revA)
	revB = put(t, s, "b", "two", revB)
	revA = put(t, s, "a", "two", revA)
	wantConflict(t, s, "a", "intruder", revB)
	wantConflict(t, s, "b", "intruder", revA)
	wantLatest(t, s, "a", "two")
	wantLatest(t, s, "b", "two")
}

func chain(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	seen := map[driver.Revision]int{}
	var rev driver.Revision
	for i := range 8 {
		rev = put(t, s, "a", fmt.Sprintf("payload %d", i), rev)
		if before, ok := seen[rev]; ok {
			t.Fatalf("puts %d and %d returned one revision, %q", before, i, rev)
		}
		seen[rev] = i
	}
	for old := range seen {
		if old != rev {
			wantConflict(t, s, "a", "intruder", old)
		}
	}
	wantLatest(t, s, "a", "payload 7")
}
