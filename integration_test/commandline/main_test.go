// Package commandline runs the tokenkeep program, as processes, on every kind of store.
package commandline

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/internal/mototest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(mototest.M{M: mariadbtest.M{M: realvault.M{M: built{m}}}})
}

// program is the path of tokenkeep.
var program string

// built runs tests on a tokenkeep that is built before them.
type built struct{ m *testing.M }

func (b built) Run() int {
	folder, err := os.MkdirTemp("", "tokenkeep")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	program = filepath.Join(folder, "tokenkeep")
	build := exec.Command("go", "build", "-o", program, "./cmd/tokenkeep")
	build.Dir = "../.." // the root module, so that it is built with the versions that it is released with
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build tokenkeep: %v\n%s", err, out)
		return 1
	}
	return b.m.Run()
}
