package doctor_test

import (
	"iter"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/doctor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// verdicts are the findings by what was looked at. A check that comes twice is an error of the test.
func verdicts(t *testing.T, findings iter.Seq[doctor.Finding]) map[string]doctor.Finding {
	t.Helper()
	all := map[string]doctor.Finding{}
	for f := range findings {
		if _, twice := all[f.Check]; twice {
			t.Errorf("%s comes twice", f.Check)
		}
		all[f.Check] = f
	}
	for _, f := range all {
		t.Logf("%-8s %-15s %s", f.Verdict, f.Check, f.Detail)
	}
	return all
}

// expect compares the checks that are not OK with those that should not be.
func expect(t *testing.T, got map[string]doctor.Finding, notOK map[string]doctor.Verdict) {
	t.Helper()
	for check, f := range got {
		want, listed := notOK[check]
		if !listed {
			want = doctor.OK
		}
		if f.Verdict != want {
			t.Errorf("%s is %s: %s; want %s", check, f.Verdict, f.Detail, want)
		}
	}
	for check := range notOK {
		if _, is := got[check]; !is {
			t.Errorf("nothing is said of %s", check)
		}
	}
}

var order = []string{"clock", "read", "read index", "history", "delete", "create", "update", "race", "race to create", "fresh reads",
	"payload", "name", "list", "deleted", "left behind", "job read", "job refresh", "job write", "job operator"}

func sameOrder(got []doctor.Finding) bool {
	var names []string
	for _, f := range got {
		names = append(names, f.Check)
	}
	return slices.Equal(names, order)
}
