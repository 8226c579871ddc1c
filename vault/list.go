package vault

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
)

// List yields the names in the folder, in 1 call, as Vault has no pages. The names of deleted secrets stay in it. Folders inside
// this one are left out. It needs the capability list on the path MOUNT/metadata/PREFIX/.
func (s *secrets) List(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		names, err := s.list(ctx)
		if err != nil {
			yield("", err)
			return
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				yield("", fmt.Errorf("LIST metadata: given up: %w", err))
				return
			}
			if !yield(name, nil) {
				return
			}
		}
	}
}

// Lag is 0: a list shows every acknowledged write, unless it is answered by a node that is behind.
func (s *secrets) Lag() time.Duration { return 0 }

func (s *secrets) list(ctx context.Context) ([]string, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", mountOp, err)
	}
	c, a := s.on("LIST", "metadata", "", "list"), s.reads()
	secret, err := s.send(ctx, c, a)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.op(), s.cause(ctx, c, a, err))
	}
	if secret == nil {
		return nil, nil
	}
	keys, _ := secret.Data["keys"].([]any)
	var names []string
	for _, key := range keys {
		if name, ok := key.(string); ok && !strings.HasSuffix(name, "/") {
			names = append(names, name)
		}
	}
	return names, nil
}
