package awssm_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// moto is one server for all tests of this package.
var moto struct {
	sync.Once
	url  string
	err  error
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if moto.stop != nil {
		moto.stop()
	}
	os.Exit(code)
}

// motoConfig returns a configuration for moto, and skips the test where it is not installed. With moto in the
// comma-separated TOKENKEEP_REQUIRE the test fails instead.
func motoConfig(t *testing.T) aws.Config {
	t.Helper()
	moto.Do(startMoto)
	if moto.err != nil {
		if slices.Contains(strings.Split(os.Getenv("TOKENKEEP_REQUIRE"), ","), "moto") {
			t.Fatalf("moto is required: %v", moto.err)
		}
		t.Skipf("left out, this test on moto (pip install 'moto[server]'): %v", moto.err)
	}
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(moto.url),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func startMoto() {
	path, err := exec.LookPath("moto_server")
	if err != nil {
		moto.err = err
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		moto.err = err
		return
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	cmd := exec.Command(path, "-H", "127.0.0.1", "-p", port)
	if moto.err = cmd.Start(); moto.err != nil {
		return
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	moto.stop = func() { _ = cmd.Process.Kill(); <-exited }
	moto.url = "http://127.0.0.1:" + port
	moto.err = waitFor(moto.url+"/moto-api/", exited)
}

// waitFor waits until a server answers.
func waitFor(url string, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		select {
		case <-exited:
			return fmt.Errorf("%s: the server exited", url)
		case <-ctx.Done():
			return fmt.Errorf("%s: no answer: %w", url, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
