package localstack_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// throttled returns a client of a server that limits rates, as the principal "app", and what moves the server's clock.
func throttled(t *testing.T) (sm, func(time.Duration)) {
	t.Helper()
	server, pass := throttledServer(t)
	return as(t, server, "app"), pass
}

func throttledServer(t *testing.T) (*localstack.Server, func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64
	now := func() time.Time { return time.Unix(1e9, 0).Add(time.Duration(passed.Load())) }
	server, err := localstack.Start(localstack.WithThrottling(), localstack.WithClock(now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, func(d time.Duration) { passed.Add(int64(d)) }
}

// wantPassing fails the test unless n calls pass and the next is throttled.
func wantPassing(t *testing.T, n int, call func() error) {
	t.Helper()
	for i := range n {
		if err := call(); code(err) == "ThrottlingException" {
			t.Fatalf("call %d of %d: %v", i+1, n, err)
		}
	}
	wantCode(t, call(), "ThrottlingException")
}

func TestActionsWithARateOfTheirOwnLeaveOthersAlone(t *testing.T) {
	for action, n := range map[string]int{
		"BatchGetSecretValue": 100, "CreateSecret": 50, "DeleteSecret": 50, "ListSecrets": 100, "PutSecretValue": 50, "RestoreSecret": 50,
		"TagResource": 50, "UntagResource": 50, "UpdateSecret": 50, "UpdateSecretVersionStage": 50,
	} {
		t.Run(action, func(t *testing.T) {
			c, _ := throttled(t)
			wantPassing(t, n, func() error { return calls[action](t.Context(), c) })
			for other, call := range calls {
				shared := other == action || sharedRate[other] != "" && sharedRate[other] == sharedRate[action]
				if got := code(call(t.Context(), c)) == "ThrottlingException"; got != shared {
					t.Errorf("after %d of %s, %s is throttled: %t; want %t", n, action, other, got, shared)
				}
			}
		})
	}
}

// sharedRate has a name for each rate that several actions share.
var sharedRate = map[string]string{
	"PutSecretValue": "put", "UpdateSecret": "put", "UpdateSecretVersionStage": "put", "TagResource": "tag", "UntagResource": "tag",
}

func TestARateComesBackEvenlyAndUpToOneSecond(t *testing.T) {
	c, pass := throttled(t)
	list := func() error { return calls["ListSecrets"](t.Context(), c) }
	wantPassing(t, 100, list)
	wantPassing(t, 0, list)
	pass(10*time.Millisecond - 1)
	wantPassing(t, 0, list)
	pass(1)
	wantPassing(t, 1, list)
	pass(500 * time.Millisecond)
	wantPassing(t, 50, list)
	pass(time.Hour)
	wantPassing(t, 100, list)
}

func TestAThrottledRequestIsNotExecuted(t *testing.T) {
	c, pass := throttled(t)
	i := 0
	create := func() error {
		i++
		_, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(fmt.Sprint("s", i))})
		return err
	}
	wantPassing(t, 50, create)
	_, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("s51")})
	wantCode(t, err, "ResourceNotFoundException")

	err = create()
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusBadRequest || code(err) != "ThrottlingException" {
		t.Errorf("error %v; want ThrottlingException with status 400", err)
	}
	pass(time.Second)
	wantPassing(t, 50, create)
}

func TestARequestThatIsDeniedCountsToo(t *testing.T) {
	server, _ := throttledServer(t)
	server.SetPolicy("app")
	c := as(t, server, "app")
	for range 100 {
		wantCode(t, calls["ListSecrets"](t.Context(), c), "AccessDeniedException")
	}
	wantCode(t, calls["ListSecrets"](t.Context(), c), "ThrottlingException")
}

func TestNothingIsThrottledByDefault(t *testing.T) {
	now := time.Unix(1e9, 0)
	server, err := localstack.Start(localstack.WithClock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	c := as(t, server, "test")
	for range 101 {
		wantCode(t, calls["ListSecrets"](t.Context(), c), "")
	}
}
