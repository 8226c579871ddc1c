package tokenkeep

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
)

// DeleteToken removes the token with this ID for good, its earlier versions included; that there is none is no error. Its
// entry in the index stays for a day, and is skipped by every reader.
//
// The secret is not read before: one that somebody else put under the name of a token goes too.
//
// It makes 1 call; on AWS with a recovery window 3.
func (s *SecretStore) DeleteToken(ctx context.Context, id string) error {
	if id == "" {
		return ctx.Err()
	}
	if err := s.check(Token{ID: id}); err != nil {
		return s.fail("delete token", id, err)
	}
	if err := s.deleteRow(ctx, id); err != nil {
		return s.fail("delete token", id, err)
	}
	return nil
}

// deleteRow deletes the secret of a token, and remembers that it is absent.
func (s *SecretStore) deleteRow(ctx context.Context, id string) error {
	r := row{id: id, fresh: true, at: s.now(), tick: s.cache.tick()}
	if err := s.secrets.Delete(ctx, SecretName(id)); err != nil {
		s.cache.dropRow(id)
		return err
	}
	s.cache.setRow(r)
	return nil
}

// DeleteTokens removes all tokens that [SecretStore.All] would look at; tokens saved while it runs may stay. It goes on where one cannot be
// deleted, and joins the errors.
//
// It makes a call for the index, one for each token that it lists, deleted in the last day or not, and at most one to
// remove old entries.
func (s *SecretStore) DeleteTokens(ctx context.Context) error {
	if err := s.deleteTokens(ctx); err != nil {
		return s.fail("delete tokens", "", err)
	}
	return nil
}

func (s *SecretStore) deleteTokens(ctx context.Context) error {
	ids, err := s.allIDs(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(ids))
	var group errgroup.Group
	group.SetLimit(s.options.Parallel)
	for i, id := range ids {
		group.Go(func() error {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = s.deleteRow(ctx, id)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(append(errs, s.sweepAll(ctx))...)
}

// sweepAll removes what may go of the whole index.
func (s *SecretStore) sweepAll(ctx context.Context) error {
	index := s.cache.view(everywhere, s.fan(), s.now(), time.Minute)
	if index == nil {
		var err error
		if index, err = s.readIndex(ctx, everywhere); err != nil {
			return err
		}
	}
	var errs []error
	for _, leaf := range index.sheets {
		errs = append(errs, s.sweepLeaf(ctx, leaf))
	}
	return errors.Join(errs...)
}
