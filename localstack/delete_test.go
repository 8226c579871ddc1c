package localstack_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/localstack"
)

func TestDeleteChecksTheRecoveryWindow(t *testing.T) {
	tests := []struct {
		name  string
		days  *int64
		force *bool
		want  string
		after time.Duration // when the secret goes
	}{
		{"30 days by default", nil, nil, "", 30 * 24 * time.Hour},
		{"7 days", aws.Int64(7), nil, "", 7 * 24 * time.Hour},
		{"30 days", aws.Int64(30), aws.Bool(false), "", 30 * 24 * time.Hour},
		{"6 days", aws.Int64(6), nil, "InvalidParameterException", 0},
		{"31 days", aws.Int64(31), nil, "InvalidParameterException", 0},
		{"no days", aws.Int64(0), nil, "InvalidParameterException", 0},
		{"force", nil, aws.Bool(true), "", 0},
		{"force with a window", aws.Int64(7), aws.Bool(true), "InvalidParameterException", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t)
			arn := c.create("a", "value")
			out, err := c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("a"), RecoveryWindowInDays: tt.days, ForceDeleteWithoutRecovery: tt.force})
			wantCode(t, err, tt.want)
			if tt.want != "" {
				c.wantValue("a", "value")
				return
			}
			if aws.ToString(out.ARN) != arn || aws.ToString(out.Name) != "a" {
				t.Errorf("answered %q, %q; want %q, a", aws.ToString(out.ARN), aws.ToString(out.Name), arn)
			}
			if off := time.Until(aws.ToTime(out.DeletionDate)) - tt.after; off.Abs() > time.Minute {
				t.Errorf("DeletionDate %v; want in %v", out.DeletionDate, tt.after)
			}
		})
	}
}

func TestASecretScheduledForDeletionIsHiddenAndKeepsItsName(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value")
	c.schedule(arn)

	_, err := c.get("a")
	wantCode(t, err, "InvalidRequestException")
	if err == nil || !strings.Contains(err.Error(), "marked for deletion") {
		t.Errorf("reading it: %v; want a text that says so", err)
	}
	_, err = c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a"), ClientRequestToken: aws.String(v1), SecretString: aws.String("value")})
	wantCode(t, err, "InvalidRequestException")
	if err == nil || !strings.Contains(err.Error(), "already scheduled for deletion") {
		t.Errorf("creating it: %v; want a text that says so", err)
	}
	_, err = c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("a")})
	wantCode(t, err, "InvalidRequestException")

	out, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")})
	if err != nil || out.DeletedDate == nil {
		t.Errorf("DescribeSecret: DeletedDate %v, %v; want a date", out.DeletedDate, err)
	}
	versions, err := c.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("a")})
	if err != nil || len(versions.Versions) != 1 {
		t.Errorf("ListSecretVersionIds: %v; want its version", err)
	}
}

func TestRestoreBringsASecretBackUnderItsARN(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value")
	c.schedule("a")
	for range 2 { // restoring a live secret does nothing
		out, err := c.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("a")})
		if err != nil || aws.ToString(out.ARN) != arn || aws.ToString(out.Name) != "a" {
			t.Fatalf("RestoreSecret: %v", err)
		}
	}
	c.wantValue(arn, "value")
	c.wantStages(arn, "v1: AWSCURRENT")
	out, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")})
	if err != nil || out.DeletedDate != nil {
		t.Errorf("DeletedDate %v, %v; want none", out.DeletedDate, err)
	}
	_, err = c.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("absent")})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestForcedDeletionEndsALifeAndMayBeRepeated(t *testing.T) {
	c := newClient(t)
	arn := c.create("a", "value")
	c.schedule("a")
	c.force("a") // a scheduled one too
	_, err := c.get("a")
	wantCode(t, err, "ResourceNotFoundException")
	_, err = c.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("a")})
	wantCode(t, err, "ResourceNotFoundException")
	c.force("a")
	c.force(arn)
	out, err := c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("never/was"), ForceDeleteWithoutRecovery: aws.Bool(true)})
	if err != nil || aws.ToString(out.Name) != "never/was" || out.ARN == nil || out.DeletionDate == nil {
		t.Errorf("forcing a missing secret: %v; want success with its name", err)
	}
	_, err = c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("never/was")})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("no name"), ForceDeleteWithoutRecovery: aws.Bool(true)})
	wantCode(t, err, "ValidationException")

	if again := c.create("a", "new life"); again == arn {
		t.Errorf("the new life has the old ARN %q", arn)
	}
	c.wantValue("a", "new life")
	c.wantStages("a", "v1: AWSCURRENT")
}

