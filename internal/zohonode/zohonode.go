// Package zohonode runs Zoho's SDK for Node.js in tests. It is for tests only.
package zohonode

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sdk = "@zohocrm/nodejs-sdk-8.0@2.0.0"

// Install installs the SDK by npm and returns a function that runs a script on it. The script prints tokens as JSON: a list
// of rows with the ten columns of the SDK's stores.
//
// Where that is not possible Install skips the test, or fails it if npm is in the comma-separated variable TOKENKEEP_REQUIRE.
func Install(t testing.TB, script string) func(args ...string) [][]string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	need(t, err)
	node, err := exec.LookPath("node")
	need(t, err)
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	install := exec.CommandContext(t.Context(), npm, "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", sdk)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("npm install %s: %s", sdk, out)
		need(t, err)
	}
	script = filepath.Join(dir, "sdk.mjs") // beside node_modules, where node looks for them
	if err := os.WriteFile(script, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) [][]string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("node sdk.mjs %s: %v", args, err)
		}
		var rows [][]string
		if err := json.Unmarshal(out, &rows); err != nil {
			t.Fatalf("node sdk.mjs %s printed %q: %v", args, out, err)
		}
		return rows
	}
}

// need leaves a test out where the SDK cannot be installed, or fails it if npm is required.
func need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case slices.Contains(strings.Split(os.Getenv("TOKENKEEP_REQUIRE"), ","), "npm"):
		t.Fatalf("npm is required and does not work: %v", err)
	default:
		t.Skipf("left out: npm does not work here: %v", err)
	}
}
