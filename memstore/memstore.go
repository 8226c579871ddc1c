// Package memstore keeps tokens in memory, for tests and for programs that live as long as their tokens.
//
//	store := memstore.New()
//	saved, err := store.SaveToken(ctx, tokenkeep.Token{
//		UserName:     "ann@example.com",
//		RefreshToken: refreshToken,
//	})
//
// It is the list store that the samples of Zoho's SDKs show beside their file and database stores, without its bugs
// (the sample of the Python SDK 6.0.0 gives the first two tokens the same ID). Package storetest checks that it keeps
// every rule of [tokenkeep.Store].
//
// Tokens saved without an ID get decimal ones, "1", "2", "3" and so on. None comes twice, also after a delete.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"

	"github.com/tokenkeep/tokenkeep"
)

// Store is a [tokenkeep.Store] in memory. [New] makes one; all its users share the pointer.
type Store struct {
	mu   sync.Mutex
	list *tokenkeep.List // a pointer: fmt prints its address where somebody prints a Store inside other values
	last uint64          // the highest ID that was counted up
	used map[string]bool // decimal IDs beyond last that somebody gave to a token
}

var (
	_ tokenkeep.Store   = (*Store)(nil)
	_ tokenkeep.Updater = (*Store)(nil)
)

// New returns an empty store.
func New() *Store {
	s := &Store{list: &tokenkeep.List{}, used: map[string]bool{}}
	s.list.NewID = s.newID
	return s
}

// newID counts up, past the IDs that are or were in use.
func (s *Store) newID() string {
	for {
		s.last++
		id := strconv.FormatUint(s.last, 10)
		if !s.used[id] {
			return id
		}
		delete(s.used, id)
	}
}

// FindToken returns the token that query means, by the rules of [tokenkeep.Store].
func (s *Store) FindToken(ctx context.Context, query tokenkeep.Token) (tokenkeep.Token, error) {
	return s.do(ctx, "find token", query.ID, func() (tokenkeep.Token, error) { return s.list.Find(query) })
}

// FindTokenByID returns the token with this ID, or [tokenkeep.ErrNotFound].
func (s *Store) FindTokenByID(ctx context.Context, id string) (tokenkeep.Token, error) {
	return s.do(ctx, "find token", id, func() (tokenkeep.Token, error) { return s.list.FindByID(id) })
}

// SaveToken stores token by the rules of [tokenkeep.Store] and returns it as stored, with its ID. After an error
// nothing has changed.
func (s *Store) SaveToken(ctx context.Context, token tokenkeep.Token) (tokenkeep.Token, error) {
	return s.do(ctx, "save token", token.ID, func() (tokenkeep.Token, error) {
		saved, err := s.list.Save(token)
		if err == nil {
			s.noteGiven(token.ID)
		}
		return saved, err
	})
}

// SaveTokens saves many tokens by SaveToken, one after the other in their order. It returns them as stored, in the same order,
// and the joined errors of those that could not be saved, whose places are left zero.
func (s *Store) SaveTokens(ctx context.Context, tokens []tokenkeep.Token) ([]tokenkeep.Token, error) {
	saved, errs := make([]tokenkeep.Token, len(tokens)), make([]error, len(tokens))
	for i, token := range tokens {
		saved[i], errs[i] = s.SaveToken(ctx, token)
	}
	return saved, errors.Join(errs...)
}

// noteGiven remembers an ID that a caller chose, if counting up would come to it later.
func (s *Store) noteGiven(id string) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err == nil && n > s.last && strconv.FormatUint(n, 10) == id {
		s.used[id] = true
	}
}

// UpdateToken replaces the token with this ID by what f makes of it. The store is locked while f runs, once: f must
// not call the store.
func (s *Store) UpdateToken(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	return s.do(ctx, "update token", id, func() (tokenkeep.Token, error) { return s.list.Update(id, f) })
}

// DeleteToken removes the token with this ID; that there is none is no error.
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	_, err := s.do(ctx, "delete token", id, func() (tokenkeep.Token, error) { return tokenkeep.Token{}, s.list.Delete(id) })
	return err
}

// GetTokens returns all tokens ordered by the bytes of their IDs, so "10" comes before "9".
func (s *Store) GetTokens(ctx context.Context) ([]tokenkeep.Token, error) {
	tokens := []tokenkeep.Token{}
	_, err := s.do(ctx, "get tokens", "", func() (tokenkeep.Token, error) {
		tokens = s.list.Tokens()
		return tokenkeep.Token{}, nil
	})
	return tokens, err
}

// DeleteTokens removes all tokens.
func (s *Store) DeleteTokens(ctx context.Context) error {
	_, err := s.do(ctx, "delete tokens", "", func() (tokenkeep.Token, error) {
		for _, token := range s.list.Tokens() {
			if err := s.list.Delete(token.ID); err != nil {
				return tokenkeep.Token{}, err
			}
		}
		return tokenkeep.Token{}, nil
	})
	return err
}

// do calls f with the store locked, unless ctx has ended, and adds to its error what was done to which token.
func (s *Store) do(ctx context.Context, op, id string, f func() (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := ctx.Err() // after the lock, for which the caller may have waited long
	if err == nil {
		var t tokenkeep.Token
		if t, err = f(); err == nil {
			return t, nil
		}
	}
	return tokenkeep.Token{}, &tokenkeep.Error{Op: op, ID: id, Err: err}
}

// Format prints how many tokens the store holds, and none of them, whatever the verb.
func (s *Store) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "memstore.Store{%d tokens}", s.size())
}

// LogValue returns how many tokens the store holds, and none of them.
func (s *Store) LogValue() slog.Value { return slog.GroupValue(slog.Int("tokens", s.size())) }

func (s *Store) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list.Tokens())
}
