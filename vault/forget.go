package vault

import (
	"context"
	"net/http"
)

// Forget deletes the metadata of a secret, with all its versions: 1 call. It needs the capability delete on the path
// MOUNT/metadata/PREFIX/NAME, which no job of [Policy] has: the version numbers begin again, so that a revision that was
// read before might fit what is created after.
func (s *secrets) Forget(ctx context.Context, name string) error {
	c, a := s.on(http.MethodDelete, "metadata", name, "delete"), s.reads()
	if err := s.checkName(name); err != nil {
		return s.errorOf(c.op(), name, a, err)
	}
	if err := s.ready(ctx); err != nil {
		return s.errorOf(mountOp, name, a, err)
	}
	if _, err := s.send(ctx, c, a); err != nil {
		return s.fail(ctx, c, name, a, err)
	}
	return nil
}

// LeavesNames is true: what stays is the name, numbers and times.
func (s *secrets) LeavesNames() bool { return true }
