package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenkeep/tokenkeep"
)

// Store is a [tokenkeep.Store] and [tokenkeep.Updater] in a file. [New] makes one. It is safe for concurrent use, also
// by other Stores and processes on the same file. A look-up reads the whole file, a change reads and writes it: to save many
// tokens, use SaveTokens.
type Store struct {
	path string
	turn chan struct{} // of this Store's writers, before they wait for those of others
}

var (
	_ tokenkeep.Store   = (*Store)(nil)
	_ tokenkeep.Updater = (*Store)(nil)
)

// New returns a store on the file at path. It does no I/O: a file that is not there, or is empty, is an empty store, and
// the first save creates it. The directory must exist, and be writable for changes.
func New(path string) *Store {
	return &Store{path: path, turn: make(chan struct{}, 1)}
}

// FindToken returns the token that query means, by the rules of [tokenkeep.Store].
func (s *Store) FindToken(ctx context.Context, query tokenkeep.Token) (tokenkeep.Token, error) {
	return s.look(ctx, "find token", query.ID, func(l *tokenkeep.List) (tokenkeep.Token, error) { return l.Find(query) })
}

// FindTokenByID returns the token with this ID, or [tokenkeep.ErrNotFound].
func (s *Store) FindTokenByID(ctx context.Context, id string) (tokenkeep.Token, error) {
	return s.look(ctx, "find token", id, func(l *tokenkeep.List) (tokenkeep.Token, error) { return l.FindByID(id) })
}

// GetTokens returns all tokens ordered by the bytes of their IDs, so "10" comes before "9"; none of a damaged file.
func (s *Store) GetTokens(ctx context.Context) ([]tokenkeep.Token, error) {
	tokens := []tokenkeep.Token{}
	_, err := s.look(ctx, "get tokens", "", func(l *tokenkeep.List) (tokenkeep.Token, error) {
		tokens = l.Tokens()
		return tokenkeep.Token{}, nil
	})
	return tokens, err
}

// UpdateToken replaces the token with this ID by what f makes of it. The file is locked while f runs, once: f must not
// call a store on it. The errors are those of SaveToken and of [tokenkeep.Updater].
func (s *Store) UpdateToken(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	return s.change(ctx, "update token", id, func(c *contents) (tokenkeep.Token, error) {
		return c.Update(id, func(t tokenkeep.Token) (tokenkeep.Token, error) {
			next, err := f(t)
			if err == nil {
				err = checkColumns(next)
			}
			return inMilliseconds(next), err
		})
	})
}

// DeleteToken removes the token with this ID; that there is none is no error.
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	_, err := s.change(ctx, "delete token", id, func(c *contents) (tokenkeep.Token, error) { return tokenkeep.Token{}, c.Delete(id) })
	return err
}

// DeleteTokens removes all tokens and leaves the header.
func (s *Store) DeleteTokens(ctx context.Context) error {
	_, err := s.change(ctx, "delete tokens", "", func(c *contents) (tokenkeep.Token, error) {
		for _, token := range c.Tokens() {
			if err := c.Delete(token.ID); err != nil {
				return tokenkeep.Token{}, err
			}
		}
		return tokenkeep.Token{}, nil
	})
	return err
}

// look calls f with the tokens of the file.
func (s *Store) look(ctx context.Context, op, id string, f func(*tokenkeep.List) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	err := ctx.Err()
	if err == nil {
		var list *tokenkeep.List
		if list, err = load(s.path); err == nil {
			var t tokenkeep.Token
			if t, err = f(list); err == nil {
				return t, nil
			}
		}
	}
	return tokenkeep.Token{}, &tokenkeep.Error{Op: op, ID: id, Err: err}
}

// load reads the tokens of the file.
func load(path string) (*tokenkeep.List, error) {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	tokens, err := decode(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tokenkeep.NewList(tokens)
}

// target follows the links of path, so that a rename replaces the file and not a link to it, and all paths of one file
// have one lock.
func target(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	return resolved, err
}
