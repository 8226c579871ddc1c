package zoho

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/mototest"
)

// TestMain runs the tests or, in a process that a test has started, its part there.
func TestMain(m *testing.M) {
	if part := os.Getenv(childVariable); part != "" {
		os.Exit(runChild(part))
	}
	if err := flag.Set("test.parallel", "8"); err != nil { // most tests wait; the command line comes later and wins
		panic(err)
	}
	goleak.VerifyTestMain(mototest.M{M: m})
}
