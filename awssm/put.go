package awssm

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Put writes a secret if it is still at rev: 1 call, and a read more after a conflict.
//
// PutSecretValue has no condition. But its ClientRequestToken becomes the VersionId of what it writes, and of two
// requests with one token and different values the second fails (API reference, PutSecretValue). So a token that
// is derived from the version read gives every version one successor, whoever comes first; the same request sent
// again succeeds and does nothing. It is addressed by the ARN that was read, since the name of a secret that was
// deleted and created again leads to another one, in which every token is free.
//
// Versions beyond 100 and older than 24 hours are removed, and a token is free again with its version: a revision
// that was read days ago must not be used.
func (s *secrets) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	a, op := s.writes(ctx), "PutSecretValue"
	if rev == "" {
		op = "CreateSecret"
	}
	if err := s.checkName(name); err != nil {
		return "", s.errorOf(op, name, a, err)
	}
	if err := checkPayload(payload); err != nil {
		return "", s.errorOf(op, name, a, err)
	}
	if rev == "" {
		return s.create(ctx, name, payload, a)
	}
	base, ok := decodeRevision(rev, s.FullName(name))
	if !ok {
		if err := ctx.Err(); err != nil {
			return "", s.fail(ctx, op, name, a, err)
		}
		return "", s.errorOf(op, name, a, fmt.Errorf("the revision is not one of this secret: %w", driver.ErrConflict))
	}
	return s.swap(ctx, name, payload, base, a)
}

// swap writes the successor of base, which becomes AWSCURRENT.
func (s *secrets) swap(ctx context.Context, name string, payload []byte, base revision, a *attempts) (driver.Revision, error) {
	next := base.successor()
	_, err := s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId:           aws.String(base.arn),
		ClientRequestToken: aws.String(next.version),
		SecretString:       aws.String(string(payload)),
	}, a.option)
	switch {
	case err == nil:
		return next.encode(), nil
	case exists(err):
		return s.takenSlot(ctx, name, payload, base, a)
	case absent(err):
		return "", s.conflict("PutSecretValue", name, a, "the secret was deleted since it was read")
	}
	return "", s.fail(ctx, "PutSecretValue", name, a, err)
}

func (s *secrets) conflict(op, name string, a *attempts, what string) error {
	return s.errorOf(op, name, a, fmt.Errorf("%s: %w", what, driver.ErrConflict))
}

// stalePauses are the waits before AWSCURRENT is read again, as a read may be answered from before a write.
var stalePauses = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}

// takenSlot decides what it means that base has a successor already. As a rule somebody else was faster. If
// AWSCURRENT still is base, it was moved back by hand, and no put can ever succeed.
func (s *secrets) takenSlot(ctx context.Context, name string, payload []byte, base revision, a *attempts) (driver.Revision, error) {
	for i := 0; ; i++ {
		v, err := s.value(ctx, base.arn, s.reads())
		if err != nil && !absent(err) {
			return "", s.fail(ctx, "GetSecretValue", name, a, err)
		}
		if v.revision == base.successor() && bytes.Equal(v.payload, payload) {
			return v.encode(), nil
		}
		if v.revision != base {
			return "", s.conflict("PutSecretValue", name, a, "the secret changed since it was read")
		}
		if i == len(stalePauses) {
			break
		}
		if err := s.pause(ctx, stalePauses[i]); err != nil {
			return "", s.fail(ctx, "GetSecretValue", name, a, err)
		}
	}
	return "", s.errorOf("PutSecretValue", name, a, fmt.Errorf("AWSCURRENT was moved back by hand to version %s, "+
		"which has a successor, %s; move AWSCURRENT to the newest version, or delete the secret and save again: %w",
		base.version, base.successor().version, driver.ErrDamaged))
}
