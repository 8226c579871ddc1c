package gcpsm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"strings"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/googleapis/gax-go/v2"
)

// List names the secrets of the folder that have a current version: 1 call for 100 secrets, of the quota of 600 in a
// minute. It needs the permission secretmanager.secrets.list on the project, with which one sees the names of all secrets
// there. Secrets of a prefix with a hyphen and more behind this one are left out.
func (s *secrets) List(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for token := ""; ; {
			page, err := s.listPage(ctx, token)
			if err != nil {
				yield("", err)
				return
			}
			for _, secret := range page.items {
				if err := ctx.Err(); err != nil {
					yield("", fmt.Errorf("ListSecrets: given up: %w", err))
					return
				}
				name, ours := strings.CutPrefix(path.Base(secret.GetName()), s.id(""))
				if !ours || strings.Contains(name, "-") || secret.GetVersionAliases()[current] == 0 {
					continue
				}
				if !yield(name, nil) {
					return
				}
			}
			if token = page.next; token == "" {
				return
			}
		}
	}
}

func (s *secrets) listPage(ctx context.Context, token string) (listed[*secretmanagerpb.Secret], error) {
	const op = "ListSecrets"
	page, err := do(ctx, s, s.reads(), request[listed[*secretmanagerpb.Secret]]{op: op,
		send: func(ctx context.Context, options ...gax.CallOption) (listed[*secretmanagerpb.Secret], error) {
			in := &secretmanagerpb.ListSecretsRequest{Parent: s.parent, Filter: "name:" + s.id("")}
			return onePage[*secretmanagerpb.Secret](s.client.ListSecrets(ctx, in, options...), token)
		}})
	var call *callError
	if errors.As(in(op, err), &call) {
		return page, fmt.Errorf("%s: %w", op, s.cause(ctx, call))
	}
	return page, nil
}

// Lag is an hour. Google says that reads other than by version number converge within minutes as a rule, and may take a few
// hours (Secret Manager documentation, "Data consistency").
func (s *secrets) Lag() time.Duration { return time.Hour }
