package mariadbtest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(M{M: m}) }

func connect(t *testing.T, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	one, two := connect(t, Start(t)), connect(t, Start(t))
	for _, db := range []*sql.DB{one, two} {
		if _, err := db.Exec("CREATE TABLE a (id int)"); err != nil {
			t.Error(err)
		}
	}
	var sockets string
	if err := one.QueryRow("SELECT @@socket").Scan(&sockets); err != nil || !strings.HasPrefix(sockets, os.TempDir()) {
		t.Errorf("the server listens on %q (%v), want a temporary folder", sockets, err)
	}
}

func TestStopEndsTheServerAndRemovesItsFiles(t *testing.T) {
	var s server
	t.Cleanup(s.stop)
	source := s.endpoint(t)
	socket := strings.TrimSuffix(strings.TrimPrefix(source, "root@unix("), ")/")
	if err := connect(t, source).Ping(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.stop()
	}
	if err := connect(t, source).Ping(); err == nil {
		t.Error("the server still answers")
	}
	if _, err := os.Stat(filepath.Dir(socket)); !os.IsNotExist(err) {
		t.Errorf("the folder of the server: error %v, want none there", err)
	}
}

// spy keeps what is said of a test in place of skipping or failing it.
type spy struct {
	testing.TB
	said string
}

func (s *spy) Skipf(format string, args ...any) { s.say("skipped: ", format, args...) }

func (s *spy) Fatalf(format string, args ...any) { s.say("failed: ", format, args...) }

func (s *spy) say(what, format string, args ...any) {
	s.said = what + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// verdict is what f makes of a test.
func verdict(t *testing.T, f func(testing.TB) string) string {
	s, done := &spy{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(s)
	}()
	<-done
	return s.said
}

func TestATestWithoutAServerSaysWhy(t *testing.T) {
	const left = "skipped: left out: TestATestWithoutAServerSaysWhy/"
	for _, tt := range []struct{ name, script, required, prefix, says string }{
		{"none is installed", "", "", left, `"mariadbd": executable file not found`},
		{"none is installed and another program is required", "", "moto,mariadb10", left, `"mariadbd": executable file not found`},
		{"none is installed and it is required", "", "moto,mariadb", "failed: mariadb: ", `"mariadbd": executable file not found`},
		{"one ends at once", "#!/bin/sh\necho no such engine >&2\n", "", "failed: mariadb: ", "no such engine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("left out: this system runs no scripts of a shell")
			}
			folder := t.TempDir()
			if tt.script != "" {
				if err := os.WriteFile(filepath.Join(folder, program), []byte(tt.script), 0o700); err != nil {
					t.Fatal(err)
				}
				folder += ":/bin:/usr/bin" // for the shell
			}
			t.Setenv("PATH", folder)
			t.Setenv(require, tt.required)
			var s server
			t.Cleanup(s.stop)
			if got := verdict(t, s.endpoint); !strings.HasPrefix(got, tt.prefix) || !strings.Contains(got, tt.says) {
				t.Errorf("the test is %q; want %q and %q", got, tt.prefix, tt.says)
			}
		})
	}
}

func TestStartNeedsAnM(t *testing.T) {
	running.Store(false)
	defer running.Store(true)
	if got := verdict(t, Start); !strings.HasPrefix(got, "failed: mariadbtest: TestMain") {
		t.Errorf("the test is %q; want it to fail", got)
	}
}
