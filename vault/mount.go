package vault

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

const mountOp = "GET sys/internal/ui/mounts"

// ready checks that the mount is a KV engine of version 2, in 1 call for the life of the handle. Version 1 takes a write
// and ignores its check-and-set, so nothing may be written before.
//
// It needs no line in a policy: any right inside the mount is enough.
func (s *secrets) ready(ctx context.Context) error {
	if s.mounted.Load() {
		return nil
	}
	c, a := s.describing(), s.reads()
	secret, err := s.send(ctx, c, a)
	switch {
	case forbidden(err):
		return s.noMount(ctx)
	case err != nil:
		return s.cause(ctx, c, a, err)
	case secret == nil:
		return fmt.Errorf("there is no mount %q%s, or this is no Vault; check Options.Mount and Options.Namespace: %w",
			s.mount, s.inNamespace(), driver.ErrInvalid)
	}
	path, _ := secret.Data["path"].(string)
	engine, _ := secret.Data["type"].(string)
	options, _ := secret.Data["options"].(map[string]any)
	version, _ := options["version"].(string)
	path = strings.Trim(path, "/")
	switch {
	case path != s.mount:
		return fmt.Errorf("%q is a folder in the mount %q; set Options.Mount to the latter, and put the rest into Options.Prefix: %w",
			s.mount, path, driver.ErrInvalid)
	case engine != "kv" && engine != "generic":
		return fmt.Errorf("the engine at the mount %q%s is %q; name a KV engine of version 2 in Options.Mount: %w",
			s.mount, s.inNamespace(), engine, driver.ErrInvalid)
	case version != "2":
		return fmt.Errorf("the mount %q%s is a KV engine of version 1, which has no check-and-set; "+
			`upgrade it with "vault kv enable-versioning %s", or name another in Options.Mount: %w`,
			s.mount, s.inNamespace(), s.mount, driver.ErrInvalid)
	}
	s.mounted.Store(true)
	return nil
}

// describing is the call that describes the mount.
func (s *secrets) describing() call {
	return call{method: http.MethodGet, kind: "sys/internal/ui/mounts", path: "sys/internal/ui/mounts/" + s.mount}
}

// noMount is what a refusal to describe the mount means, which comes for a mount that does not exist too.
func (s *secrets) noMount(ctx context.Context) error {
	if err := s.deadToken(ctx); err != nil {
		return err
	}
	return fmt.Errorf("there is no mount %q%s, or the policy has no path in it; check Options.Mount and Options.Namespace, "+
		"or allow the token one of the jobs of Policy: %w", s.mount, s.inNamespace(), driver.ErrPermission)
}

// inNamespace names the namespace in a sentence, where there is one.
func (s *secrets) inNamespace() string {
	if ns := s.sender.Namespace(); ns != "" {
		return fmt.Sprintf(" in the namespace %q", ns)
	}
	return ""
}
