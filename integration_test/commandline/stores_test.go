package commandline

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/internal/mototest"
)

// kind is a kind of store that outlives a process.
type kind struct {
	name    string
	manager bool // a secrets manager, with an index and more than ten columns

	// start starts a server, or skips the test where there is none. It returns a way there, the variables of the environment
	// that lead to it, and a format for the URL of a store with a name. A file has neither a server nor a gate.
	start func(t testing.TB) (g *gate, env []string, format string)
}

var kinds = []kind{
	{"file", false, func(t testing.TB) (*gate, []string, string) {
		return nil, nil, "file:" + filepath.Join(t.TempDir(), "%s.csv")
	}},
	{"sqlite", false, func(t testing.TB) (*gate, []string, string) {
		return nil, nil, "sqlite:" + filepath.Join(t.TempDir(), "%s.db")
	}},
	{"mysql", false, startMariaDB},
	{"localstack", true, func(t testing.TB) (*gate, []string, string) {
		g := openGate(t, "tcp", startLocalstack(t))
		return g, []string{"LOCALSTACK_ENDPOINT=http://" + g.address}, "localstack://crm/%s"
	}},
	{"awssm", true, func(t testing.TB) (*gate, []string, string) {
		g := openGate(t, "tcp", strings.TrimPrefix(mototest.Start(t), "http://"))
		env := []string{"AWS_ENDPOINT_URL_SECRETS_MANAGER=http://" + g.address, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"}
		return g, env, "awssm://eu-west-1/" + own() + "/%s"
	}},
	{"vault", true, func(t testing.TB) (*gate, []string, string) {
		server := realvault.Start(t, realvault.Servers()[0])
		g := openGate(t, "tcp", strings.TrimPrefix(server.Addr, "http://"))
		return g, []string{"VAULT_ADDR=http://" + g.address, "VAULT_TOKEN=" + server.RootToken}, "vault:///" + own() + "/%s"
	}},
	{"gcpsm", true, func(t testing.TB) (*gate, []string, string) {
		server, err := gcpsmtest.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		g := openGate(t, "tcp", server.Addr)
		return g, []string{"SECRET_MANAGER_EMULATOR_HOST=" + g.address}, "gcpsm://my-project/%s"
	}},
}

func startMariaDB(t testing.TB) (*gate, []string, string) {
	cfg, err := mysql.ParseDSN(mariadbtest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	g := openGate(t, cfg.Net, cfg.Addr)
	return g, nil, "mysql://root@" + g.address + "/" + cfg.DBName + "?table=%s"
}

// own returns a prefix that no other test has.
func own() string { return "test-" + strings.ToLower(rand.Text()) }

// medium is a kind with its server.
type medium struct {
	kind
	gate   *gate // nil: a file
	format string
}

// url returns the URL of a store, made of letters.
func (m medium) url(name string) string { return fmt.Sprintf(m.format, name) }

// startAll starts a server of each kind that this machine has, for one test, and returns the environment of a process that
// finds them all.
func startAll(t *testing.T) (media []medium, env []string) {
	t.Helper()
	env = []string{"HOME=" + t.TempDir()}
	for _, k := range kinds {
		p := &probe{TB: t}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			g, variables, format := k.start(p)
			media, env = append(media, medium{k, g, format}), append(env, variables...)
		}()
		<-ended
		if t.Failed() {
			t.FailNow()
		}
		if p.skipped != "" {
			t.Logf("without %s: %s", k.name, p.skipped)
		}
	}
	return media, env
}

// probe is a test of which only the part in this goroutine is skipped.
type probe struct {
	testing.TB
	skipped string
}

// Skipf ends the goroutine.
func (p *probe) Skipf(format string, args ...any) {
	p.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
