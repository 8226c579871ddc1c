//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
)

// What a process that a test starts is told: its part, and the path of the file.
const (
	partVariable = "FILESTORE_PART"
	pathVariable = "FILESTORE_PATH"
)

// eachSaves is how many users one process signs up.
const eachSaves = 25

var parts = map[string]func(path string) (status int){
	"sign up":       func(path string) int { return signUp(path, eachSaves) },
	"write forever": writeForever,
	"save many":     saveMany,
}

// signUp waits for the end of its input and saves n users of its own.
func signUp(path string, n int) int {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return failed(err)
	}
	store := filestore.New(path)
	for i := range n {
		user := fmt.Sprintf("user %d of process %d", i, os.Getpid())
		if _, err := store.SaveToken(context.Background(), tokenkeep.Token{UserName: user, RefreshToken: user}); err != nil {
			return failed(err)
		}
	}
	return 0
}

// writeForever saves one version of a token after the other, until it is killed.
func writeForever(path string) int {
	store := filestore.New(path)
	for n := 0; ; n++ {
		if _, err := store.SaveToken(context.Background(), version(n)); err != nil {
			return failed(err)
		}
	}
}

// manyAtOnce is how many users saveMany saves at once.
const manyAtOnce = 7

// saveMany saves new users, many at once, until it is killed.
func saveMany(path string) int {
	store := filestore.New(path)
	for n := 0; ; n++ {
		tokens := make([]tokenkeep.Token, manyAtOnce)
		for i := range tokens {
			tokens[i] = tokenkeep.Token{UserName: fmt.Sprintf("user %d of save %d", i, n), RefreshToken: "r"}
		}
		if _, err := store.SaveTokens(context.Background(), tokens); err != nil {
			return failed(err)
		}
	}
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// version returns a large token that has its number everywhere.
func version(n int) tokenkeep.Token {
	long := strings.Repeat(fmt.Sprint(n%10), 100<<10)
	return tokenkeep.Token{UserName: "a", ClientSecret: long, RefreshToken: "r", AccessToken: long}
}

// process starts this test binary for a part; it ends with the test at the latest.
func process(t *testing.T, part, path string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), partVariable+"="+part, pathVariable+"="+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, stdin
}

// killAfter starts a process for a part that has no end, and kills it once enough says so.
func killAfter(t *testing.T, part, path string, enough func() bool) {
	t.Helper()
	cmd, _ := process(t, part, path)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !enough() {
		select {
		case err := <-ended:
			t.Fatalf("the writer ended before it was killed: %v", err)
		default:
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}

func TestProcessesThatSaveAtOnceLoseNoTokenAndReadersSeeWholeFiles(t *testing.T) {
	const processes = 4
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	var children []*exec.Cmd
	var start []io.Closer
	for range processes {
		cmd, stdin := process(t, "sign up", path)
		children, start = append(children, cmd), append(start, stdin)
	}
	for _, stdin := range start {
		if err := stdin.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() {
		var errs []error
		for _, cmd := range children {
			errs = append(errs, cmd.Wait())
		}
		ended <- errors.Join(errs...)
	}()

	store := filestore.New(path)
	seen := 0
	for done := false; !done; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		tokens, err := store.GetTokens(t.Context())
		if err != nil {
			t.Fatalf("a reader during writes: %v", err)
		}
		if len(tokens) < seen {
			t.Fatalf("a reader saw %d tokens and then %d", seen, len(tokens))
		}
		seen = len(tokens)
	}
	if seen != processes*eachSaves {
		t.Errorf("%d processes that saved %d tokens each left %d", processes, eachSaves, seen)
	}
	for n := range processes * eachSaves {
		if _, err := store.FindTokenByID(t.Context(), fmt.Sprint(n+1)); err != nil {
			t.Error(err)
		}
	}
}

func TestAKilledWriterLeavesAWholeFileAndNoLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	store := filestore.New(path)
	save(t, store, version(0))
	for range 8 {
		before := read(t, path)
		killAfter(t, "write forever", path, func() bool { return read(t, path) != before })
		got, err := store.FindTokenByID(t.Context(), "1")
		if err != nil {
			t.Fatalf("after a writer was killed: %v", err)
		}
		if len(got.AccessToken) != 100<<10 || got.AccessToken != got.ClientSecret {
			t.Error("the token is mixed of two versions")
		}
		save(t, store, tokenkeep.Token{UserName: "a", RedirectURL: "after the kill"})
	}
}

func TestTokensThatAreSavedAtOnceAreAllThereOrNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	store := filestore.New(path)
	whole := func() int {
		t.Helper()
		tokens, err := store.GetTokens(t.Context())
		if err != nil || len(tokens)%manyAtOnce != 0 {
			t.Fatalf("the file holds %d tokens, %v, of writers that save %d at once", len(tokens), err, manyAtOnce)
		}
		return len(tokens)
	}
	for range 8 {
		killAfter(t, "save many", path, func() bool { return whole() >= 5*manyAtOnce })
		whole()
		if err := store.DeleteTokens(t.Context()); err != nil { // the next one saves the same users
			t.Fatal(err)
		}
	}
}

