package commandline

import (
	"bufio"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// process is a run of the program, in a process group of its own.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr strings.Builder

	mu    sync.Mutex
	ended bool
}

// result is how a process ended.
type result struct {
	stdout, stderr string
	status         int // -1: it was killed
}

// start starts the program. What is left of it at the end of the test is killed.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// kill kills the process group as kill -9 does. After the end of the process it does nothing.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// wait waits for the end of the process.
func (p *process) wait() result {
	_ = p.cmd.Wait() // the state has what matters
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	return result{p.stdout.String(), p.stderr.String(), p.cmd.ProcessState.ExitCode()}
}

// run runs the program to its end, and fails the test if the exit status is another one.
func run(t *testing.T, env []string, status int, args ...string) result {
	t.Helper()
	r := start(t, env, args...).wait()
	if r.status != status {
		t.Fatalf("tokenkeep %s: exit status %d; want %d\n%s%s", strings.Join(args, " "), r.status, status, r.stdout, r.stderr)
	}
	return r
}

// keeper runs a program until standard input ends, which it does with the tests however they end.
const keeper = `"$@" & cat >/dev/null; kill -9 $!; wait $!`

var address = regexp.MustCompile(`http://([0-9.:]+)`)

// startLocalstack starts "tokenkeep localstack" and returns its host and port.
func startLocalstack(t testing.TB) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", keeper, "sh", program, "localstack", "--port", "0")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait() // it says that the server was killed
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	found := address.FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("tokenkeep localstack said %q (error %v); want its address", line, err)
	}
	return found[1]
}
