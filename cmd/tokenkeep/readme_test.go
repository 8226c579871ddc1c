package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/zohonode"
)

const sdkFile = `id,user_name,client_id,client_secret,refresh_token,access_token,grant_token,expiry_time,redirect_url,api_domain
1,ann@example.com,1000.WEB,canary,canary-ann,canary-access,,1796115600000,,https://www.zohoapis.eu
2,bob@example.com,1000.WEB,canary,canary-bob,,,,,
`

// session returns the terminal session of README.md: the server that it starts and says so, and the rest.
func session(t *testing.T) (server, rest string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```console\n")
	block, _, ok := strings.Cut(after, "```\n")
	i := strings.Index(block, "$ tokenkeep list")
	if !ok || i < 0 {
		t.Fatalf("README.md has no session with tokenkeep list: %s", block)
	}
	return block[:i], block[i:]
}

// took are the times in what doctor prints, which differ between two runs.
var took = regexp.MustCompile(`\d[\w.]* \(±[\w.]+\) (ahead of|behind)`)

func TestTheSessionInTheREADMEIsWhatIsPrinted(t *testing.T) {
	server, rest := session(t)
	served := serveProcess(t)
	want := "$ tokenkeep localstack --port 4566 &\n" + strings.ReplaceAll(served.said, served.url(), "http://127.0.0.1:4566") +
		"$ export LOCALSTACK_ENDPOINT=http://127.0.0.1:4566\n"
	if server != want {
		t.Errorf("the session begins\n%swant\n%s", server, want)
	}

	dir := t.TempDir()
	program := fmt.Sprintf("#!/bin/sh\n%s=1 exec %q \"$@\"\n", asProgram, os.Args[0])
	for name, text := range map[string]string{"tokenkeep": program, "sdk_tokens.txt": sdkFile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var printed strings.Builder // as a terminal shows it
	for line := range strings.Lines(rest) {
		typed, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		printed.WriteString(line)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", typed)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LOCALSTACK_ENDPOINT="+served.url(), "PATH="+dir+":"+os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v", strings.TrimSpace(typed), err)
		}
		printed.Write(out)
	}
	masked := func(text string) string { return took.ReplaceAllString(text, "TIME apart from") }
	if got := printed.String(); masked(got) != masked(rest) {
		t.Errorf("the session is\n%s\nREADME.md has\n%s", got, rest)
	}
	if strings.Contains(printed.String(), "canary") {
		t.Error("a credential was printed")
	}
}

func TestTheFileOfZohosNodeSDKIsCopiedThereAndBack(t *testing.T) {
	sdk := zohonode.Install(t, "../../filestore/testdata/sdk.mjs")
	t.Setenv("LOCALSTACK_ENDPOINT", startServer(t).URL)
	there, back := filepath.Join(t.TempDir(), "sdk_tokens.txt"), filepath.Join(t.TempDir(), "back.txt")
	written := sdk("write", there)
	for _, urls := range [][2]string{{"file:" + there, "localstack://crm"}, {"localstack://crm", "file:" + back}} {
		got := command(t, "copy", "--from", urls[0], "--to", urls[1], "--verify")
		if got.status != 0 || !strings.HasPrefix(got.stdout, fmt.Sprintf("copied %d,", len(written))) {
			t.Fatalf("%s: status %d, %s%s; want %d tokens", urls, got.status, got.stdout, got.stderr, len(written))
		}
	}
	if read := sdk("read", back); !reflect.DeepEqual(read, written) {
		t.Errorf("the SDK reads\n%q\nwant\n%q", read, written)
	}
}
