package localstack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenkeep/tokenkeep/localstack"
)

const lag = 5 * time.Minute

// shown returns what ListSecrets shows of each secret: name, life, description, key, tags, stages, whether it is marked for
// deletion and whether it was read.
func (c sm) shown(lives ...string) (shown []string) {
	c.t.Helper()
	out, err := c.ListSecrets(c.t.Context(), &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range out.SecretList {
		text := fmt.Sprint(aws.ToString(s.Name), slices.Index(lives, aws.ToString(s.ARN)), " ", aws.ToString(s.Description), aws.ToString(s.KmsKeyId))
		for _, tag := range s.Tags {
			text += " " + aws.ToString(tag.Key) + "=" + aws.ToString(tag.Value)
		}
		for _, id := range []string{v1, v2} {
			text += " " + strings.Join(s.SecretVersionsToStages[id], ",")
		}
		if s.DeletedDate != nil {
			text += " deleted"
		}
		if s.LastAccessedDate != nil {
			text += " read"
		}
		shown = append(shown, text)
	}
	return shown
}

func TestAListShowsEachChangeAfterTheLagAndNotBefore(t *testing.T) {
	id := aws.String("a")
	tests := []struct {
		name   string
		change func(c sm) error
		want   string
	}{
		{"nothing", func(sm) error { return nil }, "a0  k=v AWSCURRENT "},
		{"a put", func(c sm) error { return c.put("a", v2, "two") }, "a0  k=v AWSPREVIOUS AWSCURRENT"},
		{"a label", func(c sm) error { return c.move("a", "A", v1, "") }, "a0  k=v A,AWSCURRENT "},
		{"a tag", func(c sm) error { return c.tag("a", "k", "w", "l", "x") }, "a0  k=w l=x AWSCURRENT "},
		{"no tag", func(c sm) error { return c.untag("a", "k") }, "a0  AWSCURRENT "},
		{"an update", func(c sm) error {
			in := &secretsmanager.UpdateSecretInput{SecretId: id, Description: aws.String("d"), KmsKeyId: aws.String("k")}
			_, err := c.UpdateSecret(c.t.Context(), in)
			return err
		}, "a0 dk k=v AWSCURRENT "},
		{"a read", func(c sm) error { _, err := c.get("a"); return err }, "a0  k=v AWSCURRENT  read"},
		{"a deletion", func(c sm) error { c.schedule("a"); return nil }, "a0  k=v AWSCURRENT  deleted"},
		{"a forced deletion", func(c sm) error { c.force("a"); return nil }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, clock := newClientWithClock(t, localstack.WithListLag(lag))
			c.createTagged("a", "", "k", "v")
			described, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: id})
			if err != nil {
				t.Fatal(err)
			}
			arn := aws.ToString(described.ARN)
			clock.advance(lag)
			before := c.shown(arn)
			if err := tt.change(c); err != nil {
				t.Fatal(err)
			}
			for _, passed := range []time.Duration{0, lag - time.Millisecond} {
				clock.advance(passed)
				if got := c.shown(arn); !slices.Equal(got, before) {
					t.Errorf("listed too early: %q; want %q", got, before)
				}
			}
			clock.advance(time.Millisecond)
			if got := c.shown(arn); strings.Join(got, "|") != tt.want {
				t.Errorf("listed after the lag: %q; want %q", got, tt.want)
			}
		})
	}
}

func TestANewSecretIsListedAfterTheLagAndFoundAtOnce(t *testing.T) {
	c, clock := newClientWithClock(t, localstack.WithListLag(lag))
	for range 2 { // the second life begins after the first one, which lists still show
		arn := c.create("a", "value")
		clock.advance(lag - time.Millisecond)
		if got := c.shown(arn); len(got) > 0 && strings.HasPrefix(got[0], "a0") {
			t.Errorf("listed too early: %q", got)
		}
		c.wantValue("a", "value")
		if _, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")}); err != nil {
			t.Error(err)
		}
		clock.advance(time.Millisecond)
		if got := c.shown(arn); len(got) != 1 || !strings.HasPrefix(got[0], "a0") {
			t.Errorf("listed after the lag: %q; want this life of a", got)
		}
		c.force("a")
	}
}

func TestFiltersAndRestoresAreLateToo(t *testing.T) {
	c, clock := newClientWithClock(t, localstack.WithListLag(lag))
	c.createTagged("a", "", "k", "v")
	c.schedule("a")
	clock.advance(lag)
	if _, err := c.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	find := &secretsmanager.ListSecretsInput{Filters: []types.Filter{{Key: types.FilterNameStringTypeTagKey, Values: []string{"k"}}}}
	if got, _ := c.list(find); len(got) != 0 {
		t.Errorf("found %q; want nothing, since the list shows it scheduled for deletion", got)
	}
	clock.advance(lag)
	if err := c.untag("a", "k"); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.list(find); !slices.Equal(got, []string{"a"}) {
		t.Errorf("found %q; want a, since the list shows the tag", got)
	}
	clock.advance(lag)
	if got, _ := c.list(find); len(got) != 0 {
		t.Errorf("found %q; want nothing", got)
	}
}

func TestABatchFindsLateAndReadsNow(t *testing.T) {
	c, clock := newClientWithClock(t, localstack.WithListLag(lag))
	for _, name := range []string{"app/changed", "app/forced", "app/scheduled"} {
		c.create(name, "one")
	}
	clock.advance(lag)
	c.mustPut("app/changed", v2, "two")
	c.force("app/forced")
	c.schedule("app/scheduled")
	c.create("app/new", "one")
	out, err := c.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{
		Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"app/"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range out.SecretValues {
		got = append(got, aws.ToString(v.Name)+"="+aws.ToString(v.SecretString))
	}
	for _, e := range out.Errors {
		got = append(got, aws.ToString(e.ErrorCode))
	}
	if want := []string{"app/changed=two", "ResourceNotFoundException", "InvalidRequestException"}; !slices.Equal(got, want) {
		t.Errorf("batch has %q; want %q", got, want)
	}
}

func TestAListShowsTheEndOfARecoveryWindowLateToo(t *testing.T) {
	c, clock := newClientWithClock(t, localstack.WithListLag(lag))
	c.create("a", "value")
	c.schedule("a")
	clock.advance(30*day + lag - time.Millisecond)
	if got := c.listed(t); len(got) != 1 {
		t.Errorf("listed %q; want a", got)
	}
	clock.advance(time.Millisecond)
	if got := c.listed(t); len(got) != 0 {
		t.Errorf("listed %q; want nothing", got)
	}
}

func TestWithoutALagListsShowTheAccountAsItIs(t *testing.T) {
	for _, d := range []time.Duration{0, -time.Hour} {
		c, clock := newClientWithClock(t, localstack.WithListLag(d))
		c.create("a", "value")
		c.create("b", "value")
		c.force("a")
		c.schedule("b")
		clock.advance(30*day - time.Millisecond)
		if got := c.listed(t); !slices.Equal(got, []string{"b"}) {
			t.Errorf("a lag of %v: listed %q; want b", d, got)
		}
	}
}
