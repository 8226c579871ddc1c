package mariadbtest

import (
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/verdict"
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

func TestForwardIsAWayToTheServerByPort(t *testing.T) {
	cfg, err := mysql.ParseDSN(Start(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := connect(t, "root@tcp(127.0.0.1:"+Forward(t, cfg.Addr)+")/"+cfg.DBName).Ping(); err != nil {
		t.Error(err)
	}
	if err := connect(t, "root@tcp(127.0.0.1:"+Forward(t, cfg.Addr+"none")+")/").Ping(); err == nil {
		t.Error("there is an answer of a socket that does not exist")
	}
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
				for name, script := range map[string]string{installer: "#!/bin/sh\n", program: tt.script} {
					if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				folder += ":/bin:/usr/bin" // for the shell
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
	if got := verdict.Of(t, func(t testing.TB) { Start(t) }); !strings.HasPrefix(got, "failed: mariadbtest: TestMain") {
		t.Errorf("the test is %q; want it to fail", got)
	}
}