// A writer that is killed between the two steps of a write leaves its temporary file.
func TestALeftTemporaryFileIsReplaced(t *testing.T) {
	path := copyOf(t, "canonical.csv")
	if err := os.WriteFile(path+".tmp", []byte("id,user_na"), 0o644); err != nil {
		t.Fatal(err)
	}
	holds(t, path, ann, dan, bob, eve)
	if err := filestore.New(path).DeleteToken(t.Context(), "10"); err != nil {
		t.Fatal(err)
	}
	holds(t, path, ann, bob, eve)
	if _, err := os.Stat(path + ".tmp"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file is there after a write: %v", err)
	}
}

func TestAWriterStopsToWaitForTheLockWhenItsContextEnds(t *testing.T) {
	path := copyOf(t, "canonical.csv")
	other, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	store := filestore.New(path)
	_, err = store.SaveToken(ctx, tokenkeep.Token{UserName: "a", RefreshToken: "r"})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path+".lock") {
		t.Errorf("error %v, want one that is %q and names the lock", err, context.DeadlineExceeded)
	}
	holds(t, path, ann, dan, bob, eve) // without the lock

	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	save(t, store, tokenkeep.Token{UserName: "a", RefreshToken: "r"})
}

func TestAWriterStopsToWaitForItsTurnWhenItsContextEnds(t *testing.T) {
	store := filestore.New(copyOf(t, "canonical.csv"))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := store.UpdateToken(t.Context(), "1", func(token tokenkeep.Token) (tokenkeep.Token, error) {
		cancel()
		if err := store.DeleteToken(ctx, "2"); !errors.Is(err, context.Canceled) {
			t.Errorf("a delete during an update: error %v, want one that is %q", err, context.Canceled)
		}
		return token, nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOnlyTheOwnerMayReadWhatIsWritten(t *testing.T) {
	path := copyOf(t, "canonical.csv") // which all may read
	save(t, filestore.New(path), tokenkeep.Token{UserName: "a", RefreshToken: "r"})
	for _, file := range []string{path, path + ".lock"} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", filepath.Base(file), info.Mode())
		}
	}
}

func TestALinkStaysALink(t *testing.T) {
	path := copyOf(t, "canonical.csv")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := filestore.New(link).DeleteToken(t.Context(), "10"); err != nil {
		t.Fatal(err)
	}
	holds(t, path, ann, bob, eve)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link has become %v, %v", info, err)
	}
}

func TestWhatChangesNothingWritesNothing(t *testing.T) {
	path := copyOf(t, "python.csv") // in a form that a write would change
	before := read(t, path)
	store := filestore.New(path)
	save(t, store, ann)
	save(t, store, tokenkeep.Token{UserName: "bob"})
	if err := store.DeleteToken(t.Context(), "77"); err != nil {
		t.Fatal(err)
	}
	if read(t, path) != before {
		t.Error("the file was written")
	}
}
