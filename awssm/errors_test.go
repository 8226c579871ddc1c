package awssm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

func TestErrorsOfReads(t *testing.T) {
	api := func(code, message string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return refuse(code, message) }
	}
	raw := func(status int, body string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return reply(status, body) }
	}
	tests := []struct {
		name  string
		reply func() (*http.Response, error)
		want  error
		says  string
	}{
		{"missing", api("ResourceNotFoundException", "can't find it"), driver.ErrNotFound, ""},
		{"scheduled for deletion, as AWS says it", api("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion."), driver.ErrNotFound, "scheduled for deletion"},
		{"scheduled for deletion, as moto says it", api("InvalidRequestException", "a secret that's currently marked deleted."), driver.ErrNotFound, "scheduled for deletion"},
		{"managed by another service", api("InvalidRequestException", "managed by rds"), driver.ErrInvalid, "another service"},
		{"denied", api("AccessDeniedException", "User: x is not authorized"), driver.ErrPermission, "secretsmanager:GetSecretValue on arn:aws:secretsmanager:*:*:secret:crm/prod/a-??????"},
		{"denied by KMS", api("AccessDeniedException", "Access to KMS is not allowed"), driver.ErrPermission, `kms:GenerateDataKey on the KMS key "alias/tokens"`},
		{"denied without a code", raw(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"), driver.ErrPermission, "secretsmanager:GetSecretValue"},
		{"denied without a body", raw(403, ""), driver.ErrPermission, "secretsmanager:GetSecretValue"},
		{"key disabled", api("DecryptionFailure", "can't decrypt"), driver.ErrPermission, `"alias/tokens"`},
		{"expired credentials", api("ExpiredTokenException", "expired"), driver.ErrPermission, "credentials"},
		{"unsigned", api("MissingAuthenticationTokenException", "no token"), driver.ErrPermission, "credentials"},
		{"throttled", api("ThrottlingException", "Rate exceeded"), driver.ErrUnavailable, "throttled"},
		{"quota", api("LimitExceededException", "limit"), driver.ErrQuota, "quota"},
		{"failing", raw(500, `{"__type": "InternalServiceError", "Message": "oops"}`), driver.ErrUnavailable, "try again"},
		{"a gateway", raw(503, "<html>busy</html>"), driver.ErrUnavailable, "503"},
		{"a web server", raw(404, "<html>no such page</html>"), driver.ErrUnavailable, "endpoint"},
		{"not even JSON", raw(200, "<html>hello</html>"), driver.ErrUnavailable, "reply"},
		{"an empty reply", raw(200, "{}"), driver.ErrUnavailable, "ARN"},
		{"unknown code", api("NewException", "news"), driver.ErrInvalid, "NewException"},
		{"no connection", func() (*http.Response, error) { return nil, errLost }, driver.ErrUnavailable, "connection reset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, awssm.Options{KMSKeyID: "alias/tokens"})
			b.link.bend = func(string, int, func() (*http.Response, error)) (*http.Response, error) { return tt.reply() }
			_, err := b.Get(t.Context(), "a")
			e := wantError(t, err, tt.want)
			if e.Op != "GetSecretValue" || e.Name != "a" || e.Secret != "crm/prod/a" {
				t.Errorf("the error has Op %q, Name %q, Secret %q", e.Op, e.Name, e.Secret)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q; want it to say %q", err, tt.says)
			}
		})
	}
}

