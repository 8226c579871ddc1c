package localstack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestUpdateSecretChangesWhatTheRequestHas(t *testing.T) {
	tests := []struct {
		name                           string
		in                             secretsmanager.UpdateSecretInput
		version, value, about, withKey string
		stages                         []string
	}{
		{"nothing", secretsmanager.UpdateSecretInput{}, "", "one", "about a", "alias/old", []string{"v1: AWSCURRENT"}},
		{"the description", secretsmanager.UpdateSecretInput{Description: aws.String("new")}, "", "one", "new", "alias/old", []string{"v1: AWSCURRENT"}},
		{"no description any more", secretsmanager.UpdateSecretInput{Description: aws.String("")}, "", "one", "", "alias/old", []string{"v1: AWSCURRENT"}},
		{"the key", secretsmanager.UpdateSecretInput{KmsKeyId: aws.String("alias/new")}, "", "one", "about a", "alias/new", []string{"v1: AWSCURRENT"}},
		{"the default key", secretsmanager.UpdateSecretInput{KmsKeyId: aws.String("")}, "", "one", "about a", "", []string{"v1: AWSCURRENT"}},
		{
			"a token alone makes no version", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v2)},
			"", "one", "about a", "alias/old", []string{"v1: AWSCURRENT"},
		},
		{
			"the token of a version alone", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v1), Description: aws.String("new")},
			"", "one", "new", "alias/old", []string{"v1: AWSCURRENT"},
		},
		{
			"the value", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v2), SecretString: aws.String("two")},
			v2, "two", "about a", "alias/old", []string{"v1: AWSPREVIOUS", "v2: AWSCURRENT"},
		},
		{
			"the same value makes a version too", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v2), SecretString: aws.String("one")},
			v2, "one", "about a", "alias/old", []string{"v1: AWSPREVIOUS", "v2: AWSCURRENT"},
		},
		{
			"all at once", secretsmanager.UpdateSecretInput{
				ClientRequestToken: aws.String(v2), SecretString: aws.String("two"), Description: aws.String("new"), KmsKeyId: aws.String("alias/new"),
			},
			v2, "two", "new", "alias/new", []string{"v1: AWSPREVIOUS", "v2: AWSCURRENT"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t)
			created, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
				Name: aws.String("a"), Description: aws.String("about a"), KmsKeyId: aws.String("alias/old"),
				ClientRequestToken: aws.String(v1), SecretString: aws.String("one"),
			})
			if err != nil {
				t.Fatal(err)
			}
			tt.in.SecretId = aws.String("a")
			out, err := c.UpdateSecret(t.Context(), &tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if aws.ToString(out.ARN) != aws.ToString(created.ARN) || aws.ToString(out.Name) != "a" || aws.ToString(out.VersionId) != tt.version {
				t.Errorf("answered %q, %q, %q; want the ARN, a, %q", aws.ToString(out.ARN), aws.ToString(out.Name), aws.ToString(out.VersionId), tt.version)
			}
			described, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")})
			if err != nil || aws.ToString(described.Description) != tt.about || aws.ToString(described.KmsKeyId) != tt.withKey {
				t.Errorf("description %q, key %q, %v; want %q, %q", aws.ToString(described.Description), aws.ToString(described.KmsKeyId), err, tt.about, tt.withKey)
			}
			c.wantValue("a", tt.value)
			c.wantStages("a", tt.stages...)
		})
	}
}

