package awssm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// link is the network between a client and a server: it counts requests, and a test can bend them.
type link struct {
	// bend answers the n-th request, from 1, for an operation. send passes it on.
	bend func(op string, n int, send func() (*http.Response, error)) (*http.Response, error)

	mu    sync.Mutex
	calls map[string]int
}

// RoundTrip is one attempt of a call.
func (l *link) RoundTrip(request *http.Request) (*http.Response, error) {
	op := strings.TrimPrefix(request.Header.Get("X-Amz-Target"), "secretsmanager.")
	l.mu.Lock()
	if l.calls == nil {
		l.calls = map[string]int{}
	}
	l.calls[op]++
	n := l.calls[op]
	l.mu.Unlock()
	send := func() (*http.Response, error) { return arrive(request) }
	if l.bend == nil {
		return send()
	}
	return l.bend(op, n, send)
}

// arrive sends a request. One whose context ends under way fails as it would anyway, but not before the server has done
// what it asks, so that nothing changes there behind a test's back.
func arrive(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	response, err := http.DefaultTransport.RoundTrip(request.WithContext(context.WithoutCancel(ctx)))
	if err == nil && ctx.Err() != nil {
		_ = response.Body.Close()
		return nil, ctx.Err()
	}
	return response, err
}

// count returns how often an operation was sent, or all of them for "".
func (l *link) count(op string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if op != "" {
		return l.calls[op]
	}
	all := 0
	for _, n := range l.calls {
		all += n
	}
	return all
}

var errLost = errors.New("connection reset by peer")

// lose passes a request on and drops the reply.
func lose(send func() (*http.Response, error)) (*http.Response, error) {
	response, err := send()
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return nil, errLost
}

// reply is an answer that no server gave.
func reply(status int, body string) (*http.Response, error) {
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body:       io.NopCloser(strings.NewReader(body)),
	}, nil
}

// refuse is an error reply of the API.
func refuse(code, message string) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{"__type": code, "Message": message})
	if err != nil {
		return nil, err
	}
	return reply(http.StatusBadRequest, string(body))
}

// edit changes the body of a reply.
func edit(send func() (*http.Response, error), change func(body []byte) []byte) (*http.Response, error) {
	response, err := send()
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	body = change(body)
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

// bench is a driver on a strict server, with a link between them that can be bent, and a sound client beside it.
type bench struct {
	awssm.Driver
	link   *link
	server *localstack.Server
	direct *secretsmanager.Client
}

func newBench(t *testing.T, o awssm.Options) bench {
	t.Helper()
	server, l := startServer(t), &link{}
	if o.Prefix == "" {
		o.Prefix = "crm/prod"
	}
	return bench{newDriver(t, linked(server.Config(), l), o), l, server, secretsmanager.NewFromConfig(server.Config())}
}

func startServer(t *testing.T) *localstack.Server {
	t.Helper()
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// linked is a client that retries without waiting.
func linked(cfg aws.Config, l *link) *secretsmanager.Client {
	cfg.HTTPClient = &http.Client{Transport: l}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	}
	return secretsmanager.NewFromConfig(cfg)
}

func (b bench) put(t *testing.T, name, payload string, rev driver.Revision) driver.Revision {
	t.Helper()
	next, err := b.Put(t.Context(), name, []byte(payload), rev)
	if err != nil {
		t.Fatalf("Put(%q) = %v; want success", name, err)
	}
	return next
}

// holds checks the current payload of a secret.
func (b bench) holds(t *testing.T, name, payload string) {
	t.Helper()
	got, err := b.direct.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(b.FullName(name))})
	if err != nil || aws.ToString(got.SecretString) != payload {
		t.Errorf("secret %q holds %v, error %v; want %q", name, got, err, payload)
	}
}

// wantError checks an error of the driver, and returns it.
func wantError(t *testing.T, err, target error) *driver.Error {
	t.Helper()
	var e *driver.Error
	if !errors.Is(err, target) || !errors.As(err, &e) {
		t.Fatalf("error %v; want a *driver.Error that is %q", err, target)
	}
	return e
}
