// Package mariadbtest starts MariaDB for tests. It is for tests only.
//
// A package whose tests call [Start] has a TestMain that runs them by an [M]:
//
//	func TestMain(m *testing.M) { os.Exit(mariadbtest.M{M: m}.Run()) }
//
// The server is a process of its own on files of its own, started at the first Start and ended with the test binary, even if
// that is killed: a shell between the two of them ends it when the shell's standard input ends.
package mariadbtest

import (
	"bufio"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // to make databases, and for who imports this package
)

const (
	program   = "mariadbd"
	installer = "mariadb-install-db"
	require   = "TOKENKEEP_REQUIRE"

	// keeper runs a program until standard input ends, whatever signals their group gets, and then removes its folder.
	keeper = `trap "" HUP INT TERM; "$@" & exec 2>/dev/null; cat >/dev/null; kill -9 $!; wait $!; rm -rf "$0"`
)

var (
	running atomic.Bool // an M runs the tests
	shared  server
)

// M is a testing.M that ends the server after the tests. It goes wherever the other does, goleak.VerifyTestMain too, and around
// the M of another package.
type M struct{ M interface{ Run() int } }

// Run runs the tests, ends the server if there is one, and returns the exit code of the tests.
func (m M) Run() int {
	running.Store(true)
	defer shared.stop()
	return m.M.Run()
}

// Start makes an empty database for a test and returns its data source name, for the driver "mysql". All tests of a test
// binary share the server, which listens on a socket in its folder and on no port. The user is root, without a password; a
// test that needs others makes them, and drops them.
//
// Where mariadbd is not installed Start skips the test, or fails it if mariadb is in the comma-separated variable
// TOKENKEEP_REQUIRE. A mariadbd that does not get to listen fails the test everywhere, with what it wrote, and so does a
// package whose TestMain uses no [M].
func Start(t testing.TB) string {
	t.Helper()
	if !running.Load() {
		t.Fatalf("mariadbtest: TestMain does not run the tests by a mariadbtest.M, which would end the server")
	}
	name := "t" + strings.ToLower(rand.Text())
	admin := shared.endpoint(t)
	execute(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, admin, "DROP DATABASE "+name) })
	return admin + name
}

func execute(t testing.TB, source, statement string) {
	t.Helper()
	db, err := sql.Open("mysql", source)
	if err != nil {
		t.Fatalf("mariadb: %v", err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("mariadb: %v", err)
	}
}

// server is a MariaDB server that is started at most once.
type server struct {
	once   sync.Once
	source string
	err    error
	end    func()
}

// endpoint returns the data source name without a database.
func (s *server) endpoint(t testing.TB) string {
	t.Helper()
	s.once.Do(func() { s.err = s.start() })
	switch {
	case errors.Is(s.err, exec.ErrNotFound) && !required():
		t.Skipf("left out: %s, since MariaDB is not installed (apt-get install mariadb-server): %v", t.Name(), s.err)
	case s.err != nil:
		t.Fatalf("mariadb: %v", s.err)
	}
	return s.source
}

func required() bool { return slices.Contains(strings.Split(os.Getenv(require), ","), "mariadb") }

func (s *server) start() error {
	path, err := exec.LookPath(program)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "mariadb") // a short path: a socket's name has at most 107 bytes
	if err != nil {
		return err
	}
	options := []string{"--no-defaults", "--datadir=" + folder}
	if os.Getuid() == 0 {
		options = append(options, "--user=root")
	}
	if err := initialize(options); err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	socket := filepath.Join(folder, "socket")
	args := append([]string{"-c", keeper, folder, path}, options...)
	args = append(args, "--socket="+socket, "--pid-file="+filepath.Join(folder, "pid"), "--skip-networking",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M")
	command := exec.Command("sh", args...)
	stdin, err := command.StdinPipe()
	if err != nil {
		return err
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	drained := make(chan struct{})
	s.end = func() {
		_ = stdin.Close()
		<-drained
		_ = command.Wait() // it says that mariadbd was killed
	}
	tooLate := time.AfterFunc(time.Minute, func() { _ = stdin.Close() })
	defer tooLate.Stop()
	err = ready(stderr)
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, stderr)
	}()
	s.source = "root@unix(" + socket + ")/"
	return err
}

// initialize makes the tables that hold users.
func initialize(options []string) error {
	command := exec.Command(installer, append(options, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w; it wrote:\n%s", installer, err, out)
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

// ready reads what mariadbd writes until it says that it listens.
func ready(stderr io.Reader) error {
	var said strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "ready for connections") {
			return nil
		}
		said.WriteString(lines.Text() + "\n")
	}
	return fmt.Errorf("%s ended, or had to after a minute, before it listened; it wrote:\n%s", program, said.String())
}
