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

// Install installs the SDK by npm, once for a user's cache folder, and returns a function that runs a script on it. The script
// prints tokens as JSON: a list of rows with the ten columns of the SDK's stores.
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
	modules, err := installed(t, npm)
	need(t, err)
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
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

// installed returns the folder of the SDK's modules, which is made where there is none.
func installed(t testing.TB, npm string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tokenkeep", "nodejs-sdk-8.0-2.0.0")
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(modules); err == nil {
		return modules, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "nodejs-sdk-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }() // what another process was faster with
	install := exec.CommandContext(t.Context(), npm, "install", "--prefix", fresh, "--ignore-scripts", "--no-audit", "--no-fund", sdk)
	install.Dir = fresh
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("npm install %s: %s", sdk, out)
		return "", err
	}
	if err := os.Rename(fresh, dir); err != nil {
		if _, there := os.Stat(modules); there != nil {
			return "", err
		}
	}
	return modules, nil
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
