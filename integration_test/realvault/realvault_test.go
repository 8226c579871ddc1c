package realvault

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(checked{M{M: m}}) }

// checked sees to it that an M leaves no server.
type checked struct{ M }

func (c checked) Run() int {
	code := c.M.Run()
	for server, process := range started {
		if process.end != nil {
			fmt.Fprintf(os.Stderr, "%s still runs\n", server)
			code = 1
		}
	}
	return code
}

// What TestAServerStarts does in a process of its own.
const (
	onServer = "REALVAULT_TEST_SERVER" // it starts this server
	thenDies = "REALVAULT_TEST_DIES"   // it kills its process
)

func TestAServerStarts(t *testing.T) {
	server := Server(cmp.Or(os.Getenv(onServer), string(OpenBao)))
	instance := Start(t, server)
	if again := Start(t, server); again.Addr != instance.Addr || again.RootToken != instance.RootToken {
		t.Errorf("two tests have servers at %s and %s; want one server", instance.Addr, again.Addr)
	}
	client := instance.Client
	if client.Token() != instance.RootToken || client.Namespace() != "" || client.Headers().Get("X-Test") != "" {
		t.Errorf("the client has its namespace %q or headers from the environment, or not the root token", client.Namespace())
	}
	if _, err := client.Logical().ReadWithContext(t.Context(), "secret/config"); err != nil {
		t.Error(err)
	}
	t.Logf("on %v", Servers())
	if os.Getenv(thenDies) != "" {
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		_ = self.Kill()
		select {}
	}
}

// startElsewhere runs TestAServerStarts in a process of its own, waits until that and all that it started have ended, and
// returns what they wrote.
func startElsewhere(t *testing.T, environment ...string) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAServerStarts$", "-test.v")
	child.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), environment...)
	child.Stdout, child.Stderr = write, write
	err = child.Start()
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := read.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	wrote, err := io.ReadAll(read) // to its end, which comes when no process has the pipe any more
	if err != nil {
		t.Errorf("a process still runs: %v", err)
	}
	_ = child.Wait()
	return string(wrote)
}

func TestAServerEndsWithTheTestBinary(t *testing.T) {
	Start(t, OpenBao) // so that the program is there, or this test is skipped
	if wrote := startElsewhere(t); !strings.Contains(wrote, "--- PASS") {
		t.Errorf("want a test that passes; it wrote:\n%s", wrote)
	}
	if wrote := startElsewhere(t, thenDies+"=1"); !strings.Contains(wrote, "on [openbao vault]") || strings.Contains(wrote, "--- ") {
		t.Errorf("want a test that dies in the middle; it wrote:\n%s", wrote)
	}
}

func TestATestWithoutAServerSaysWhy(t *testing.T) {
	Start(t, OpenBao)
	offline := []string{"GOPROXY=off", "GOFLAGS=-modcacherw", "GOMODCACHE=" + t.TempDir(), "XDG_CACHE_HOME=" + t.TempDir(), "HOME=" + t.TempDir()}
	noGo := []string{"PATH=" + t.TempDir()}
	tests := []struct {
		name, required string
		environment    []string
		verdict, says  string
	}{
		{"there is no network", "", offline, "--- SKIP", "since openbao cannot be built: no source: go list"},
		{"there is no network and another program is required", "moto,vaulting", offline, "--- SKIP", "module lookup disabled by GOPROXY=off"},
		{"there is no network and it is required", "moto,vault", offline, "--- FAIL", "no source: go list"},
		{"there is no go command", "", noGo, "--- SKIP", `"go": executable file not found`},
		{"there is no go command and it is required", "vault", noGo, "--- FAIL", `"go": executable file not found`},
		{"no such server exists", "", []string{onServer + "=consul"}, "--- FAIL", `there is no server "consul"`},
		{"the environment names no server", "", []string{onServer + "=external"}, "--- FAIL", errNoExternal.Error()},
		{"the server of the environment is not there", "", []string{onServer + "=external", "VAULT_ADDR=http://127.0.0.1:0", "VAULT_TOKEN=t"}, "--- FAIL", "connect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wrote := startElsewhere(t, append(tt.environment, "TOKENKEEP_REQUIRE="+tt.required)...)
			if !strings.Contains(wrote, tt.verdict) || !strings.Contains(wrote, tt.says) {
				t.Errorf("want %q and %q; it wrote:\n%s", tt.verdict, tt.says, wrote)
			}
		})
	}
}

func TestTheServerOfTheEnvironmentReplacesTheOthers(t *testing.T) {
	here := Start(t, OpenBao)
	for server, verdict := range map[Server]string{External: "--- PASS", OpenBao: "--- SKIP"} {
		wrote := startElsewhere(t, onServer+"="+string(server), "VAULT_ADDR="+here.Addr, "VAULT_TOKEN="+here.RootToken)
		if !strings.Contains(wrote, verdict) || server == External && !strings.Contains(wrote, "on [external]") {
			t.Errorf("want %q on %s; it wrote:\n%s", verdict, server, wrote)
		}
	}
}

func TestClientsIgnoreTheEnvironment(t *testing.T) {
	Start(t, OpenBao)
	wrote := startElsewhere(t, "VAULT_TOKEN=t", "VAULT_NAMESPACE=n", `VAULT_HEADERS={"X-Test":"1"}`, "VAULT_RATE_LIMIT=none", "BAO_ADDR=http://127.0.0.1:0")
	if !strings.Contains(wrote, "--- PASS") {
		t.Errorf("want a test that passes; it wrote:\n%s", wrote)
	}
}

func TestTheConnectionsOfAClientEndWithItsTest(t *testing.T) {
	Start(t, OpenBao)
	before := goleak.IgnoreCurrent()
	t.Run("a test", func(t *testing.T) {
		if _, err := Start(t, OpenBao).Client.Sys().ListMountsWithContext(t.Context()); err != nil {
			t.Error(err)
		}
	})
	goleak.VerifyNone(t, before)
}

func TestStartNeedsAnM(t *testing.T) {
	Start(t, OpenBao)
	running.Store(false)
	defer running.Store(true)
	if said := verdict.Of(t, func(t testing.TB) { Start(t, OpenBao) }); !strings.HasPrefix(said, "failed: realvault: TestMain") {
		t.Errorf("the test says %q; want it to fail", said)
	}
}
