package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
)

func manyTokens(n int) []tokenkeep.Token {
	tokens := make([]tokenkeep.Token, n)
	for i := range tokens {
		tokens[i] = tokenkeep.Token{ID: fmt.Sprint(i + 1), UserName: fmt.Sprintf("user%d", i+1), RefreshToken: fmt.Sprintf("canary%d", i+1)}
	}
	return tokens
}

// picky is a store that does not take all tokens.
type picky struct {
	refuse func(tokenkeep.Token) error
	chunks []int
}

func (p *picky) SaveTokens(_ context.Context, tokens []tokenkeep.Token) ([]tokenkeep.Token, error) {
	p.chunks = append(p.chunks, len(tokens))
	saved := make([]tokenkeep.Token, len(tokens))
	var errs []error
	for i, t := range tokens {
		if err := p.refuse(t); err != nil {
			errs = append(errs, &tokenkeep.Error{Op: "save token", ID: t.ID, Err: err})
			continue
		}
		if saved[i] = t; t.ID == "" {
			saved[i].ID = "new " + t.UserName
		}
	}
	return saved, errors.Join(errs...)
}

func refuses(about error, ids ...string) func(tokenkeep.Token) error {
	return func(t tokenkeep.Token) error {
		for _, id := range ids {
			if id == t.ID || id == "all" {
				return about
			}
		}
		return nil
	}
}

func TestManyTokensAreSavedInFewChunks(t *testing.T) {
	for _, tt := range []struct {
		tokens int
		chunks string
	}{
		{1, "[1]"}, {100, "[100]"}, {250, "[100 100 50]"}, {1500, "[150 150 150 150 150 150 150 150 150 150]"},
		{3005, "[300 300 300 300 300 300 300 300 300 300 5]"},
	} {
		store := &picky{refuse: refuses(nil)}
		s := save(t.Context(), store, manyTokens(tt.tokens), room{}, nil)
		if got := fmt.Sprint(store.chunks); got != tt.chunks || len(s.saved) != tt.tokens || len(s.errs) != 0 {
			t.Errorf("%d of %d tokens were saved in chunks of %s, errors %v; want chunks of %s", len(s.saved), tt.tokens, got, s.errs, tt.chunks)
		}
	}
}

func TestATokenThatIsRefusedKeepsNoOtherOneBack(t *testing.T) {
	for _, about := range []error{tokenkeep.ErrInvalid, tokenkeep.ErrIncomplete, tokenkeep.ErrTooLarge, tokenkeep.ErrConflict,
		tokenkeep.ErrAmbiguous, tokenkeep.ErrForeign, tokenkeep.ErrDamaged} {
		store := &picky{refuse: refuses(about, "1", "3")}
		s := save(t.Context(), store, manyTokens(5), room{}, nil)
		if got := fmt.Sprint(s.saved, s.failed); got != "[2 4 5] [1 3]" || len(s.errs) != 2 || !errors.Is(s.errs[0], about) {
			t.Errorf("where two are refused for %v, saved and failed are %s with the errors %v; want [2 4 5] [1 3]", about, got, s.errs)
		}
		if about == tokenkeep.ErrTooLarge && !strings.Contains(s.errs[0].Error(), "--drop-fields") {
			t.Errorf("%v does not tell what helps", s.errs[0])
		}
	}
}

func TestACopyEndsWhereTheStoreTakesNothing(t *testing.T) {
	for _, about := range []error{tokenkeep.ErrUnavailable, tokenkeep.ErrPermission, context.Canceled, errors.New("disk full")} {
		second := &picky{refuse: func(t tokenkeep.Token) error {
			if len(t.ID) == 3 && t.ID != "100" {
				return about
			}
			return nil
		}}
		s := save(t.Context(), second, manyTokens(250), room{}, nil)
		if len(s.saved) != 100 || len(s.failed) != 150 || len(second.chunks) != 2 {
			t.Errorf("after %v of the second chunk, %d are saved and %d failed in chunks of %v; want 100 and 150 in 2", about, len(s.saved),
				len(s.failed), second.chunks)
		}
		if last := s.errs[len(s.errs)-1]; !strings.Contains(last.Error(), "50 tokens not tried after that; run the copy again") {
			t.Errorf("the last error is %v; want what to do about the rest", last)
		}
		many := &picky{refuse: refuses(about, "all")}
		if s := save(t.Context(), many, manyTokens(250), room{}, nil); len(many.chunks) != 1 || len(s.failed) != 250 {
			t.Errorf("after %v in all of a chunk, %d failed in %d chunks; want 250 in 1", about, len(s.failed), len(many.chunks))
		}
		some := &picky{refuse: refuses(about, "7")}
		if s := save(t.Context(), some, manyTokens(250), room{}, nil); len(some.chunks) != 3 || len(s.failed) != 1 {
			t.Errorf("after %v of one token of a chunk, %d failed in %d chunks; want 1 in 3", about, len(s.failed), len(some.chunks))
		}
	}
}

func TestATokenThatIsStoredOtherwiseIsTold(t *testing.T) {
	store := memstore.New()
	if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: "1", UserName: "user1", RefreshToken: "r", Scopes: []string{"crm"}}); err != nil {
		t.Fatal(err)
	}
	s := save(t.Context(), store, manyTokens(2), room{}, nil)
	if got, want := fmt.Sprint(s.changed), `[token "1": scopes]`; got != want {
		t.Errorf("told %s of a token that somebody else saved meanwhile; want %s", got, want)
	}
}

func TestATokenThatIsSentWithoutItsIDIsToldByIt(t *testing.T) {
	store := &picky{refuse: func(t tokenkeep.Token) error {
		if t.UserName == "user2" {
			return tokenkeep.ErrConflict
		}
		return nil
	}}
	s := save(t.Context(), store, manyTokens(3), room{drop: []string{"id"}}, nil)
	if got := fmt.Sprint(s.saved, s.failed, s.changed); got != "[1 3] [2] []" || len(s.errs) != 1 || !strings.HasPrefix(s.errs[0].Error(), `token "2": `) {
		t.Errorf("saved, failed and changed are %s with the errors %v; want [1 3] [2] [] and one about token 2", got, s.errs)
	}
}

func TestOfManyErrorsAFewAreTold(t *testing.T) {
	store := &picky{refuse: refuses(tokenkeep.ErrInvalid, "all")}
	s := save(t.Context(), store, manyTokens(50), room{}, nil)
	err := atMost(maxErrors, s.errs)
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 21 || lines[20] != "and 30 more errors" {
		t.Errorf("told in %d lines, at last %q; want 21, and how many are left out", len(lines), lines[len(lines)-1])
	}
	rest := atMost(1, []error{tokenkeep.ErrInvalid, tokenkeep.ErrConflict})
	if !errors.Is(rest, tokenkeep.ErrConflict) {
		t.Error("an error that is not told does not count; want it to decide the exit status")
	}
	if err := atMost(20, s.errs[:20]); strings.Contains(err.Error(), "more") {
		t.Errorf("%v leaves one out; want all of 20", err)
	}
}