func TestErrorsOfWrites(t *testing.T) {
	tests := []struct {
		op, code, message string
		want              error
		says              string
	}{
		{"PutSecretValue", "ResourceNotFoundException", "can't find it", driver.ErrConflict, "deleted"},
		{"PutSecretValue", "InvalidRequestException", "it was marked for deletion", driver.ErrConflict, "deleted"},
		{"PutSecretValue", "LimitExceededException", "versions", driver.ErrQuota, "100 versions in 24 hours"},
		{"PutSecretValue", "EncryptionFailure", "key", driver.ErrPermission, "KMS key"},
		{"PutSecretValue", "AccessDeniedException", "no", driver.ErrPermission, "secretsmanager:PutSecretValue"},
		{"CreateSecret", "LimitExceededException", "secrets", driver.ErrQuota, "quota of secrets"},
		{"CreateSecret", "AccessDeniedException", "no", driver.ErrPermission, "secretsmanager:CreateSecret and secretsmanager:TagResource"},
		{"CreateSecret", "InvalidParameterException", "no such key", driver.ErrInvalid, "Options.KMSKeyID"},
		{"DeleteSecret", "AccessDeniedException", "no", driver.ErrPermission, "secretsmanager:DeleteSecret"},
	}
	for _, tt := range tests {
		t.Run(tt.op+" "+tt.code, func(t *testing.T) {
			b := newBench(t, awssm.Options{})
			rev := b.put(t, "a", "one", "")
			b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
				if op != tt.op {
					return send()
				}
				return refuse(tt.code, tt.message)
			}
			err := call(t, b, tt.op, []byte("two"), rev)
			if e := wantError(t, err, tt.want); e.Op != tt.op {
				t.Errorf("the error has Op %q; want %q", e.Op, tt.op)
			}
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q; want it to say %q", err, tt.says)
			}
			b.holds(t, "a", "one")
		})
	}
}

// call makes the method of the driver that begins with an operation.
func call(t *testing.T, b bench, op string, payload []byte, rev driver.Revision) error {
	t.Helper()
	var err error
	switch op {
	case "PutSecretValue":
		_, err = b.Put(t.Context(), "a", payload, rev)
	case "CreateSecret":
		_, err = b.Put(t.Context(), "b", payload, "")
	case "DeleteSecret":
		err = b.Delete(t.Context(), "a")
	case "GetSecretValue":
		_, err = b.Latest(t.Context(), "a")
	case "BatchGetSecretValue":
		_, err = b.GetMany(t.Context(), []string{"a", "b"})
	}
	return err
}

func TestTheSDKsErrorCanBeFound(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.link.bend = func(string, int, func() (*http.Response, error)) (*http.Response, error) {
		return refuse("AccessDeniedException", "User: x is not authorized")
	}
	_, err := b.Get(t.Context(), "a")
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDeniedException" {
		t.Errorf("errors.As finds %v in %v; want the API's error", api, err)
	}
}

// mute are configurations of clients that cannot send, and what an error has to say of them.
var mute = []struct {
	name string
	cfg  aws.Config
	want error
	says string
}{
	{"no region", aws.Config{Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}, driver.ErrInvalid, "no region; set Region in its aws.Config, or AWS_REGION"},
	{"no credentials", aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("", "", "")}, driver.ErrPermission, "got no credentials"},
}

func TestAClientThatCannotSendSaysWhy(t *testing.T) {
	for _, tt := range mute {
		t.Run(tt.name, func(t *testing.T) {
			l := &link{bend: func(string, int, func() (*http.Response, error)) (*http.Response, error) { return nil, errLost }}
			d := newDriver(t, linked(tt.cfg, l), awssm.Options{Prefix: "crm/prod"})
			_, err := d.Get(t.Context(), "a")
			wantError(t, err, tt.want)
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Get = %q; want it to say %q", err, tt.says)
			}
			_, err = d.Put(t.Context(), "a", []byte("one"), "")
			wantError(t, err, tt.want)
			_, err = d.GetMany(t.Context(), []string{"a", "b"})
			if !errors.Is(err, tt.want) {
				t.Errorf("GetMany = %v; want an error that is %q", err, tt.want)
			}
			if l.count("") != 0 {
				t.Errorf("%d requests were sent; want none", l.count(""))
			}
		})
	}
}

