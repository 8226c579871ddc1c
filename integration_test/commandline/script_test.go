package commandline

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestEveryCommandOnEveryKindOfStore runs the scripts of testdata/script on a new store of each kind.
func TestEveryCommandOnEveryKindOfStore(t *testing.T) {
	media, variables := startAll(t)
	variables = append(variables, startZoho(t)...)
	for _, m := range media {
		t.Run(m.name, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir: "testdata/script",
				Setup: func(env *testscript.Env) error {
					env.Vars = append(env.Vars, variables...)
					env.Setenv("PATH", filepath.Dir(program))
					env.Setenv("TOKENKEEP_STORE", m.url("script"))
					return nil
				},
				Condition: func(condition string) (bool, error) {
					if condition != "manager" {
						return false, fmt.Errorf("the condition %q is not known", condition)
					}
					return m.manager, nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status},
			})
		})
	}
}

// status runs tokenkeep and checks its exit status. Credentials in these scripts begin with "canary", and no output may have
// one that was not asked for.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status NUMBER ARGUMENTS OF TOKENKEEP")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("tokenkeep", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d; want %d", got, want)
	}
	asked := slices.Contains(args, "--reveal") || args[1] == "token"
	if strings.Contains(ts.ReadFile("stderr"), "canary") || !asked && strings.Contains(ts.ReadFile("stdout"), "canary") {
		ts.Fatalf("a credential was printed")
	}
}
