package localstack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// faulty returns a server with the secret "a", whose value is "old", and a client that does not retry.
func faulty(t *testing.T) (*localstack.Server, sm) {
	t.Helper()
	server := startServer(t)
	c := as(t, server, "test")
	c.create("a", "old")
	server.ResetCalls()
	return server, c
}

// wantCut fails the test unless err is that of a connection that was closed without an answer.
func wantCut(t *testing.T, err error) {
	t.Helper()
	var unsent *smithyhttp.RequestSendError
	if !errors.As(err, &unsent) {
		t.Errorf("error %v; want a connection that ends", err)
	}
}

func TestAFaultHappensBeforeOrAfterTheRequestIsExecuted(t *testing.T) {
	tests := []struct {
		effect   localstack.Effect
		code     string // "": no answer
		status   int
		executed bool
	}{
		{localstack.FailBefore, "InternalServiceError", http.StatusInternalServerError, false},
		{localstack.Throttle, "ThrottlingException", http.StatusBadRequest, false},
		{localstack.CutBefore, "", 0, false},
		{localstack.FailAfter, "InternalServiceError", http.StatusInternalServerError, true},
		{localstack.CutAfter, "", 0, true},
		{"", "InternalServiceError", http.StatusInternalServerError, false},
		{"none of them", "InternalServiceError", http.StatusInternalServerError, false},
	}
	for _, tt := range tests {
		t.Run(string(tt.effect), func(t *testing.T) {
			server, c := faulty(t)
			injected := server.Inject(localstack.Fault{Effect: tt.effect})
			if injected.Met() {
				t.Error("Met() before the request")
			}
			err := c.put("a", v2, "new")
			if tt.code == "" {
				wantCut(t, err)
			} else {
				wantCode(t, err, tt.code)
			}
			var response *awshttp.ResponseError
			if errors.As(err, &response) && response.HTTPStatusCode() != tt.status {
				t.Errorf("status %d; want %d", response.HTTPStatusCode(), tt.status)
			}
			if !injected.Met() {
				t.Error("Met() is false after the request")
			}
			if n := server.Calls()["PutSecretValue"]; n != 1 {
				t.Errorf("Calls() has %d of PutSecretValue; want 1", n)
			}
			want := "old"
			if tt.executed {
				want = "new"
			}
			c.wantValue("a", want)
		})
	}
}

func TestThrottlingIsAnsweredByTheFrontEnd(t *testing.T) {
	server := startServer(t)
	server.Inject(localstack.Fault{Effect: localstack.Throttle})
	got := post(t, server, "secretsmanager.ListSecrets", "{}")
	if want := `{"__type":"ThrottlingException","message":"Rate exceeded"}`; got.body != want {
		t.Errorf("body %s; want %s", got.body, want)
	}
}

func TestAFaultMeetsTheRequestThatItIsFor(t *testing.T) {
	for request, want := range map[int]int{-1: 1, 0: 1, 1: 1, 2: 2, 3: 3} {
		server, c := faulty(t)
		c.wantValue("a", "old") // before Inject: does not count
		injected := server.Inject(localstack.Fault{Action: "GetSecretValue", Request: request})
		for n := 1; n <= 4; n++ {
			_, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")})
			wantCode(t, err, "")
			_, err = c.get("a")
			if met := code(err) == "InternalServiceError"; met != (n == want) || injected.Met() != (n >= want) {
				t.Errorf("Request %d: GetSecretValue %d of 4: %v, Met() %t; want request %d to fail", request, n, err, injected.Met(), want)
			}
		}
	}
}

