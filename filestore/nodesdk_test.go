package filestore_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
)

const nodeSDK = "@zohocrm/nodejs-sdk-8.0@2.0.0"

func TestZohosNodeSDKAndThePackageReadEachOthersFiles(t *testing.T) {
	run := installNodeSDK(t)
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	written := run("write", path)
	nameless := tokenkeep.Token{ID: "2", ClientID: "1000.CLIENT", ClientSecret: "secret", GrantToken: "1000.grant"}
	holds(t, path, ann, nameless)

	save(t, filestore.New(path), tokenkeep.Token{UserName: "bob", RefreshToken: "r", ClientID: "c", ClientSecret: "s"})
	want := append(written, []string{"3", "bob", "c", "s", "r", "", "", "", "", ""})
	if got := run("read", path); !reflect.DeepEqual(got, want) {
		t.Errorf("the SDK reads\n%v\nwant\n%v", got, want)
	}
	if got := run("write", path); !reflect.DeepEqual(got, want) { // it saves what is there already, and another that it deletes
		t.Errorf("after a save by the SDK it reads\n%v\nwant\n%v", got, want)
	}
	bob := tokenkeep.Token{ID: "3", UserName: "bob", RefreshToken: "r", ClientID: "c", ClientSecret: "s"}
	holds(t, path, ann, nameless, bob)
}

// installNodeSDK installs the SDK by npm and returns a function that runs testdata/sdk.mjs on it.
func installNodeSDK(t *testing.T) func(mode, path string) [][]string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	need(t, err)
	node, err := exec.LookPath("node")
	need(t, err)
	dir := t.TempDir()
	install := exec.CommandContext(t.Context(), npm, "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", nodeSDK)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("npm install %s: %s", nodeSDK, out)
		need(t, err)
	}
	script := filepath.Join(dir, "sdk.mjs") // beside node_modules, where node looks for them
	if err := os.WriteFile(script, []byte(read(t, filepath.Join("testdata", "sdk.mjs"))), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(mode, path string) [][]string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), node, script, mode, path)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("node sdk.mjs %s: %v", mode, err)
		}
		var rows [][]string
		if err := json.Unmarshal(out, &rows); err != nil {
			t.Fatalf("node sdk.mjs %s printed %q: %v", mode, out, err)
		}
		return rows
	}
}

// need leaves a test out where the SDK cannot be installed, or fails it if npm is in TOKENKEEP_REQUIRE.
func need(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case slices.Contains(strings.Split(os.Getenv("TOKENKEEP_REQUIRE"), ","), "npm"):
		t.Fatalf("npm is required and does not work: %v", err)
	default:
		t.Skipf("left out: npm does not work here: %v", err)
	}
}
