package awssm

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Waits between the attempts to create a name that a deleted secret holds.
const (
	firstHeldPause = 100 * time.Millisecond
	lastHeldPause  = 4 * time.Second
)

// create makes a secret: 1 call, and a read more where the name is taken. A name that a deleted secret holds is
// waited for, within heldFor and the context's NotAfter.
func (s *secrets) create(ctx context.Context, name string, payload []byte, a *attempts) (driver.Revision, error) {
	deadline := s.now().Add(s.heldFor)
	if !a.notAfter.IsZero() && a.notAfter.Before(deadline) {
		deadline = a.notAfter
	}
	for wait := firstHeldPause; ; wait = min(2*wait, lastHeldPause) {
		rev, held, err := s.tryCreate(ctx, name, payload, a)
		if err != nil || !held {
			return rev, err
		}
		if s.now().Add(wait).Round(0).After(deadline) {
			return "", s.errorOf("CreateSecret", name, a, fmt.Errorf("%s: %w", s.heldAdvice(), driver.ErrNameHeld))
		}
		if err := s.pause(ctx, wait); err != nil {
			return "", s.fail(ctx, "CreateSecret", name, a, err)
		}
	}
}

func (s *secrets) heldAdvice() string {
	if s.window != 0 {
		return "waited for its deletion to end; if somebody else scheduled it, restore the secret or delete it for good"
	}
	return "waited for its deletion to end; if it has a recovery window, restore the secret or delete it for good, or set Options.RecoveryWindow"
}

// tryCreate makes a secret, unless the name is held by a deleted one.
func (s *secrets) tryCreate(ctx context.Context, name string, payload []byte, a *attempts) (rev driver.Revision, held bool, err error) {
	version := firstVersion(s.twoStep)
	in := &secretsmanager.CreateSecretInput{
		Name:               aws.String(s.FullName(name)),
		ClientRequestToken: aws.String(version),
		SecretString:       aws.String(string(payload)),
		Tags:               s.tags,
	}
	if s.kmsKeyID != "" {
		in.KmsKeyId = aws.String(s.kmsKeyID)
	}
	out, err := s.client.CreateSecret(ctx, in, a.option)
	switch {
	case err == nil:
		// Not the reply's VersionId: a repeated create may be answered with what has become current since.
		return revision{aws.ToString(out.ARN), version}.encode(), false, nil
	case scheduledForDeletion(err):
		return s.restore(ctx, name, payload, a)
	case exists(err):
		return s.occupied(ctx, name, payload, a)
	}
	return "", false, s.fail(ctx, "CreateSecret", name, a, err)
}

// occupied decides what it means that a name is taken.
func (s *secrets) occupied(ctx context.Context, name string, payload []byte, a *attempts) (rev driver.Revision, held bool, err error) {
	v, err := s.value(ctx, s.FullName(name), s.reads())
	switch {
	case err != nil && absent(err):
		return s.restore(ctx, name, payload, a)
	case err != nil:
		return "", false, s.fail(ctx, "GetSecretValue", name, a, err)
	case v.tombstone():
		rev, err = (&swap{secrets: s, name: name, payload: payload, base: v.revision, a: a}).run(ctx)
		return rev, false, err
	case bytes.Equal(v.payload, payload):
		return v.encode(), false, nil // an earlier attempt, whose reply was lost
	}
	return "", false, s.conflict("CreateSecret", name, a, "the secret is there already")
}

// restore brings back a secret that this package deleted with a recovery window, and writes over its tombstone.
//
// A deleted secret that ends in anything else stays deleted: restoring it would show readers, if only for a moment,
// a credential that somebody took away. What it ends in can be told by a label alone, since a value cannot be read
// while its secret is scheduled for deletion.
func (s *secrets) restore(ctx context.Context, name string, payload []byte, a *attempts) (rev driver.Revision, held bool, err error) {
	if s.window == 0 {
		return "", true, nil
	}
	aside := a.aside()
	about, err := s.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(s.FullName(name))}, aside.option)
	if err != nil {
		if absent(err) {
			return "", true, nil
		}
		return "", false, s.fail(ctx, "DescribeSecret", name, aside, err)
	}
	if about.DeletedDate == nil || !endsInTombstone(about.VersionIdsToStages) {
		return "", true, nil
	}
	_, err = s.client.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: about.ARN}, aside.option)
	if err != nil {
		if absent(err) {
			return "", true, nil
		}
		return "", false, s.fail(ctx, "RestoreSecret", name, aside, err)
	}
	return s.restored(ctx, name, payload, a)
}

// restored writes over the tombstone of a secret that was deleted until now. Another creator may be doing the same.
func (s *secrets) restored(ctx context.Context, name string, payload []byte, a *attempts) (rev driver.Revision, held bool, err error) {
	v, err := s.value(ctx, s.FullName(name), s.reads())
	switch {
	case err != nil && absent(err):
		return "", true, nil
	case err != nil:
		return "", false, s.fail(ctx, "GetSecretValue", name, a, err)
	case !v.tombstone():
		return "", true, nil // tried again, which compares payloads
	}
	rev, err = (&swap{secrets: s, name: name, payload: payload, base: v.revision, a: a}).run(ctx)
	return rev, false, err
}

func endsInTombstone(stages map[string][]string) bool {
	for _, labels := range stages {
		if slices.Contains(labels, currentStage) {
			return slices.Contains(labels, tombstoneStage)
		}
	}
	return false
}
