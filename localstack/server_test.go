package localstack_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/localstack"
)

func TestServersListenOnLoopbackAndShareNothing(t *testing.T) {
	a, b := startServer(t), startServer(t)
	for _, s := range []*localstack.Server{a, b} {
		if !strings.HasPrefix(s.URL, "http://127.0.0.1:") {
			t.Errorf("URL = %q; want a port of 127.0.0.1", s.URL)
		}
	}
	sm{secretsmanager.NewFromConfig(a.Config()), t}.create("mine", "value")
	_, err := sm{secretsmanager.NewFromConfig(b.Config()), t}.get("mine")
	wantCode(t, err, "ResourceNotFoundException")
}

func TestWithAddrChoosesThePortAndATakenOneIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_, err = localstack.Start(localstack.WithAddr(addr))
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(fmt.Sprint(err), addr) {
		t.Errorf("Start on a taken port: %v; want %v that names %s", err, syscall.EADDRINUSE, addr)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	server, err := localstack.Start(localstack.WithAddr(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if server.URL != "http://"+addr {
		t.Errorf("URL = %q; want http://%s", server.URL, addr)
	}
}

func TestCloseStopsListeningAndMayBeRepeated(t *testing.T) {
	server := startServer(t)
	sm{secretsmanager.NewFromConfig(server.Config()), t}.create("a", "value")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(server.Close)
	}
	wg.Wait()
	server.Close()
	if conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://")); err == nil {
		_ = conn.Close()
		t.Error("the port still answers after Close")
	}
}

func TestCloseRightAfterStart(t *testing.T) {
	for range 50 {
		server, err := localstack.Start()
		if err != nil {
			t.Fatal(err)
		}
		server.Close()
		if conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://")); err == nil {
			_ = conn.Close()
			t.Fatal("the port still answers after Close")
		}
	}
}

func TestCloseWaitsForRequestsThatItBreaks(t *testing.T) {
	const request = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: secretsmanager.ListSecrets\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
	const clients = 32
	server := startServer(t)
	for range clients {
		conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("answer %q, %v; want 100, which says that the server waits for the body", line, err)
		}
	}
	server.Close()
	if calls := server.Calls(); calls["ListSecrets"] != clients {
		t.Errorf("Calls() = %v after Close; want all %d broken requests counted, so ended", calls, clients)
	}
}

func TestCallsCountsRequestsByActionUntilReset(t *testing.T) {
	server := startServer(t)
	c := sm{secretsmanager.NewFromConfig(server.Config()), t}
	c.create("a", "value")
	_, _ = c.get("a")
	_, _ = c.get("absent")
	calls := server.Calls()
	if len(calls) != 2 || calls["CreateSecret"] != 1 || calls["GetSecretValue"] != 2 {
		t.Errorf("Calls() = %v; want CreateSecret 1 and GetSecretValue 2, failures included", calls)
	}
	calls["GetSecretValue"] = 9
	if n := server.Calls()["GetSecretValue"]; n != 2 {
		t.Errorf("changing the result changed the count to %d", n)
	}
	server.ResetCalls()
	if calls := server.Calls(); len(calls) != 0 {
		t.Errorf("Calls() after ResetCalls = %v; want none", calls)
	}
	_, _ = c.GetRandomPassword(t.Context(), &secretsmanager.GetRandomPasswordInput{})
	if calls := server.Calls(); len(calls) != 0 {
		t.Errorf("Calls() = %v; want actions that the server does not have left out", calls)
	}
}

func TestConfigIsIndependentOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	server := startServer(t)
	cfg := server.Config()
	if cfg.Region != "us-east-1" || aws.ToString(cfg.BaseEndpoint) != server.URL {
		t.Errorf("Config() has region %q and endpoint %q; want us-east-1 and %q", cfg.Region, aws.ToString(cfg.BaseEndpoint), server.URL)
	}
	sm{secretsmanager.NewFromConfig(cfg), t}.create("a", "value")
}

func TestOfWritersWithOneTokenExactlyOneWins(t *testing.T) {
	c := newClient(t)
	arn := c.create("contended", "old")
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			switch err := c.put(arn, v2, fmt.Sprintf("writer %d", i)); code(err) {
			case "":
				won.Add(1)
			case "ResourceExistsException":
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers won; want 1", won.Load())
	}
	c.wantStages(arn, "v1: AWSPREVIOUS", "v2: AWSCURRENT")
}

func TestOfMoversOfOneLabelExactlyOneWins(t *testing.T) {
	c := newClient(t)
	arn := c.create("contended", "old")
	const movers = 16
	for i := range movers {
		c.mustPut(arn, moverVersion(i), fmt.Sprintf("value %d", i), "M"+fmt.Sprint(i))
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range movers {
		wg.Go(func() {
			switch err := c.move(arn, "AWSCURRENT", moverVersion(i), v1); code(err) {
			case "":
				won.Add(1)
			case "InvalidParameterException":
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d movers won; want 1", won.Load())
	}
}

func moverVersion(i int) string { return fmt.Sprintf("mover-%026d", i) }

func TestAllActionsAtOnceKeepTheServerConsistent(t *testing.T) {
	c := newClient(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("s%d", i%4)
			for range 10 {
				_, _ = c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("x")})
				_ = c.put(name, fmt.Sprintf("%032d", i), "y")
				_, _ = c.get(name)
				_, _ = c.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
				_, _ = c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{name}})
				_, _ = c.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: &name})
				_, _ = c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
			}
		})
	}
	wg.Wait()
	out, err := c.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil || len(out.SecretList) > 4 {
		t.Errorf("%d secrets are left, %v; want at most one for each of 4 names", len(out.SecretList), err)
	}
}
