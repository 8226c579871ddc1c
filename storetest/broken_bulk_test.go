package storetest_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/tokenkeep/tokenkeep/memstore"
)

type savesBackwards struct{ *memstore.Store }

func (s savesBackwards) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	tokens = slices.Clone(tokens)
	slices.Reverse(tokens)
	saved, err := s.Store.SaveTokens(ctx, tokens)
	slices.Reverse(saved)
	return saved, err
}

type returnsBackwards struct{ *memstore.Store }

func (s returnsBackwards) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	saved, err := s.Store.SaveTokens(ctx, tokens)
	slices.Reverse(saved)
	return saved, err
}

type savesUntilRefused struct{ *memstore.Store }

func (s savesUntilRefused) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	saved := make([]token, len(tokens))
	for i := range tokens {
		one, err := s.Store.SaveTokens(ctx, tokens[i:i+1])
		if err != nil {
			return saved, err
		}
		saved[i] = one[0]
	}
	return saved, nil
}

type returnsRefused struct{ *memstore.Store }

func (s returnsRefused) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	saved, err := s.Store.SaveTokens(ctx, tokens)
	for i := range saved {
		if saved[i].ID == "" {
			saved[i] = tokens[i]
		}
	}
	return saved, err
}

type tellsOneError struct{ *memstore.Store }

func (s tellsOneError) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	saved, err := s.Store.SaveTokens(ctx, tokens)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		err = joined.Unwrap()[0]
	}
	return saved, err
}

type savesManyAnyway struct{ *memstore.Store }

func (s savesManyAnyway) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	return s.Store.SaveTokens(context.WithoutCancel(ctx), tokens)
}

type changesMany struct{ *memstore.Store }

func (s changesMany) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	saved, err := s.Store.SaveTokens(ctx, tokens)
	for i := range tokens {
		tokens[i].ID = saved[i].ID
	}
	return saved, err
}

type quotesMany struct{ *memstore.Store }

func (s quotesMany) SaveTokens(ctx context.Context, tokens []token) ([]token, error) {
	saved, err := s.Store.SaveTokens(ctx, tokens)
	if err != nil {
		err = fmt.Errorf("save %q: %w", tokens[0].RefreshToken, err)
	}
	return saved, err
}
