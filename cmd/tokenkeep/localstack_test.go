package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// served is a tokenkeep localstack that runs as a process of its own.
type served struct {
	process *os.Process
	said    string
	env     []string // what it says is to be set
	wait    func() (stderr string, err error)
}

// url is where the server says that it is.
func (s served) url() string {
	return strings.TrimPrefix(s.env[0], "AWS_ENDPOINT_URL_SECRETS_MANAGER=")
}

func serveProcess(t *testing.T) served {
	t.Helper()
	program := exec.CommandContext(t.Context(), os.Args[0], "localstack", "--port", "0")
	program.Env = append(os.Environ(), asProgram+"=1")
	var stderr strings.Builder
	program.Stderr = &stderr
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	wait := func() (string, error) { ended = true; err := program.Wait(); return stderr.String(), err }
	t.Cleanup(func() {
		if !ended {
			_ = program.Process.Kill()
			_, _ = wait()
		}
	})
	var said strings.Builder
	env := environment(t, io.TeeReader(stdout, &said))
	return served{program.Process, said.String(), env, wait}
}

// environment reads the five variables that a server says are to be set.
func environment(t *testing.T, stdout io.Reader) []string {
	t.Helper()
	var env []string
	for lines := bufio.NewScanner(stdout); len(env) < 5; {
		if !lines.Scan() {
			t.Fatalf("the server said only %q, error %v", env, lines.Err())
		}
		if variable, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			env = append(env, variable)
		}
	}
	if !strings.HasPrefix(env[0], "AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:") {
		t.Fatalf("the server says that %q is to be set; want its URL first", env)
	}
	return env
}

func TestASignalEndsTheServer(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("left out: this system has no signal that a test could send")
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			s := serveProcess(t)
			empty(t, s.url())
			if err := s.process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if stderr, err := s.wait(); err != nil || stderr != "" {
				t.Errorf("%v, on stderr %q; want exit status 0 and nothing", err, stderr)
			}
		})
	}
}

func TestTheServerEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	status, stderr := make(chan int, 1), &strings.Builder{}
	go func() { status <- run(ctx, []string{"localstack", "--port", "0"}, out, stderr) }()
	url := served{env: environment(t, stdout)}.url()
	empty(t, url)
	cancel()
	if got := <-status; got != 0 || stderr.String() != "" {
		t.Errorf("status %d, on stderr %q; want 0 and nothing", got, stderr)
	}
	if listener, err := net.Listen("tcp", strings.TrimPrefix(url, "http://")); err != nil {
		t.Errorf("the server still listens: %v", err)
	} else {
		_ = listener.Close()
	}
}

func TestAPortThatIsTakenIsSaid(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	got := command(t, "localstack", "--host", host, "--port", port)
	if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, `listen on "127.0.0.1:`+port) || !strings.Contains(got.stderr, "choose another --host or --port") {
		t.Errorf("status %d, %q, on stderr %q; want 1 and what is taken", got.status, got.stdout, got.stderr)
	}
}

// need leaves a test out where a tool is missing, as err says, or fails it if the tool is in TOKENKEEP_REQUIRE.
func need(t *testing.T, tool string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("TOKENKEEP_REQUIRE"), ","), tool) {
		t.Fatalf("%s is required and missing: %v", tool, err)
	}
	t.Skipf("left out: %s, since %s is not installed: %v", t.Name(), tool, err)
}

// client runs a program with the environment of a server, and returns what it prints.
func (s served) client(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Env = append(cmd.Env, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v, on stderr\n%s", name, args, err, stderr.String())
	}
	return string(out)
}

func TestTheAWSCLIIsAClient(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("aws")
	need(t, "awscli", err)
	s := serveProcess(t)
	aws := func(args ...string) string {
		t.Helper()
		return s.client(t, "aws", append([]string{"secretsmanager", "--endpoint-url", s.url(), "--output", "json"}, args...)...)
	}
	texts := func(args ...string) string {
		t.Helper()
		return strings.TrimSpace(aws(append(args, "--output", "text")...))
	}
	arn := texts("create-secret", "--name", "cli/a", "--secret-string", "one", "--query", "ARN")
	aws("create-secret", "--name", "cli/b", "--secret-string", "other", "--tags", "Key=team,Value=crm")
	if got := texts("get-secret-value", "--secret-id", "cli/a", "--query", "SecretString"); got != "one" {
		t.Errorf("get-secret-value after create-secret printed %q; want one", got)
	}
	aws("put-secret-value", "--secret-id", arn, "--secret-string", "two")
	if got := texts("get-secret-value", "--secret-id", "cli/a", "--query", "SecretString"); got != "two" {
		t.Errorf("get-secret-value after put-secret-value printed %q; want two", got)
	}
	names := func() (names []string) {
		t.Helper()
		if err := json.Unmarshal([]byte(aws("list-secrets", "--page-size", "1", "--query", "SecretList[].Name")), &names); err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := names(); !slices.Equal(got, []string{"cli/a", "cli/b"}) {
		t.Errorf("list-secrets printed %q; want both secrets", got)
	}
	aws("delete-secret", "--secret-id", "cli/a", "--force-delete-without-recovery")
	if got := names(); !slices.Equal(got, []string{"cli/b"}) {
		t.Errorf("list-secrets after delete-secret printed %q; want one secret", got)
	}
}

const boto3Program = `
import sys, boto3
c = boto3.client("secretsmanager", endpoint_url=sys.argv[1])
c.create_secret(Name="py/a", SecretString="one")
c.put_secret_value(SecretId="py/a", SecretString="two")
print(c.get_secret_value(SecretId="py/a")["SecretString"], [s["Name"] for s in c.list_secrets()["SecretList"]])
c.delete_secret(SecretId="py/a", ForceDeleteWithoutRecovery=True)
try:
    c.get_secret_value(SecretId="py/a")
except c.exceptions.ResourceNotFoundException:
    print("gone", c.list_secrets()["SecretList"])
`

func TestTheSDKForPythonIsAClient(t *testing.T) {
	need(t, "boto3", exec.CommandContext(t.Context(), "python3", "-c", "import boto3").Run())
	s := serveProcess(t)
	if got, want := s.client(t, "python3", "-c", boto3Program, s.url()), "two ['py/a']\ngone []\n"; got != want {
		t.Errorf("boto3 printed\n%s; want\n%s", got, want)
	}
}