func TestUpdateSecretTakesABinaryToo(t *testing.T) {
	c := newClient(t)
	c.create("a", "one")
	in := &secretsmanager.UpdateSecretInput{SecretId: aws.String("a"), SecretBinary: []byte{0, 0xff}}
	if _, err := c.UpdateSecret(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
	if err != nil || !slices.Equal(out.SecretBinary, []byte{0, 0xff}) {
		t.Errorf("binary %v, %v; want 0 and 255", out.SecretBinary, err)
	}
}

// What is refused changes nothing, the description included that each request has.
func TestUpdateSecretRefusesWhatAWSRefuses(t *testing.T) {
	next := aws.String("next")
	tests := []struct {
		name, id string
		in       secretsmanager.UpdateSecretInput
		want     string
	}{
		{"an unknown secret", "absent", secretsmanager.UpdateSecretInput{}, "ResourceNotFoundException"},
		{"a scheduled secret", "scheduled", secretsmanager.UpdateSecretInput{SecretString: next}, "InvalidRequestException"},
		{"the description of a scheduled secret", "scheduled", secretsmanager.UpdateSecretInput{}, "InvalidRequestException"},
		{"a used token with another value", "a", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v1), SecretString: next}, "ResourceExistsException"},
		{"a used token with its value", "a", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v1), SecretString: aws.String("value")}, "ResourceExistsException"},
		{"a token of 31 characters", "a", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v1[:31]), SecretString: next}, "InvalidParameterException"},
		{"a token of 31 characters without a value", "a", secretsmanager.UpdateSecretInput{ClientRequestToken: aws.String(v1[:31])}, "InvalidParameterException"},
		{"text and binary at once", "a", secretsmanager.UpdateSecretInput{SecretString: next, SecretBinary: []byte("x")}, "InvalidParameterException"},
		{"an empty text", "a", secretsmanager.UpdateSecretInput{SecretString: aws.String("")}, "InvalidRequestException"},
		{"text of 65,537 bytes", "a", secretsmanager.UpdateSecretInput{SecretString: aws.String(strings.Repeat("x", 65537))}, "ValidationException"},
		{"a description of 2,049 characters", "a", secretsmanager.UpdateSecretInput{Description: aws.String(strings.Repeat("d", 2049))}, "ValidationException"},
		{"a key ID of 2,049 characters", "a", secretsmanager.UpdateSecretInput{KmsKeyId: aws.String(strings.Repeat("k", 2049))}, "ValidationException"},
		{"a type of managed external secrets", "a", secretsmanager.UpdateSecretInput{Type: aws.String("partner")}, "InvalidParameterException"},
		{"a 21st label", "full", secretsmanager.UpdateSecretInput{SecretString: next, KmsKeyId: aws.String("k")}, "LimitExceededException"},
	}
	c := newClient(t)
	c.create("a", "value")
	c.create("scheduled", "value")
	c.schedule("scheduled")
	c.create("full", "value")
	c.mustPut("full", v2, "second", labels(19)...) // 20 with AWSCURRENT on v1; AWSPREVIOUS would be the next
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.SecretId = &tt.id
			if tt.in.Description == nil {
				tt.in.Description = aws.String("changed")
			}
			_, err := c.UpdateSecret(t.Context(), &tt.in)
			wantCode(t, err, tt.want)
			if tt.id == "absent" {
				return
			}
			out, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &tt.id})
			if err != nil || out.Description != nil || out.KmsKeyId != nil || !slices.Equal(out.VersionIdsToStages[v1], []string{"AWSCURRENT"}) {
				t.Errorf("description %q, key %q, stages %v, %v; want it as it was", aws.ToString(out.Description), aws.ToString(out.KmsKeyId), out.VersionIdsToStages, err)
			}
		})
	}
}

func TestOnlyAValueNeedsATokenOfAClientWithoutAnSDK(t *testing.T) {
	server := startServer(t)
	post(t, server, "secretsmanager.CreateSecret", `{"Name": "a", "ClientRequestToken": "`+v1+`", "SecretString": "x"}`)
	for body, want := range map[string]string{
		`{"SecretId": "a", "Description": "d"}`:                              "",
		`{"SecretId": "a", "SecretString": "y"}`:                             "InvalidRequestException",
		`{"SecretId": "a", "SecretString": "y", "SecretBinary": "eHg="}`:     "InvalidParameterException",
		`{"SecretId": "a", "ClientRequestToken": "` + v2 + `"}`:              "",
		`{"SecretId": "a", "ClientRequestToken": "x", "Description": "d"}`:   "InvalidParameterException",
		`{"SecretId": "a", "SecretString": "y", "ClientRequestToken": null}`: "InvalidRequestException",
	} {
		if got := post(t, server, "secretsmanager.UpdateSecret", body); got.header.Get("x-amzn-ErrorType") != want {
			t.Errorf("%s: %s; want %q", body, got.body, want)
		}
	}
}

// The key of a version that has none of AWS's labels stays the one that it was written with.
func TestANewKeyIsOfVersionsInUseAndOfLaterOnes(t *testing.T) {
	c := newClient(t)
	c.create("a", "one")
	c.mustPut("a", v2, "two", "CUSTOM")
	c.mustPut("a", v3, "three", "AWSPENDING")
	c.mustPut("a", v4, "four")
	update := &secretsmanager.UpdateSecretInput{SecretId: aws.String("a"), KmsKeyId: aws.String("alias/new")}
	if _, err := c.UpdateSecret(t.Context(), update); err != nil {
		t.Fatal(err)
	}
	c.mustPut("a", version(5), "five", "LATER")
	out, err := c.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range out.Versions {
		got[aws.ToString(v.VersionId)] = strings.Join(v.KmsKeyIds, " ")
	}
	want := map[string]string{v1: "alias/new", v2: "DefaultEncryptionKey", v3: "alias/new", v4: "alias/new", version(5): "alias/new"}
	for id := range want {
		if got[id] != want[id] {
			t.Errorf("version %s has the key %q; want %q", id, got[id], want[id])
		}
	}
}
