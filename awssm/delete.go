package awssm

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/driver"
)

// tombstonePayload is the current value of a secret that was deleted with a recovery window. It is read as absent.
var tombstonePayload = []byte(`{"tokenkeep": 1, "kind": "deleted"}`)

const (
	currentStage   = "AWSCURRENT"
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

// burials bounds how many versions a tombstone is pushed past.
const burials = 200

// bury makes a tombstone the current version, and returns the secret's ARN, or "" where there is no secret.
//
// It takes the first free place in the line of successors, so that nobody who has read any version of this life can
// write in the next, which has the same ARN if the secret is restored.
func (s *secrets) bury(ctx context.Context, name string, a *attempts) (arn string, err error) {
	v, err := s.value(ctx, s.FullName(name), a)
	switch {
	case err != nil && absent(err):
		return "", nil
	case err != nil:
		return "", s.fail(ctx, "GetSecretValue", name, a, err)
	case v.tombstone():
		return v.arn, nil
	}
	for next, pushed := v.successor(), 0; ; next = next.successor() {
		out, err := s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId:           aws.String(next.arn),
			ClientRequestToken: aws.String(next.version),
			SecretString:       aws.String(string(tombstonePayload)),
			VersionStages:      []string{currentStage, tombstoneStage},
		}, a.option)
		switch {
		case err == nil && slices.Contains(out.VersionStages, currentStage):
			return next.arn, nil
		case err != nil && absent(err):
			return "", nil
		case err != nil && !exists(err):
			return "", s.fail(ctx, "PutSecretValue", name, a, err)
		}
		// Taken by another writer, or by the tombstone of a former life.
		if pushed++; pushed == burials {
			return "", s.errorOf("PutSecretValue", name, a, errNoRoom)
		}
	}
}

var errNoRoom = fmt.Errorf("%d versions after the current one are taken; delete the secret without a recovery window: %w", burials, driver.ErrDamaged)
