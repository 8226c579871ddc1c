package awssm

import (
	"context"
	"fmt"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Put writes a secret if it is still at rev: 1 call, and a read more after a conflict; in two steps (see swap) 2 calls.
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
	return (&swap{secrets: s, name: name, payload: payload, base: base, a: a}).run(ctx)
}

func (s *secrets) conflict(op, name string, a *attempts, what string) error {
	return s.errorOf(op, name, a, fmt.Errorf("%s: %w", what, driver.ErrConflict))
}
