package localstack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func (c sm) tag(id string, keysAndValues ...string) error {
	tags := []types.Tag{}
	for i := 0; i < len(keysAndValues); i += 2 {
		tags = append(tags, types.Tag{Key: &keysAndValues[i], Value: &keysAndValues[i+1]})
	}
	_, err := c.TagResource(c.t.Context(), &secretsmanager.TagResourceInput{SecretId: &id, Tags: tags})
	return err
}

func (c sm) untag(id string, keys ...string) error {
	_, err := c.UntagResource(c.t.Context(), &secretsmanager.UntagResourceInput{SecretId: &id, TagKeys: keys})
	return err
}

func (c sm) wantTags(id, want string) {
	c.t.Helper()
	out, err := c.DescribeSecret(c.t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		c.t.Fatal(err)
	}
	var got []string
	for _, t := range out.Tags {
		got = append(got, aws.ToString(t.Key)+"="+aws.ToString(t.Value))
	}
	if strings.Join(got, " ") != want {
		c.t.Errorf("tags %q; want %q", got, want)
	}
}

func TestTagsAreAddedReplacedAndRemoved(t *testing.T) {
	c := newClient(t)
	c.createTagged("a", "", "team", "blue")
	if err := c.tag("a", "env", "prod", "team", ""); err != nil {
		t.Fatal(err)
	}
	c.wantTags("a", "env=prod team=")
	if err := c.untag("a", "team", "never-set"); err != nil {
		t.Fatal(err)
	}
	c.wantTags("a", "env=prod")
}

func TestTagsRefuseWhatAWSRefuses(t *testing.T) {
	c := newClient(t)
	c.createTagged("a", "", "k", "v")
	c.create("scheduled", "value")
	c.schedule("scheduled")
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("k%d", i), "v")
	}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"an unknown secret", c.tag("absent", "a", "b"), "ResourceNotFoundException"},
		{"a scheduled secret", c.tag("scheduled", "a", "b"), "InvalidRequestException"},
		{"an empty key", c.tag("a", "ok", "v", "", "v"), "ValidationException"},
		{"a key of 129 characters", c.tag("a", strings.Repeat("k", 129), "v"), "ValidationException"},
		{"a value of 257 characters", c.tag("a", "key", strings.Repeat("v", 257)), "ValidationException"},
		{"a reserved key", c.tag("a", "AWS:key", "v"), "InvalidParameterException"},
		{"the 51st tag", c.tag("a", many...), "InvalidParameterException"},
		{"removing from an unknown secret", c.untag("absent", "k"), "ResourceNotFoundException"},
		{"removing from a scheduled secret", c.untag("scheduled", "k"), "InvalidRequestException"},
		{"removing an empty key", c.untag("a", "k", ""), "ValidationException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantCode(t, tt.err, tt.want) })
	}
	c.wantTags("a", "k=v")
}

func TestTagActionsNeedTheirList(t *testing.T) {
	server := startServer(t)
	for _, action := range []string{"TagResource", "UntagResource"} {
		if got := post(t, server, "secretsmanager."+action, `{"SecretId": "a"}`); got.header.Get("x-amzn-ErrorType") != "ValidationException" {
			t.Errorf("%s without a list: %s; want ValidationException", action, got.body)
		}
	}
}
