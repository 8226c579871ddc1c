package localstack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestPutMovesLabels(t *testing.T) {
	tests := []struct {
		name string
		puts [][]string // version and labels of each put after v1
		want []string
	}{
		{"without labels it becomes current, and the old one previous", [][]string{{v2}}, []string{"v1: AWSPREVIOUS", "v2: AWSCURRENT"}},
		{"the version before the previous one loses its last label", [][]string{{v2}, {v3}}, []string{"v2: AWSPREVIOUS", "v3: AWSCURRENT"}},
		{"with another label it does not become current", [][]string{{v2, "AWSPENDING"}}, []string{"v1: AWSCURRENT", "v2: AWSPENDING"}},
		{"a label moves off the version it was on", [][]string{{v2, "A", "B"}, {v3, "B"}}, []string{"v1: AWSCURRENT", "v2: A", "v3: B"}},
		{"AWSCURRENT beside a label", [][]string{{v2, "A", "AWSCURRENT"}}, []string{"v1: AWSPREVIOUS", "v2: A AWSCURRENT"}},
		{"a label given twice is one", [][]string{{v2, "A", "A"}}, []string{"v1: AWSCURRENT", "v2: A"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t)
			c.create("a", "value")
			for _, put := range tt.puts {
				c.mustPut("a", put[0], "value of "+put[0], append([]string(nil), put[1:]...)...)
			}
			c.wantStages("a", tt.want...)
		})
	}
}

func TestPutWithAUsedTokenIsIgnoredOrRefused(t *testing.T) {
	c := newClient(t)
	c.create("a", "value")
	c.mustPut("a", v2, "second")
	c.mustPut("a", v1, "value")
	c.wantStages("a", "v1: AWSPREVIOUS", "v2: AWSCURRENT")
	c.mustPut("a", v1, "value", "NEW")
	c.wantStages("a", "v1: AWSPREVIOUS", "v2: AWSCURRENT")
	wantCode(t, c.put("a", v1, "another"), "ResourceExistsException")
	c.wantValue("a", "second")

	c.mustPut("a", v3, "third")
	wantCode(t, c.put("a", v1, "another"), "ResourceExistsException")
}

func TestPutAnswersTheLabelsOfItsVersion(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value")
	out, err := c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String("a"), ClientRequestToken: aws.String(v2), SecretBinary: []byte{0, 0xff}, VersionStages: []string{"B", "A"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{aws.ToString(out.ARN), aws.ToString(out.Name), aws.ToString(out.VersionId), strings.Join(out.VersionStages, " ")}
	if want := []string{arn, "a", v2, "A B"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("PutSecretValue = %q; want %q", got, want)
	}
}

func TestPutRefusesWhatAWSRefuses(t *testing.T) {
	c := newClient(t)
	c.create("a", "value")
	c.create("scheduled", "value")
	c.schedule("scheduled")
	text := aws.String("next")
	tests := []struct {
		name string
		in   secretsmanager.PutSecretValueInput
		want string
	}{
		{"an unknown secret", secretsmanager.PutSecretValueInput{SecretId: aws.String("absent"), SecretString: text}, "ResourceNotFoundException"},
		{"a secret scheduled for deletion", secretsmanager.PutSecretValueInput{SecretId: aws.String("scheduled"), SecretString: text}, "InvalidRequestException"},
		{"no value", secretsmanager.PutSecretValueInput{SecretId: aws.String("a")}, "InvalidRequestException"},
		{"an empty text", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: aws.String("")}, "InvalidRequestException"},
		{"an empty binary", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretBinary: []byte{}}, "InvalidRequestException"},
		{"text and binary at once", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: text, SecretBinary: []byte("x")}, "InvalidParameterException"},
		{"text of 65,537 bytes", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: aws.String(strings.Repeat("x", 65537))}, "ValidationException"},
		{"a token of 31 characters", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: text, ClientRequestToken: aws.String(v1[:31])}, "InvalidParameterException"},
		{"an empty list of labels", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: text, VersionStages: []string{}}, "ValidationException"},
		{"an empty label", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: text, VersionStages: []string{""}}, "ValidationException"},
		{"a label of 257 characters", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: text, VersionStages: []string{strings.Repeat("l", 257)}}, "ValidationException"},
		{"21 labels", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: text, VersionStages: labels(21)}, "ValidationException"},
		{"20 labels beside AWSCURRENT on another version", secretsmanager.PutSecretValueInput{SecretId: aws.String("a"), SecretString: text, VersionStages: labels(20)}, "LimitExceededException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.PutSecretValue(t.Context(), &tt.in)
			wantCode(t, err, tt.want)
			c.wantValue("a", "value")
			c.wantStages("a", "v1: AWSCURRENT")
		})
	}
}

func labels(n int) []string {
	var labels []string
	for i := range n {
		labels = append(labels, fmt.Sprintf("L%d", i))
	}
	return labels
}

func TestASecretHasAtMost20LabelsOnAllItsVersions(t *testing.T) {
	c := newClient(t)
	c.create("a", "value")
	c.mustPut("a", v2, "second", labels(18)...) // 19 with AWSCURRENT on v1
	wantCode(t, c.put("a", v3, "third", "X", "Y"), "LimitExceededException")
	c.mustPut("a", v3, "third") // AWSPREVIOUS is the 20th
	wantCode(t, c.move("a", "X", v3, ""), "LimitExceededException")
	if err := c.move("a", "L0", "", v2); err != nil {
		t.Fatal(err)
	}
	if err := c.move("a", "X", v3, ""); err != nil {
		t.Errorf("a label in place of a removed one: %v", err)
	}
}
