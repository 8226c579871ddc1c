package filestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/tokenkeep/tokenkeep"
)

// SaveToken stores token by the rules of [tokenkeep.Store] and returns it as stored, with its ID. A field that the file
// has no column for, and a new ID that is no decimal number, are [tokenkeep.ErrInvalid]. Where the error wraps none of
// the errors of package tokenkeep, such as that of a full disk, the token may be stored or not.
func (s *Store) SaveToken(ctx context.Context, token tokenkeep.Token) (tokenkeep.Token, error) {
	return s.change(ctx, "save token", token.ID, func(c *contents) (tokenkeep.Token, error) { return c.save(token) })
}

// SaveTokens saves many tokens as if by SaveToken, one after the other in their order, but reads and writes the file once. It
// returns them as stored, in the same order, and the joined errors of those that could not be saved, whose places are left
// zero. It goes on where one fails.
//
// The file gets all of them at once: readers, and whoever comes after a crash, see it with all that are returned or as it was
// before. After an error about the file, the one that is returned then, no token is; where that wraps none of the errors of
// package tokenkeep, they may be stored or not. It may be repeated.
func (s *Store) SaveTokens(ctx context.Context, tokens []tokenkeep.Token) ([]tokenkeep.Token, error) {
	saved, errs := make([]tokenkeep.Token, len(tokens)), make([]error, len(tokens))
	_, err := s.change(ctx, "save tokens", "", func(c *contents) (tokenkeep.Token, error) {
		for i, token := range tokens {
			var err error
			if saved[i], err = c.save(token); err != nil {
				errs[i] = &tokenkeep.Error{Op: "save token", ID: token.ID, Err: err}
			}
		}
		return tokenkeep.Token{}, nil
	})
	if err != nil {
		clear(saved)
		return saved, err
	}
	return saved, errors.Join(errs...)
}

// save saves a token and returns what the file holds of it.
func (c *contents) save(token tokenkeep.Token) (tokenkeep.Token, error) {
	if err := checkColumns(token); err != nil {
		return tokenkeep.Token{}, err
	}
	if _, err := c.FindByID(token.ID); errors.Is(err, tokenkeep.ErrNotFound) && token.ID != "" && number(token.ID) == 0 {
		return tokenkeep.Token{}, fmt.Errorf("the new ID %q is no decimal number from 1 to %d; leave it empty to get one: %w",
			token.ID, maxNumber, tokenkeep.ErrInvalid)
	}
	saved, err := c.Save(inMilliseconds(token))
	if err != nil {
		return tokenkeep.Token{}, err
	}
	if c.last > maxNumber {
		c.last = maxNumber
		_ = c.Delete(saved.ID) // which is there
		return tokenkeep.Token{}, fmt.Errorf("the numbers for IDs are used up; renumber the tokens: %w", tokenkeep.ErrInvalid)
	}
	c.last = max(c.last, number(saved.ID))
	saved = withColumns(saved)
	return saved, c.Put(saved) // the file remembers nothing of its past
}
