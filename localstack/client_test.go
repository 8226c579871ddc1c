package localstack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/mototest"
	"github.com/tokenkeep/tokenkeep/localstack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mototest.M{M: m}) }

// Versions that tests write. The last one has the length of a UUID without hyphens, the least that AWS takes.
const (
	v1 = "11111111-1111-4111-8111-111111111111"
	v2 = "22222222-2222-4222-8222-222222222222"
	v3 = "33333333-3333-4333-8333-333333333333"
	v4 = "44444444444444444444444444444444"
)

func startServer(t *testing.T, opts ...localstack.Option) *localstack.Server {
	t.Helper()
	server, err := localstack.Start(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// sm is the SDK's client with calls that fail the test where the test expects none to fail.
type sm struct {
	*secretsmanager.Client
	t *testing.T
}

func newClient(t *testing.T, opts ...localstack.Option) sm {
	t.Helper()
	cfg := startServer(t, opts...).Config()
	cfg.RetryMaxAttempts = 1 // the SDK repeats LimitExceededException as if it were throttling
	return sm{secretsmanager.NewFromConfig(cfg), t}
}

// create makes a secret with the version v1 and returns its ARN.
func (c sm) create(name, value string) string {
	c.t.Helper()
	out, err := c.CreateSecret(c.t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String(name), SecretString: aws.String(value), ClientRequestToken: aws.String(v1),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return aws.ToString(out.ARN)
}

func (c sm) put(id, version, value string, labels ...string) error {
	_, err := c.PutSecretValue(c.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(id), ClientRequestToken: aws.String(version), SecretString: aws.String(value), VersionStages: labels,
	})
	return err
}

func (c sm) mustPut(id, version, value string, labels ...string) {
	c.t.Helper()
	if err := c.put(id, version, value, labels...); err != nil {
		c.t.Fatal(err)
	}
}

// move is UpdateSecretVersionStage; "" leaves a parameter out.
func (c sm) move(id, label, to, from string) error {
	_, err := c.UpdateSecretVersionStage(c.t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String(id), VersionStage: aws.String(label), MoveToVersionId: optional(to), RemoveFromVersionId: optional(from),
	})
	return err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (c sm) get(id string) (string, error) {
	out, err := c.GetSecretValue(c.t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SecretString), nil
}

// wantValue fails the test unless the current value of a secret is value.
func (c sm) wantValue(id, value string) {
	c.t.Helper()
	if got, err := c.get(id); err != nil || got != value {
		c.t.Errorf("value of %q = %q, %v; want %q", id, got, err, value)
	}
}

// wantStages fails the test unless the versions of a secret have these labels: "v1: AWSCURRENT A".
func (c sm) wantStages(id string, want ...string) {
	c.t.Helper()
	out, err := c.DescribeSecret(c.t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(id)})
	if err != nil {
		c.t.Fatal(err)
	}
	var got []string
	names := map[string]string{v1: "v1", v2: "v2", v3: "v3", v4: "v4"}
	for version, labels := range out.VersionIdsToStages {
		got = append(got, names[version]+": "+strings.Join(labels, " "))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		c.t.Errorf("stages of %q = %q; want %q", id, got, want)
	}
}

// schedule deletes a secret with the default recovery window.
func (c sm) schedule(id string) {
	c.t.Helper()
	if _, err := c.DeleteSecret(c.t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String(id)}); err != nil {
		c.t.Fatal(err)
	}
}

func (c sm) force(id string) {
	c.t.Helper()
	in := &secretsmanager.DeleteSecretInput{SecretId: aws.String(id), ForceDeleteWithoutRecovery: aws.Bool(true)}
	if _, err := c.DeleteSecret(c.t.Context(), in); err != nil {
		c.t.Fatal(err)
	}
}

// code returns the AWS error code of err, "" for nil.
func code(err error) string {
	var failure smithy.APIError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failure):
		return failure.ErrorCode()
	}
	return "no API error: " + err.Error()
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("error code %q (%v); want %q", got, err, want)
	}
}
