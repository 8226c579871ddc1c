package localstack_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
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
