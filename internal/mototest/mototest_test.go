package mototest

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(M{M: m}) }

// answers says whether somebody answers at url.
func answers(url string) bool {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get(url + "/moto-api/")
	return err == nil && response.Body.Close() == nil
}

func TestAllTestsShareOneServer(t *testing.T) {
	url := Start(t)
	if again := Start(t); again != url || !strings.HasPrefix(url, "http://127.0.0.1:") || !answers(url) {
		t.Errorf("Start = %q, then %q; want one URL on 127.0.0.1 where somebody answers", url, again)
	}
}

func TestStopEndsTheServer(t *testing.T) {
	var s server
	t.Cleanup(s.stop)
	url := s.endpoint(t)
	for range 2 {
		s.stop()
	}
	if answers(url) {
		t.Errorf("somebody still answers on %s", url)
	}
}

func TestATestWithoutAServerSaysWhy(t *testing.T) {
	const left = "skipped: left out: TestATestWithoutAServerSaysWhy/"
	tests := []struct{ name, script, required, prefix, says string }{
		{"none is installed", "", "", left, `"moto_server": executable file not found`},
		{"none is installed and another program is required", "", "floci,motoring", left, `"moto_server": executable file not found`},
		{"none is installed and it is required", "", "floci,moto", "failed: moto: ", `"moto_server": executable file not found`},
		{"one ends at once", "#!/bin/sh\necho no such module >&2\n", "", "failed: moto: ", "no such module"},
		{"one is no program", "#!/nonexistent\n", "", "failed: moto: ", "/moto_server: no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("left out: this system runs no scripts of a shell")
			}
			folder := t.TempDir()
			if tt.script != "" {
				if err := os.WriteFile(filepath.Join(folder, program), []byte(tt.script), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", folder)
			t.Setenv(require, tt.required)
			var s server
			t.Cleanup(s.stop)
			if got := verdict.Of(t, func(t testing.TB) { s.endpoint(t) }); !strings.HasPrefix(got, tt.prefix) || !strings.Contains(got, tt.says) {
				t.Errorf("the test is %q; want %q and %q", got, tt.prefix, tt.says)
			}
		})
	}
}

func TestStartNeedsAnM(t *testing.T) {
	running.Store(false)
	defer running.Store(true)
	if got := verdict.Of(t, func(t testing.TB) { Start(t) }); !strings.HasPrefix(got, "failed: mototest: TestMain") {
		t.Errorf("the test is %q; want it to fail", got)
	}
}

func TestOnlyTestsImportThisPackage(t *testing.T) {
	const self = "github.com/tokenkeep/tokenkeep/internal/mototest"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "github.com/tokenkeep/tokenkeep/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := false
	for line := range strings.Lines(string(out)) {
		packages := strings.Fields(line)
		found = found || packages[0] == self
		if slices.Contains(packages[1:], self) {
			t.Errorf("%s imports this package outside its tests", packages[0])
		}
	}
	if !found {
		t.Errorf("go list does not list this package, but\n%s", out)
	}
}
