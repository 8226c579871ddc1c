package localstack_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestGetSecretValueChoosesTheVersion(t *testing.T) {
	c := newClient(t)
	c.create("a", "one")
	c.mustPut("a", v2, "two")
	c.mustPut("a", v3, "three", "A", "B")
	c.mustPut("a", v4, "four") // v1 has no label now
	tests := []struct {
		name, version, label, want, code string
	}{
		{"neither is AWSCURRENT", "", "", "four", ""},
		{"a label", "", "A", "three", ""},
		{"AWSPREVIOUS", "", "AWSPREVIOUS", "two", ""},
		{"a version", v2, "", "two", ""},
		{"a deprecated version", v1, "", "one", ""},
		{"both, of the same version", v3, "B", "three", ""},
		{"both, of different versions", v2, "A", "", "InvalidRequestException"},
		{"an unknown label", "", "C", "", "ResourceNotFoundException"},
		{"an unknown version", strings.Repeat("9", 32), "", "", "ResourceNotFoundException"},
		{"a version ID that is too short", "v1", "", "", "ValidationException"},
		{"labels are case-sensitive", "", "awscurrent", "", "ResourceNotFoundException"},
		{"a label of 257 characters", "", strings.Repeat("A", 257), "", "ValidationException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
				SecretId: aws.String("a"), VersionId: optional(tt.version), VersionStage: optional(tt.label),
			})
			wantCode(t, err, tt.code)
			if err == nil && aws.ToString(out.SecretString) != tt.want {
				t.Errorf("value %q; want %q", aws.ToString(out.SecretString), tt.want)
			}
		})
	}
}

func TestGetSecretValueAnswersAllOfTheVersion(t *testing.T) {
	c := newClient(t)
	before := time.Now().Add(-time.Second)
	arn := c.create("a", "text\u2028 \x01 <&>")
	out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{aws.ToString(out.ARN), aws.ToString(out.Name), aws.ToString(out.VersionId), strings.Join(out.VersionStages, " "), aws.ToString(out.SecretString)}
	want := []string{arn, "a", v1, "AWSCURRENT", "text\u2028 \x01 <&>"}
	if strings.Join(got, "|") != strings.Join(want, "|") || out.SecretBinary != nil {
		t.Errorf("GetSecretValue = %q, binary %v; want %q", got, out.SecretBinary, want)
	}
	if created := aws.ToTime(out.CreatedDate); created.Before(before) || created.After(time.Now().Add(time.Second)) {
		t.Errorf("CreatedDate %v; want now", created)
	}
}

func TestBinaryComesBackAsBinary(t *testing.T) {
	c := newClient(t)
	binary := []byte{0, 1, 0xfe, 0xff}
	if _, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretBinary: binary}); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
	if err != nil || !bytes.Equal(out.SecretBinary, binary) || out.SecretString != nil {
		t.Errorf("binary %v, text %v, %v; want %v only", out.SecretBinary, out.SecretString, err, binary)
	}
}

func TestSecretsAreFoundByNameAndByARN(t *testing.T) {
	c := newClient(t)
	arn := c.create("app/db", "value")
	partial := strings.TrimSuffix(arn, arn[len(arn)-7:])
	suffixed := c.create("app/db-abcdef", "other")
	tests := []struct {
		name, id, want, code string
	}{
		{"its name", "app/db", "value", ""},
		{"its ARN", arn, "value", ""},
		{"its ARN without the suffix", partial, "value", ""},
		{"the ARN of a name that looks suffixed", suffixed, "other", ""},
		{"a name that looks suffixed", "app/db-abcdef", "other", ""},
		{"a partial ARN that looks complete is taken for complete", strings.TrimSuffix(suffixed, suffixed[len(suffixed)-7:]), "", "ResourceNotFoundException"},
		{"another suffix", partial + "-000000", "", "ResourceNotFoundException"},
		{"the name with the suffix", "app/db" + arn[len(arn)-7:], "", "ResourceNotFoundException"},
		{"the name in another case", "App/db", "", "ResourceNotFoundException"},
		{"the beginning of the name", "app", "", "ResourceNotFoundException"},
		{"an ARN of another region", strings.Replace(arn, "us-east-1", "eu-west-1", 1), "", "ResourceNotFoundException"},
		{"a name of another service's secrets", "rds!db", "", "ResourceNotFoundException"},
		{"a name that no secret can have", "app db", "", "ValidationException"},
		{"no name", "", "", "ValidationException"},
		{"2,049 characters", strings.Repeat("a", 2049), "", "ValidationException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.get(tt.id)
			wantCode(t, err, tt.code)
			if got != tt.want {
				t.Errorf("value %q; want %q", got, tt.want)
			}
		})
	}
}

func TestAnOldARNNeverReachesANewSecret(t *testing.T) {
	c := newClient(t)
	old := c.create("a", "first life")
	c.force("a")
	c.create("a", "second life")
	_, err := c.get(old)
	wantCode(t, err, "ResourceNotFoundException")
	wantCode(t, c.put(old, v2, "stale"), "ResourceNotFoundException")
	c.force(old) // no error, and no effect
	c.wantValue("a", "second life")
}

func TestDescribeShowsWhatWasSetAndWhenItWasUsed(t *testing.T) {
	c, clock := newClientWithClock(t)
	_, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("a"), Description: aws.String("about a"), KmsKeyId: aws.String("alias/key"), SecretString: aws.String("x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	describe := func() *secretsmanager.DescribeSecretOutput {
		t.Helper()
		out, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := describe()
	if aws.ToString(out.Description) != "about a" || aws.ToString(out.KmsKeyId) != "alias/key" {
		t.Errorf("description %q, key %q", aws.ToString(out.Description), aws.ToString(out.KmsKeyId))
	}
	if out.LastAccessedDate != nil || out.DeletedDate != nil {
		t.Errorf("a secret never read or deleted has LastAccessedDate %v, DeletedDate %v", out.LastAccessedDate, out.DeletedDate)
	}
	if _, err := c.get("a"); err != nil {
		t.Fatal(err)
	}
	if got := aws.ToTime(describe().LastAccessedDate); !got.Equal(clock.now().Truncate(24 * time.Hour)) {
		t.Errorf("LastAccessedDate %v; want the day of %v", got, clock.now())
	}
	clock.advance(time.Millisecond)
	c.mustPut("a", v2, "y")
	if after := describe(); !aws.ToTime(after.LastChangedDate).After(aws.ToTime(out.LastChangedDate)) || !aws.ToTime(after.CreatedDate).Equal(aws.ToTime(out.CreatedDate)) {
		t.Errorf("a put changed LastChangedDate from %v to %v and CreatedDate from %v to %v", out.LastChangedDate, after.LastChangedDate, out.CreatedDate, after.CreatedDate)
	}
}
