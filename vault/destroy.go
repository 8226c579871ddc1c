package vault

import (
	"context"
	"net/http"
	"strings"
)

// destroy removes versions of a secret for good.
func (s *secrets) destroy(ctx context.Context, name string, versions []int) error {
	c := s.destroying(name)
	c.body = map[string][]int{"versions": versions}
	_, err := s.send(ctx, c, s.reads())
	return err
}

func (s *secrets) destroying(name string) call {
	return s.on(http.MethodPut, "destroy", name, "update")
}

// destroySuperseded removes the version that a put has replaced. What is left by a failure goes when the secret is
// deleted, or when the mount has kept max_versions newer ones.
func (s *secrets) destroySuperseded(ctx context.Context, name string, version int) {
	// A policy speaks of all secrets of a kind: t_*, i_*.
	stem, _, _ := strings.Cut(name, "_")
	if _, kept := s.kept.Load(stem); kept {
		return
	}
	if !forbidden(s.destroy(ctx, name, []int{version})) {
		return
	}
	if _, told := s.kept.LoadOrStore(stem, true); told {
		return
	}
	s.logger.Warn("vault: versions that were written over stay readable with ?version=, as the policy does not let them be destroyed; "+
		"allow the capability on the path, or set max_versions to 2 on the mount",
		"capability", "update", "path", s.destroying(stem+"_*").path)
}