func TestARecoveryWindowRunsOut(t *testing.T) {
	tests := []struct {
		name  string
		after time.Duration
		gone  bool
	}{
		{"at once", 0, false},
		{"a moment before its end", 7*day - time.Millisecond, false},
		{"at its end", 7 * day, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, clock := newClientWithClock(t)
			arn := c.create("a", "value")
			c.create("other", "value")
			if _, err := c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &arn, RecoveryWindowInDays: aws.Int64(7)}); err != nil {
				t.Fatal(err)
			}
			clock.advance(tt.after)
			if n := len(c.listed(t)); n != map[bool]int{true: 1, false: 2}[tt.gone] {
				t.Errorf("%d secrets are listed; gone: %t", n, tt.gone)
			}
			_, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a")})
			wantCode(t, err, map[bool]string{true: "", false: "InvalidRequestException"}[tt.gone])
			_, err = c.get(arn)
			wantCode(t, err, map[bool]string{true: "ResourceNotFoundException", false: "InvalidRequestException"}[tt.gone])
			_, err = c.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: &arn})
			wantCode(t, err, map[bool]string{true: "ResourceNotFoundException", false: ""}[tt.gone])
			clock.advance(30 * day)
			if _, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("a")}); err != nil {
				t.Errorf("the secret that was created or restored has gone: %v", err)
			}
		})
	}
}

// listed returns the names that ListSecrets shows, with those of secrets that are marked for deletion.
func (c sm) listed(t *testing.T) []string {
	t.Helper()
	names, _ := c.list(&secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	return names
}

func TestAForcedDeletionHoldsTheNameUntilItsEnd(t *testing.T) {
	const delay = 10 * time.Second
	c, clock := newClientWithClock(t, localstack.WithDeletionDelay(delay))
	arn := c.create("a", "value")
	c.schedule("a")
	c.force("a")
	start := clock.now()
	create := func() error {
		_, err := c.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a"), ClientRequestToken: aws.String(v1), SecretString: aws.String("value")})
		return err
	}
	read := func() error { _, err := c.get(arn); return err }
	restore := func() error {
		_, err := c.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: &arn})
		return err
	}
	remove := func() error {
		_, err := c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &arn})
		return err
	}
	for _, after := range []time.Duration{0, delay / 2, delay - delay/2 - time.Millisecond} {
		clock.advance(after)
		for name, call := range map[string]func() error{"CreateSecret": create, "GetSecretValue": read, "RestoreSecret": restore, "DeleteSecret": remove} {
			if got := code(call()); got != "InvalidRequestException" {
				t.Errorf("%s %v after the deletion: %q; want InvalidRequestException", name, clock.now().Sub(start), got)
			}
		}
		if err := create(); err == nil || !strings.Contains(err.Error(), "already scheduled for deletion") {
			t.Errorf("creating it: %v; want a text that says so", err)
		}
		out, err := c.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &arn})
		if err != nil || !aws.ToTime(out.DeletedDate).Equal(start) {
			t.Errorf("DeletedDate %v, %v; want the time of the deletion, %v", out.DeletedDate, err, start)
		}
		c.force(arn) // begins no other one
	}
	clock.advance(time.Millisecond)
	wantCode(t, read(), "ResourceNotFoundException")
	wantCode(t, restore(), "ResourceNotFoundException")
	wantCode(t, remove(), "ResourceNotFoundException")
	wantCode(t, create(), "")
	c.wantValue("a", "value")
}

func TestWithoutADelayAForcedDeletionEndsAtOnce(t *testing.T) {
	for _, delay := range []time.Duration{0, -time.Hour} {
		c, _ := newClientWithClock(t, localstack.WithDeletionDelay(delay))
		c.create("a", "value")
		c.force("a")
		c.create("a", "again")
		c.wantValue("a", "again")
	}
}
