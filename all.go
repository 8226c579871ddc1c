package tokenkeep

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/tokenkeep/tokenkeep/driver"
)

// listBatch is how many tokens a listing reads at a time; a driver makes as few calls of that as it can.
const listBatch = 100

// All returns all tokens ordered by the bytes of their IDs, read in batches while the caller takes them. A token that cannot
// be used is yielded with its ID and an error, and the listing goes on; an error with an empty ID ends it.
//
// It is no snapshot: a token that is there all the time is seen, one that is never there is not.
//
// It makes a call for the index, or two for a grown one of up to 17 secrets, and on AWS one for every 20 tokens that it lists. Where
// the manager's own list is never late and may be read (Vault), that takes the place of the index.
func (s *SecretStore) All(ctx context.Context) iter.Seq2[Token, error] {
	return func(yield func(Token, error) bool) {
		all, err := s.allIDs(ctx)
		if err != nil {
			yield(Token{}, s.fail("list tokens", "", err))
			return
		}
		for ids := range slices.Chunk(all, listBatch) {
			rows, err := s.fetch(ctx, ids)
			if err != nil {
				yield(Token{}, s.fail("list tokens", "", err))
				return
			}
			for _, id := range ids {
				if r := rows[id]; r.err != nil && !yield(Token{ID: id}, s.fail("list tokens", id, r.err)) ||
					r.live && !yield(r.rec.shown(), nil) {
					return
				}
			}
		}
	}
}

// GetTokens returns what [SecretStore.All] yields: the tokens, and the joined errors of those that cannot be used.
func (s *SecretStore) GetTokens(ctx context.Context) ([]Token, error) {
	tokens := []Token{}
	var errs []error
	for t, err := range s.All(ctx) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		tokens = append(tokens, t)
	}
	return tokens, errors.Join(errs...)
}

// allIDs returns the IDs of all tokens that may be there, in order: as the manager lists them where that is never late and
// permitted, else as the index does.
func (s *SecretStore) allIDs(ctx context.Context) ([]string, error) {
	lister, ok := s.secrets.(driver.Lister)
	if ok && lister.Lag() == 0 && !s.noList.Load() {
		ids, err := scanIDs(ctx, lister)
		if !errors.Is(err, ErrPermission) {
			return ids, err
		}
		s.noList.Store(true)
	}
	index, err := s.readIndex(ctx, everywhere)
	if err != nil {
		return nil, err
	}
	return index.ids(), nil
}

// scanIDs returns the IDs of the tokens that a manager lists.
func scanIDs(ctx context.Context, lister driver.Lister) ([]string, error) {
	var ids []string
	for name, err := range lister.List(ctx) {
		if err != nil {
			return nil, err
		}
		if id, ok := tokenID(name); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
