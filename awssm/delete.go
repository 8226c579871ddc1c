package awssm

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/driver"
)

// tombstonePayload is the current value of a secret that was deleted with a recovery window. It is read as absent.
var tombstonePayload = []byte(`{"tokenkeep": 1, "kind": "deleted"}`)

const (
	currentStage   = "AWSCURRENT"
	previousStage  = "AWSPREVIOUS"
	tombstoneStage = "tokenkeep-deleted" // on a tombstone, next to AWSCURRENT, for RestoreSecret to see
)

func (v value) tombstone() bool { return bytes.Equal(v.payload, tombstonePayload) }

// Delete removes a secret and all its versions: 1 call. With Options.RecoveryWindow it is 3: read, write the
// tombstone, schedule the deletion. A create that gets in between the last two is deleted as well, and then its name
// stays held for the window, since the secret does not end in a tombstone.
func (s *secrets) Delete(ctx context.Context, name string) error {
	a := s.reads()
	if err := s.checkName(name); err != nil {
		return s.errorOf("DeleteSecret", name, a, err)
	}
	in := &secretsmanager.DeleteSecretInput{SecretId: aws.String(s.FullName(name)), ForceDeleteWithoutRecovery: aws.Bool(true)}
	if s.window != 0 {
		arn, err := s.bury(ctx, name, a)
		if err != nil || arn == "" {
			return err
		}
		in = &secretsmanager.DeleteSecretInput{SecretId: aws.String(arn), RecoveryWindowInDays: aws.Int64(s.window)}
	}
	if _, err := s.client.DeleteSecret(ctx, in, a.option); err != nil && !absent(err) {
		return s.fail(ctx, "DeleteSecret", name, a, err)
	}
	return nil
}

// burials bounds how often a delete begins again because somebody else wrote.
const burials = 100

// bury makes a tombstone the current version, and returns the secret's ARN, or "" where there is no secret.
//
// It is a put like any other, so that nobody who has read any version of this life can write in the next, which has
// the same ARN if the secret is restored.
func (s *secrets) bury(ctx context.Context, name string, a *attempts) (arn string, err error) {
	for range burials {
		v, err := s.value(ctx, s.FullName(name), a)
		switch {
		case err != nil && absent(err):
			return "", nil
		case err != nil:
			return "", s.fail(ctx, "GetSecretValue", name, a, err)
		case v.tombstone():
			return v.arn, nil
		}
		burial := swap{secrets: s, name: name, payload: tombstonePayload, label: tombstoneStage, base: v.revision, a: a}
		if _, err = burial.run(ctx); err == nil {
			return v.arn, nil
		}
		if !errors.Is(err, driver.ErrConflict) {
			return "", err
		}
	}
	return "", s.errorOf("PutSecretValue", name, a, fmt.Errorf("%d times another writer was faster; try again: %w", burials, driver.ErrUnavailable))
}
