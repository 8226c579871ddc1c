package tokenkeep

import (
	"context"
	"errors"

	"github.com/tokenkeep/tokenkeep/driver"
)

// ForgetDeleted removes what the manager keeps of deleted tokens, and returns of how many: on Vault their names and version
// numbers, with no credential. Where the
// manager keeps no names, it does nothing.
//
// No other program may write to the store meanwhile, nor one that has read it within the minute before go on writing: the
// removal is no compare-and-swap, so a token that is created at that moment may be lost. On Vault it needs the capability delete on
// MOUNT/metadata/PREFIX/t_*, which no job of its policies has.
//
// It makes the calls of [SecretStore.GetTokens], and one for each deleted token. Tokens that could not be forgotten are in the
// joined errors.
func (s *SecretStore) ForgetDeleted(ctx context.Context) (forgotten int, err error) {
	forgetter, forgets := s.secrets.(driver.Forgetter)
	lister, lists := s.secrets.(driver.Lister)
	if !forgets || !forgetter.LeavesNames() || !lists {
		return 0, nil
	}
	ids, err := scanIDs(ctx, lister)
	if err != nil {
		return 0, s.fail("forget deleted tokens", "", err)
	}
	rows, err := s.fetch(ctx, ids)
	if err != nil {
		return 0, s.fail("forget deleted tokens", "", err)
	}
	var errs []error
	for _, id := range ids {
		if r := rows[id]; r.live || r.err != nil {
			continue
		}
		s.cache.dropRow(id)
		if err := forgetter.Forget(ctx, SecretName(id)); err != nil {
			errs = append(errs, s.fail("forget deleted token", id, err))
			continue
		}
		forgotten++
	}
	return forgotten, errors.Join(errs...)
}
