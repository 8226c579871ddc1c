// Package mototest starts moto, a Secrets Manager that nobody here wrote, for tests. It is for tests only.
//
// A package whose tests call [Start] has a TestMain that runs them by an [M]:
//
//	func TestMain(m *testing.M) { os.Exit(mototest.M{M: m}.Run()) }
//
// The server is a process of its own, started at the first Start and ended with the test binary, even if that is killed:
// between the two of them runs the test binary once more, as a keeper, and it ends moto when its standard input ends.
package mototest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	program = "moto_server"
	require = "TOKENKEEP_REQUIRE"
	keeping = "TOKENKEEP_TEST_KEEPS" // for the keeper: the path of moto_server
)

var (
	running atomic.Bool // an M runs the tests
	shared  server
	guarded server // that of StartIAM
)

// M is a testing.M that ends the server after the tests. It goes wherever the other does, goleak.VerifyTestMain too, and around
// the M of another package.
type M struct{ M interface{ Run() int } }

// Run runs the tests, ends the server if there is one, and returns the exit code of the tests. In the keeper it runs no
// test and does not return.
func (m M) Run() int {
	if path := os.Getenv(keeping); path != "" {
		keep(path)
		os.Exit(0)
	}
	running.Store(true)
	defer shared.stop()
	defer guarded.stop()
	return m.M.Run()
}

// Start returns the URL of a moto server on a free port of 127.0.0.1. All tests of a test binary share it, and what they
// leave there, so each needs names of its own or cleans up.
//
// Where moto_server is not installed Start skips the test, or fails it if moto is in the comma-separated variable
// TOKENKEEP_REQUIRE. A moto_server that does not get to listen fails the test everywhere, with what it wrote, and so does
// a package whose TestMain uses no [M].
func Start(t testing.TB) string {
	t.Helper()
	return start(t, &shared)
}

func start(t testing.TB, s *server) string {
	t.Helper()
	if !running.Load() {
		t.Fatalf("mototest: TestMain does not run the tests by a mototest.M, which would end the server")
	}
	return s.endpoint(t)
}

// server is a moto server that is started at most once.
type server struct {
	once sync.Once
	url  string
	err  error
	end  func()
}

func (s *server) endpoint(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.err = s.start() })
	switch {
	case errors.Is(s.err, exec.ErrNotFound) && !required():
		t.Skipf("left out: %s, since moto is not installed (pip install 'moto[server]'): %v", t.Name(), s.err)
	case s.err != nil:
		t.Fatalf("moto: %v", s.err)
	}
	return s.url
}

func required() bool { return slices.Contains(strings.Split(os.Getenv(require), ","), "moto") }

func (s *server) start() error {
	path, err := exec.LookPath(program)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	keeper := exec.Command(self)
	keeper.Env = append(os.Environ(), keeping+"="+path, "GORACE=atexit_sleep_ms=0") // with -race, no second of sleep at its end
	stdin, err := keeper.StdinPipe()
	if err != nil {
		return err
	}
	stderr, err := keeper.StderrPipe()
	if err != nil {
		return err
	}
	if err := keeper.Start(); err != nil {
		return err
	}
	drained := make(chan struct{})
	s.end = func() {
		_ = stdin.Close()
		<-drained
		_ = keeper.Wait()
	}
	tooLate := time.AfterFunc(time.Minute, func() { _ = stdin.Close() })
	defer tooLate.Stop()
	moto, err := address(stderr)
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, stderr) // moto logs each request
	}()
	if err != nil {
		return err
	}
	gate, err := newGate(moto)
	if err != nil {
		return err
	}
	s.url = gate.URL
	endMoto := s.end
	s.end = func() {
		gate.Close()
		endMoto()
	}
	return nil
}

// stop ends the server if it was started. It may be repeated.
func (s *server) stop() {
	if s.end != nil {
		s.end()
		s.end = nil
	}
}

// address reads what moto_server writes until it says where it listens.
func address(stderr io.Reader) (string, error) {
	var said strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "Running on "); ok {
			return strings.TrimSpace(url), nil
		}
		said.WriteString(lines.Text() + "\n")
	}
	return "", fmt.Errorf("%s ended, or had to after a minute, before it listened; it wrote:\n%s", program, said.String())
}

// keep runs moto_server until standard input ends, which it does however the tests end.
func keep(path string) {
	moto := exec.Command(path, "-H", "127.0.0.1", "-p", "0")
	moto.Stderr = os.Stderr
	if err := moto.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = moto.Process.Kill()
	}()
	_ = moto.Wait() // it was killed, or says why
}
