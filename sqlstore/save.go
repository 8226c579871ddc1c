package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// SaveToken stores token by the rules of [tokenkeep.Store] and returns it as stored, with its ID. After an error nothing
// has changed, unless the connection broke during the commit.
//
// A new ID is a decimal number of at most 15 digits, which Zoho's SDKs can count on from; another one is
// [tokenkeep.ErrInvalid]. A value that is longer than its column is [tokenkeep.ErrTooLarge]; one that has no column, or that the
// column changes, is [tokenkeep.ErrInvalid]; both name the column. ExpiresAt is cut to milliseconds. RefreshedAt and
// Reauthorize are not stored.
func (s *Store) SaveToken(ctx context.Context, token tokenkeep.Token) (tokenkeep.Token, error) {
	return s.change(ctx, "save token", token.ID, saving(token))
}

// SaveTokens saves many tokens as if by SaveToken, one after the other in their order, but reads the table once, in one
// transaction. It returns them as stored, in the same order, and the joined errors of those that could not be saved, whose
// places are left zero. It goes on where one fails, be it that a column or a constraint of the table refuses it.
//
// Where the database fails, refuses the user, or is kept by others, or ctx ends, nothing of it has changed and no token is
// returned, unless the connection broke during the commit; the error is one for all of them. It may be repeated.
//
// It makes two calls for each token that changes nothing, four for each other one, and four more. Other writers wait
// meanwhile, so save very many tokens by the hundred.
func (s *Store) SaveTokens(ctx context.Context, tokens []tokenkeep.Token) ([]tokenkeep.Token, error) {
	saved := make([]tokenkeep.Token, len(tokens))
	var errs []error
	err := s.lock(ctx, func(c *contents) error {
		errs = nil // of a transaction that the database ended
		for i, token := range tokens {
			var refused, err error
			if saved[i], refused, err = c.try(ctx, saving(token)); err != nil {
				return err
			}
			if refused != nil {
				errs = append(errs, fail("save token", token.ID, refused))
			}
		}
		return nil
	})
	if err != nil {
		clear(saved)
		return saved, fail("save tokens", "", err)
	}
	return saved, errors.Join(errs...)
}

// saving returns the change that saves a token.
func saving(token tokenkeep.Token) func(*tokenkeep.List) (tokenkeep.Token, error) {
	return func(l *tokenkeep.List) (tokenkeep.Token, error) {
		if err := checkNewID(l, token.ID); err != nil {
			return tokenkeep.Token{}, err
		}
		token := token
		token.ExpiresAt = token.ExpiresAt.Truncate(time.Millisecond)
		return l.Save(token)
	}
}
