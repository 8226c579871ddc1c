package storetest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
	"github.com/tokenkeep/tokenkeep/storetest"
)

func TestMemstoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) func() tokenkeep.Store {
		store := memstore.New()
		return func() tokenkeep.Store { return store }
	}, storetest.Limits{})
}

func TestAStoreNeedNotBeAnUpdater(t *testing.T) {
	storetest.Run(t, func(*testing.T) func() tokenkeep.Store {
		store := memstore.New()
		return func() tokenkeep.Store { return struct{ tokenkeep.Store }{store} }
	}, storetest.Limits{})
}

// brokenVariable names the broken store that a run of this test binary checks.
const brokenVariable = "STORETEST_BROKEN"

// TestRunFailsForBrokenStores runs the suite on each broken store, in a process of its own since it is to fail there,
// and looks for the failure of the subtest that is about the store's bug.
func TestRunFailsForBrokenStores(t *testing.T) {
	if name := os.Getenv(brokenVariable); name != "" {
		t.Skip("this is a run on a broken store")
	}
	names := map[string]bool{}
	for _, broken := range brokenStores {
		if names[broken.name] {
			t.Errorf("two broken stores are called %q", broken.name)
		}
		names[broken.name] = true
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			failsIn(t, broken.name, broken.fails)
		})
	}
}

// keepsEverything is the store that keeps more than ten columns, and so is broken where only they are allowed.
const keepsEverything = "a store that keeps everything"

func TestRunFailsForAStoreThatKeepsMoreThanItsTenColumns(t *testing.T) {
	for _, fails := range []string{
		"columns/what has no column is refused by its name, and nothing is written",
		"columns/what only a refresh writes is left out where it has no column",
		"columns/an expiry is kept to the millisecond",
		"columns/tokens saved without ID are counted from 1",
	} {
		t.Run(fails, func(t *testing.T) { failsIn(t, keepsEverything, fails) })
	}
}

// failsIn runs TestBrokenStore on a broken store and looks for the failure of one subtest.
func failsIn(t *testing.T, name, fails string) {
	t.Helper()
	pattern := "^TestBrokenStore$"
	for part := range strings.SplitSeq(fails, "/") {
		pattern += "/^" + regexp.QuoteMeta(strings.ReplaceAll(part, " ", "_")) + "$"
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+pattern, "-test.v")
	cmd.Env = append(os.Environ(), brokenVariable+"="+name)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("the run ended with %v, want exit status 1\n%s", err, out.String())
	}
	failed := "--- FAIL: TestBrokenStore/" + strings.ReplaceAll(fails, " ", "_") + " "
	if !strings.Contains(out.String(), failed) {
		t.Errorf("the run does not report %q\n%s", failed, out.String())
	}
	if strings.Contains(out.String(), "panic:") {
		t.Errorf("the run panics\n%s", out.String())
	}
}

// TestBrokenStore runs the suite on the store that the environment names. It fails, for the test above.
func TestBrokenStore(t *testing.T) {
	name := os.Getenv(brokenVariable)
	if name == "" {
		t.Skip("only TestRunFailsForBrokenStores runs this")
	}
	if name == keepsEverything {
		storetest.Run(t, func(*testing.T) func() tokenkeep.Store {
			store := memstore.New()
			return func() tokenkeep.Store { return store }
		}, storetest.Limits{TenColumns: true})
		return
	}
	for _, broken := range brokenStores {
		if broken.name != name {
			continue
		}
		storetest.Run(t, func(*testing.T) func() tokenkeep.Store {
			store := memstore.New()
			return func() tokenkeep.Store { return broken.open(store) }
		}, storetest.Limits{})
		return
	}
	panic(fmt.Sprintf("no broken store is called %q", name))
}
