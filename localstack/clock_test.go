package localstack_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// clock is a time that passes only when a test says so.
type clock struct{ passed atomic.Int64 }

var epoch = time.Date(2026, 3, 1, 15, 4, 5, 0, time.UTC)

func (c *clock) now() time.Time          { return epoch.Add(time.Duration(c.passed.Load())) }
func (c *clock) advance(d time.Duration) { c.passed.Add(int64(d)) }

func newClientWithClock(t *testing.T, opts ...localstack.Option) (sm, *clock) {
	t.Helper()
	c := &clock{}
	return newClient(t, append(opts, localstack.WithClock(c.now))...), c
}

func TestDatesAreThoseOfTheClock(t *testing.T) {
	c, clock := newClientWithClock(t)
	id := aws.String("a")
	c.create("a", "one")
	clock.advance(time.Hour)
	change := map[string]func() error{
		"PutSecretValue":           func() error { return c.put("a", v2, "two") },
		"UpdateSecretVersionStage": func() error { return c.move("a", "A", v1, "") },
		"TagResource":              func() error { return c.tag("a", "k", "v") },
		"UntagResource":            func() error { return c.untag("a", "k") },
		"UpdateSecret": func() error {
			_, err := c.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: id, Description: aws.String("d")})
			return err
		},
		"DeleteSecret": func() error {
			_, err := c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: id})
			return err
		},
		"RestoreSecret": func() error {
			_, err := c.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: id})
			return err
		},
	}
	for _, action := range []string{
		"PutSecretValue", "UpdateSecretVersionStage", "TagResource", "UntagResource", "UpdateSecret", "DeleteSecret", "RestoreSecret",
	} {
		clock.advance(time.Hour)
		if err := change[action](); err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		out, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: id})
		if err != nil {
			t.Fatal(err)
		}
		if created, changed := aws.ToTime(out.CreatedDate), aws.ToTime(out.LastChangedDate); !created.Equal(epoch) || !changed.Equal(clock.now()) {
			t.Errorf("after %s: CreatedDate %v, LastChangedDate %v; want %v and %v", action, created, changed, epoch, clock.now())
		}
		if action == "DeleteSecret" && !aws.ToTime(out.DeletedDate).Equal(clock.now().AddDate(0, 0, 30)) {
			t.Errorf("DeletedDate %v; want 30 days after %v", out.DeletedDate, clock.now())
		}
	}
	got, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: id})
	if want := epoch.Add(2 * time.Hour); err != nil || !aws.ToTime(got.CreatedDate).Equal(want) {
		t.Errorf("the version has CreatedDate %v, %v; want %v", got.CreatedDate, err, want)
	}
}

func TestWithoutAClockTheServerTakesTheTime(t *testing.T) {
	c := newClient(t, localstack.WithClock(nil))
	c.create("a", "one")
	out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
	if err != nil || time.Since(aws.ToTime(out.CreatedDate)).Abs() > time.Minute {
		t.Errorf("CreatedDate %v, %v; want now", out.CreatedDate, err)
	}
}
