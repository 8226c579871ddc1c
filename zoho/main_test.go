package zoho

import (
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
	goleak.VerifyTestMain(mototest.M{M: m})
}
