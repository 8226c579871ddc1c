package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/mototest"
)

// asProgram makes the test binary behave as the program itself.
const asProgram = "TOKENKEEP_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	browser, _ := browserCommand(runtime.GOOS)
	if err := flag.Set("test.parallel", "8"); err != nil { // most tests wait; the command line comes later and wins
		panic(err)
	}
	testscript.Main(leakChecked{mototest.M{M: m}}, map[string]func(){"tokenkeep": main, browser: browse})
}

// leakChecked are tests that must leave no goroutine behind.
type leakChecked struct{ m mototest.M }

// Run runs them and returns the exit status.
func (l leakChecked) Run() int {
	status := l.m.Run()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return status
}

// output is what one run of the command line wrote, and its exit status.
type output struct {
	stdout, stderr string
	status         int
}

func command(t *testing.T, args ...string) output {
	t.Helper()
	var stdout, stderr strings.Builder
	status := run(t.Context(), args, &stdout, &stderr)
	return output{stdout.String(), stderr.String(), status}
}

func TestWhatIsWrongWithTheCommandLineIsSaidInOneLine(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"an unknown command", []string{"dmeo"}, "tokenkeep: unknown command \"dmeo\" for \"tokenkeep\"\n"},
		{"an unknown flag", []string{"demo", "--end"}, "tokenkeep: unknown flag: --end\n"},
		{"an argument too many", []string{"demo", "now"}, "tokenkeep: unknown command \"now\" for \"tokenkeep demo\"\n"},
		{"an endpoint that is none", []string{"demo", "--endpoint", "ftp://me:secret@host"}, "tokenkeep: --endpoint: localstack: the endpoint has neither http:// " +
			"nor https:// before its host; write it like \"http://127.0.0.1:4566\": invalid\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := command(t, tt.args...); got.status != 2 || got.stdout != "" || got.stderr != tt.want {
				t.Errorf("status %d, %q and on stderr %q; want 2, nothing and %q", got.status, got.stdout, got.stderr, tt.want)
			}
		})
	}
}

func TestHelpHasAnExample(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"demo", "--help"}, {"help", "demo"}} {
		got := command(t, args...)
		if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, "Examples:\n  tokenkeep demo\n") {
			t.Errorf("tokenkeep %v: status %d, %q, on stderr %q; want 0 and an example", args, got.status, got.stdout, got.stderr)
		}
	}
}

func TestVersionNamesTheBuild(t *testing.T) {
	got := command(t, "--version")
	if got.status != 0 || !strings.HasPrefix(got.stdout, "tokenkeep ") || !strings.HasSuffix(got.stdout, ")\n") {
		t.Errorf("--version: status %d, %q", got.status, got.stdout)
	}
	commit := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "1a2b3c"}}
	tests := []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"installed at a version", &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3 (go1.26.0)"},
		{"built in a clone", &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "(devel)"}, Settings: commit}, "devel (1a2b3c, go1.26.0)"},
		{"run", &debug.BuildInfo{GoVersion: "go1.26.0"}, "devel (go1.26.0)"},
		{"built without modules", nil, "of an unknown build"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := version(tt.info, tt.info != nil); got != tt.want {
				t.Errorf("version = %q; want %q", got, tt.want)
			}
		})
	}
}

func TestAShellCanCompleteCommandsAndJobs(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := command(t, "completion", shell); got.status != 0 || !strings.Contains(got.stdout, "__complete") {
			t.Errorf("completion %s: status %d, %.80q, on stderr %q; want a script", shell, got.status, got.stdout, got.stderr)
		}
	}
	tests := []struct{ typed, want string }{
		{"ver", "verify\t"},
		{"policy aws --job re", "read\nrefresh\n"},
	}
	for _, tt := range tests {
		if got := command(t, append([]string{"__complete"}, strings.Fields(tt.typed)...)...); !strings.HasPrefix(got.stdout, tt.want) {
			t.Errorf("%q completes to %q; want %q", tt.typed, got.stdout, tt.want)
		}
	}
}

func TestProgramsGetJSONFromCommandsWithoutAStore(t *testing.T) {
	demo := command(t, "demo", "--json")
	var told story
	if err := json.Unmarshal([]byte(demo.stdout), &told); err != nil || demo.status != 0 {
		t.Fatalf("demo: status %d, %v in %s%s", demo.status, err, demo.stdout, demo.stderr)
	}
	if len(told.Steps) < 10 || told.Steps[0].Calls["CreateSecret"] == 0 || told.Steps[1].Details == nil {
		t.Errorf("the demo tells %+v", told)
	}
	secretless(t, demo)

	var policy struct{ Policy string }
	hcl := command(t, "policy", "vault", "--prefix", "crm", "--job", "read")
	got := command(t, "policy", "vault", "--prefix", "crm", "--job", "read", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &policy); err != nil || policy.Policy != hcl.stdout {
		t.Errorf("policy vault: %v in %s; want the policy %s", err, got.stdout, hcl.stdout)
	}
}

func TestALocalstackTellsProgramsWhereItIs(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"localstack", "--port", "0", "--json"}, write, io.Discard) }()
	var told struct {
		URL         string
		Environment []string
	}
	if err := json.NewDecoder(read).Decode(&told); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(told.Environment, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+told.URL) {
		t.Errorf("told %+v; want the URL in the environment", told)
	}
	empty(t, told.URL)
	stop()
	if status := <-ended; status != 0 {
		t.Errorf("status %d", status)
	}
}
