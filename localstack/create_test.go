package localstack_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func TestCreateSecretRefusesWhatAWSRefuses(t *testing.T) {
	long := strings.Repeat("n", 513)
	text := aws.String("value")
	tests := []struct {
		name string
		in   secretsmanager.CreateSecretInput
		want string
	}{
		{"a name with every allowed character", secretsmanager.CreateSecretInput{Name: aws.String("aZ09/_+=.@-"), SecretString: text}, ""},
		{"a name of 512 characters", secretsmanager.CreateSecretInput{Name: aws.String(long[:512]), SecretString: text}, ""},
		{"a name of 513 characters", secretsmanager.CreateSecretInput{Name: aws.String(long), SecretString: text}, "ValidationException"},
		{"an empty name", secretsmanager.CreateSecretInput{Name: aws.String(""), SecretString: text}, "ValidationException"},
		{"a space in the name", secretsmanager.CreateSecretInput{Name: aws.String("a b"), SecretString: text}, "ValidationException"},
		{"a letter that is not ASCII", secretsmanager.CreateSecretInput{Name: aws.String("clé"), SecretString: text}, "ValidationException"},
		{"a colon in the name", secretsmanager.CreateSecretInput{Name: aws.String("a:b"), SecretString: text}, "ValidationException"},
		{"an exclamation mark, which AWS keeps for itself", secretsmanager.CreateSecretInput{Name: aws.String("rds!a"), SecretString: text}, "ValidationException"},
		{"a token of 31 characters", secretsmanager.CreateSecretInput{Name: aws.String("t31"), SecretString: text, ClientRequestToken: aws.String(long[:31])}, "InvalidParameterException"},
		{"a token of 32 characters", secretsmanager.CreateSecretInput{Name: aws.String("t32"), SecretString: text, ClientRequestToken: aws.String(long[:32])}, ""},
		{"a token of 64 characters", secretsmanager.CreateSecretInput{Name: aws.String("t64"), SecretString: text, ClientRequestToken: aws.String(long[:64])}, ""},
		{"a token of 65 characters", secretsmanager.CreateSecretInput{Name: aws.String("t65"), SecretString: text, ClientRequestToken: aws.String(long[:65])}, "InvalidParameterException"},
		{"text and binary at once", secretsmanager.CreateSecretInput{Name: aws.String("both"), SecretString: text, SecretBinary: []byte("x")}, "InvalidParameterException"},
		{"an empty text", secretsmanager.CreateSecretInput{Name: aws.String("empty"), SecretString: aws.String("")}, "InvalidRequestException"},
		{"no value", secretsmanager.CreateSecretInput{Name: aws.String("none")}, ""},
		{"text of 65,536 bytes", secretsmanager.CreateSecretInput{Name: aws.String("big"), SecretString: aws.String(strings.Repeat("x", 65536))}, ""},
		{"text of 65,537 bytes", secretsmanager.CreateSecretInput{Name: aws.String("big1"), SecretString: aws.String(strings.Repeat("x", 65537))}, "ValidationException"},
		{"text of 65,537 bytes in fewer characters", secretsmanager.CreateSecretInput{Name: aws.String("big2"), SecretString: aws.String(strings.Repeat("é", 32768) + "x")}, "ValidationException"},
		{"text of 65,536 bytes that JSON escapes", secretsmanager.CreateSecretInput{Name: aws.String("big3"), SecretString: aws.String(strings.Repeat("\x01", 65536))}, ""},
		{"binary of 65,536 bytes", secretsmanager.CreateSecretInput{Name: aws.String("big4"), SecretBinary: bytes.Repeat([]byte{0xff}, 65536)}, ""},
		{"binary of 65,537 bytes", secretsmanager.CreateSecretInput{Name: aws.String("big5"), SecretBinary: bytes.Repeat([]byte{0xff}, 65537)}, "ValidationException"},
		{"a description of 2,048 characters", secretsmanager.CreateSecretInput{Name: aws.String("d"), Description: aws.String(strings.Repeat("é", 2048))}, ""},
		{"a description of 2,049 characters", secretsmanager.CreateSecretInput{Name: aws.String("d1"), Description: aws.String(strings.Repeat("d", 2049))}, "ValidationException"},
		{"a key ID of 2,049 characters", secretsmanager.CreateSecretInput{Name: aws.String("k"), KmsKeyId: aws.String(strings.Repeat("k", 2049))}, "ValidationException"},
		{"replicas", secretsmanager.CreateSecretInput{Name: aws.String("r"), AddReplicaRegions: []types.ReplicaRegionType{{Region: aws.String("eu-west-1")}}}, "InvalidParameterException"},
		{"a type of managed external secrets", secretsmanager.CreateSecretInput{Name: aws.String("e"), SecretString: text, Type: aws.String("partner")}, "InvalidParameterException"},
		{"a reserved tag", secretsmanager.CreateSecretInput{Name: aws.String("g"), Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}}, "InvalidParameterException"},
	}
	c := newClient(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.CreateSecret(t.Context(), &tt.in)
			wantCode(t, err, tt.want)
			_, err = c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: tt.in.Name})
			if (err == nil) != (tt.want == "") {
				t.Errorf("after CreateSecret answered %q, DescribeSecret answers %v", tt.want, err)
			}
		})
	}
}

func TestCreateSecretTwiceNeedsTheSameTokenAndValue(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value")
	tests := []struct {
		name, token, value, want string
	}{
		{"the same token and value is the repeat of a lost reply", v1, "value", ""},
		{"the same token with another value", v1, "other", "ResourceExistsException"},
		{"another token", v2, "value", "ResourceExistsException"},
		{"no value", v1, "", "ResourceExistsException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
				Name: aws.String("a"), ClientRequestToken: &tt.token, SecretString: optional(tt.value),
			})
			wantCode(t, err, tt.want)
			if err == nil && (aws.ToString(out.ARN) != arn || aws.ToString(out.VersionId) != v1) {
				t.Errorf("the repeat answered %q, %q; want %q, %q", aws.ToString(out.ARN), aws.ToString(out.VersionId), arn, v1)
			}
			c.wantValue("a", "value")
			c.wantStages("a", "v1: AWSCURRENT")
		})
	}
}

func TestTextAndBinaryOfTheSameBytesAreDifferentValues(t *testing.T) {
	c := newClient(t)
	c.create("a", "value")
	_, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a"), ClientRequestToken: aws.String(v1), SecretBinary: []byte("value")})
	wantCode(t, err, "ResourceExistsException")
}

func TestEveryLifeOfANameHasItsOwnARN(t *testing.T) {
	c := newClient(t)
	seen := map[string]bool{}
	for range 20 {
		arn := c.create("app/db", "value")
		if !regexp.MustCompile(`^arn:aws:secretsmanager:us-east-1:\d{12}:secret:app/db-[A-Za-z0-9]{6}$`).MatchString(arn) || seen[arn] {
			t.Fatalf("ARN %q; want a new one that ends in six random characters", arn)
		}
		seen[arn] = true
		c.force("app/db")
	}
}

func TestASecretWithoutAValueHasNoVersionUntilTheFirstPut(t *testing.T) {
	c := newClient(t)
	out, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a")})
	if err != nil || out.VersionId != nil {
		t.Fatalf("CreateSecret without a value: version %q, %v; want none", aws.ToString(out.VersionId), err)
	}
	_, err = c.get("a")
	wantCode(t, err, "ResourceNotFoundException")
	c.mustPut("a", v2, "first", "CUSTOM")
	c.wantStages("a", "v2: AWSCURRENT CUSTOM")
	c.wantValue("a", "first")
}