func TestAFaultForASecretMeetsRequestsThatNameIt(t *testing.T) {
	_, c := faulty(t)
	old := c.create("gone", "value")
	c.force("gone")
	server, c := faulty(t)
	arn := c.create("b", "value")
	tests := []struct {
		name, secret, target, body string
		want                       bool
	}{
		{"by its name", "b", "GetSecretValue", `{"SecretId": "b"}`, true},
		{"by its ARN", "b", "GetSecretValue", `{"SecretId": "` + arn + `"}`, true},
		{"by its ARN without the suffix", "b", "GetSecretValue", `{"SecretId": "` + arn[:len(arn)-7] + `"}`, true},
		{"by the ARN of an earlier life", "gone", "PutSecretValue", `{"SecretId": "` + old + `"}`, true},
		{"in a list", "b", "BatchGetSecretValue", `{"SecretIdList": ["a", "b"]}`, true},
		{"in a list by its ARN", "b", "BatchGetSecretValue", `{"SecretIdList": ["` + arn + `"]}`, true},
		{"as a new name", "c", "CreateSecret", `{"Name": "c"}`, true},
		{"another name", "b", "GetSecretValue", `{"SecretId": "a"}`, false},
		{"a longer name", "b", "GetSecretValue", `{"SecretId": "b-AbCdEf"}`, false},
		{"an ARN of a longer name", "b", "GetSecretValue", `{"SecretId": "` + secretARN + `b-c-AbCdEf"}`, false},
		{"another list", "b", "BatchGetSecretValue", `{"SecretIdList": ["a"]}`, false},
		{"another new name", "b", "CreateSecret", `{"Name": "c", "SecretId": "b"}`, false},
		{"a member that the action does not have", "b", "GetSecretValue", `{"Name": "b", "SecretIdList": ["b"]}`, false},
		{"a list of all", "b", "ListSecrets", `{"SecretId": "b"}`, false},
		{"no JSON", "b", "GetSecretValue", `"b"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			injected := server.Inject(localstack.Fault{Secret: tt.secret})
			defer injected.Release()
			got := post(t, server, "secretsmanager."+tt.target, tt.body)
			if failed := got.status == http.StatusInternalServerError; failed != tt.want || injected.Met() != tt.want {
				t.Errorf("status %d, Met() %t; want the fault met: %t", got.status, injected.Met(), tt.want)
			}
		})
	}
}

func TestARequestMeetsOneFaultAndTheNextRequestTheOther(t *testing.T) {
	server, c := faulty(t)
	server.Inject(localstack.Fault{Effect: localstack.Throttle})
	server.Inject(localstack.Fault{Effect: localstack.FailBefore})
	for _, want := range []string{"ThrottlingException", "InternalServiceError", ""} {
		_, err := c.get("a")
		wantCode(t, err, want)
	}
}

func TestAHeldRequestIsExecutedAndAnsweredWhenItIsReleased(t *testing.T) {
	server, c := faulty(t)
	injected := server.Inject(localstack.Fault{Action: "PutSecretValue", Effect: localstack.Hold})
	answered := make(chan string, 1)
	go func() {
		out, err := c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String("a"), SecretString: aws.String("new"), ClientRequestToken: aws.String(v2),
		})
		if err != nil {
			t.Error(err)
			out = &secretsmanager.PutSecretValueOutput{}
		}
		answered <- aws.ToString(out.VersionId)
	}()
	if err := injected.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.wantValue("a", "old")
	c.wantValue("a", "old") // the request before changed nothing
	select {
	case <-answered:
		t.Error("answered before Release")
	default:
	}
	injected.Release()
	c.wantValue("a", "new")
	if version := <-answered; version != v2 {
		t.Errorf("answered with version %q; want %q", version, v2)
	}
}

func TestAHeldRequestIsAnsweredWithItsOwnError(t *testing.T) {
	server, c := faulty(t)
	injected := server.Inject(localstack.Fault{Action: "PutSecretValue", Effect: localstack.Hold})
	answered := make(chan error, 1)
	go func() { answered <- c.put("a", v2, "mine") }()
	if err := injected.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mustPut("a", v2, "theirs")
	injected.Release()
	wantCode(t, <-answered, "ResourceExistsException")
}

func TestAClientThatGivesUpDoesNotUndoItsHeldRequest(t *testing.T) {
	server, c := faulty(t)
	injected := server.Inject(localstack.Fault{Action: "PutSecretValue", Effect: localstack.Hold})
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		_, err := c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: aws.String("new")})
		answered <- err
	}()
	if err := injected.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want %v", err, context.Canceled)
	}
	c.wantValue("a", "old")
	injected.Release()
	c.wantValue("a", "new")
}

func TestCloseEndsHeldRequests(t *testing.T) {
	server, c := faulty(t)
	injected := server.Inject(localstack.Fault{Action: "PutSecretValue", Effect: localstack.Hold})
	answered := make(chan error, 1)
	go func() { answered <- c.put("a", v2, "new") }()
	if err := injected.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Close()
	wantCut(t, <-answered)
	injected.Release()
}

func TestALateRequestLosesItsConnectionAndIsExecutedOnceLater(t *testing.T) {
	server, c := faulty(t)
	force := &secretsmanager.DeleteSecretInput{SecretId: aws.String("a"), ForceDeleteWithoutRecovery: aws.Bool(true)}
	injected := server.Inject(localstack.Fault{Effect: localstack.Late})
	_, err := c.DeleteSecret(t.Context(), force)
	wantCut(t, err)
	if !injected.Met() {
		t.Error("Met() is false after the request")
	}
	c.wantValue("a", "old")
	injected.Release()
	_, err = c.get("a")
	wantCode(t, err, "ResourceNotFoundException")

	c.create("a", "another life")
	injected.Release()
	c.wantValue("a", "another life")
}

func TestARequestIsReleasedBehindOthers(t *testing.T) {
	for _, effect := range []localstack.Effect{localstack.Late, localstack.Hold} {
		t.Run(string(effect), func(t *testing.T) {
			server, c := faulty(t)
			injected := server.Inject(localstack.Fault{Action: "PutSecretValue", Effect: effect, Behind: 2})
			c.wantValue("a", "old") // before the fault: does not count
			answered := make(chan error, 1)
			go func() { answered <- c.put("a", v2, "new") }()
			if err := injected.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"old", "old", "new"} {
				c.wantValue("a", want)
			}
			if err := <-answered; effect == localstack.Hold {
				wantCode(t, err, "")
			} else {
				wantCut(t, err)
			}
			c.mustPut("a", v3, "newest")
			injected.Release()
			c.wantValue("a", "newest")
		})
	}
}

func TestRequestsThatMeetFaultsReleaseOthersToo(t *testing.T) {
	server, c := faulty(t)
	server.Inject(localstack.Fault{Effect: localstack.Late, Behind: 1})
	server.Inject(localstack.Fault{Request: 2, Effect: localstack.CutBefore})
	wantCut(t, c.put("a", v2, "new"))
	wantCut(t, c.put("a", v3, "never"))
	c.wantValue("a", "new")
}

func TestReleaseTakesBackAFaultThatWasNotMet(t *testing.T) {
	for _, effect := range []localstack.Effect{localstack.FailBefore, localstack.Hold, localstack.Late} {
		server, c := faulty(t)
		injected := server.Inject(localstack.Fault{Effect: effect})
		injected.Release()
		c.wantValue("a", "old")
		if injected.Met() {
			t.Errorf("%s: Met() is true after Release", effect)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	server, _ := faulty(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Inject(localstack.Fault{}).Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v; want %v", err, context.Canceled)
	}
}

func TestARequestThatIsExecutedLateMayBeRefused(t *testing.T) {
	server, c := faulty(t)
	server.SetPolicy("app", localstack.Statement{Actions: everything, Resources: everything})
	injected := server.Inject(localstack.Fault{Effect: localstack.Late})
	wantCut(t, as(t, server, "app").put("a", v2, "new"))
	server.SetPolicy("app")
	injected.Release()
	c.wantValue("a", "old")
}

func TestEveryFaultIsMetByOneOfManyRequestsAtOnce(t *testing.T) {
	const faults, clients = 20, 40
	server, c := faulty(t)
	var injected []*localstack.Injected
	for i := range faults {
		effect := []localstack.Effect{localstack.FailBefore, localstack.FailAfter, localstack.Late, localstack.Hold}[i%4]
		injected = append(injected, server.Inject(localstack.Fault{Request: i, Effect: effect, Behind: 1 + i%2}))
	}
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() { _ = c.put("a", fmt.Sprintf("%032d", i), "value") })
	}
	for _, in := range injected {
		wg.Go(func() {
			if err := in.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			in.Release()
		})
	}
	wg.Wait()
	if n := server.Calls()["PutSecretValue"]; n != clients {
		t.Errorf("Calls() has %d of PutSecretValue; want %d", n, clients)
	}
}