// TestNoErrorShowsAPayload lets the service echo what it was sent, and garble what it returns.
func TestNoErrorShowsAPayload(t *testing.T) {
	const canary = "canary-credential-7f3a"
	echo := map[string]func(body string) (*http.Response, error){
		"a validation error that quotes": func(body string) (*http.Response, error) {
			return refuse("ValidationException", "Value '"+body+"' at 'secretString' failed")
		},
		"an unknown error that quotes":    func(body string) (*http.Response, error) { return refuse("NewException", body) },
		"an error code that quotes":       func(body string) (*http.Response, error) { return refuse("X "+body, "") },
		"a proxy that quotes":             func(body string) (*http.Response, error) { return reply(http.StatusBadGateway, "cannot forward "+body) },
		"a denial that quotes":            func(body string) (*http.Response, error) { return reply(http.StatusForbidden, body) },
		"a truncated reply with a secret": func(string) (*http.Response, error) { return reply(http.StatusOK, `{"SecretString": "`+canary) },
		"a reply with a secret elsewhere": func(string) (*http.Response, error) { return reply(http.StatusOK, `{"ARN": {"`+canary+`": 1}}`) },
		"a reply with a secret and no ARN": func(string) (*http.Response, error) {
			return reply(http.StatusOK, `{"SecretString": "`+canary+`", "VersionId": 1}`)
		},
	}
	for name, echo := range echo {
		for _, op := range []string{"PutSecretValue", "CreateSecret", "GetSecretValue", "BatchGetSecretValue"} {
			t.Run(fmt.Sprintf("%s by %s", name, op), func(t *testing.T) {
				b := newBench(t, awssm.Options{})
				rev := b.put(t, "a", canary, "")
				b.link.bend = func(string, int, func() (*http.Response, error)) (*http.Response, error) {
					body, err := json.Marshal(map[string]string{"SecretString": canary})
					if err != nil {
						return nil, err
					}
					return echo(string(body))
				}
				err := call(t, b, op, []byte(canary+"2"), rev)
				for ; err != nil; err = unwrapOnce(err) {
					if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
						t.Fatalf("%T shows the payload: %v", err, err)
					}
				}
			})
		}
	}
}

// unwrapOnce follows the last of the errors inside.
func unwrapOnce(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
		inner := joined.Unwrap()
		return inner[len(inner)-1]
	}
	return errors.Unwrap(err)
}

func TestInputThatIsRefusedBeforeAnyCall(t *testing.T) {
	b := newBench(t, awssm.Options{})
	long := strings.Repeat("x", b.Limits().Name+1)
	tests := []struct {
		name string
		call func() error
		want error
	}{
		{"a name outside the folder", func() error { _, err := b.Get(t.Context(), "../other"); return err }, driver.ErrInvalid},
		{"an empty name", func() error { _, err := b.Latest(t.Context(), ""); return err }, driver.ErrInvalid},
		{"a long name", func() error { _, err := b.Put(t.Context(), long, []byte("x"), ""); return err }, driver.ErrInvalid},
		{"a delete by a foreign name", func() error { return b.Delete(t.Context(), "*") }, driver.ErrInvalid},
		{"several foreign names", func() error { _, err := b.GetMany(t.Context(), []string{"A", "-"}); return err }, driver.ErrInvalid},
		{"an empty payload", func() error { _, err := b.Put(t.Context(), "a", nil, ""); return err }, driver.ErrInvalid},
		{"a payload that is no text", func() error { _, err := b.Put(t.Context(), "a", []byte("\xff"), ""); return err }, driver.ErrInvalid},
		{"a large payload", func() error { _, err := b.Put(t.Context(), "a", make([]byte, 65537), ""); return err }, driver.ErrTooLarge},
		{"a foreign revision", func() error { _, err := b.Put(t.Context(), "a", []byte("x"), "vault-1"); return err }, driver.ErrConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, tt.call(), tt.want)
			if b.link.count("") != 0 {
				t.Errorf("%d requests were sent; want none", b.link.count(""))
			}
		})
	}
}

func TestASecretOfBytesIsReadAsTheyAre(t *testing.T) {
	b := newBench(t, awssm.Options{})
	_, err := b.direct.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("crm/prod/a"), SecretBinary: []byte("\xff\x00")})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Latest(t.Context(), "a")
	if err != nil || string(got.Payload) != "\xff\x00" {
		t.Errorf("Latest = %q, %v; want the two bytes", got.Payload, err)
	}
	many, err := b.GetMany(t.Context(), []string{"a", "b"})
	if err != nil || string(many["a"].Payload) != "\xff\x00" {
		t.Errorf("GetMany = %q, %v; want the two bytes", many["a"].Payload, err)
	}
	b.put(t, "a", "text", got.Revision)
}
