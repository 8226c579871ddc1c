package awssm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// budget is an operation and the calls that it makes: through a handle that has done nothing yet, and through one
// that has listed all tokens or done what warmUp says.
type budget struct {
	name       string
	o          awssm.Options
	stored     []tokenkeep.Token // what other handles have saved
	before     act               // what another handle has done since
	warmUp     act
	meanwhile  act // what another handle does after that
	do         act
	cold, warm string
}

// act is something that a program does with a store.
type act func(ctx context.Context, s *tokenkeep.SecretStore) error

// check counts the calls of an operation on a store of its own.
func (b budget) check(t *testing.T, warmUp act, want string) {
	t.Helper()
	if got := written(b.calls(t, newAccount(t, b.o), warmUp)); got != want {
		t.Errorf("calls: %s; want %s", got, want)
	}
}

// calls are those of the operation in an empty account, once the rest has happened.
func (b budget) calls(t *testing.T, a *account, warmUp act) map[string]int {
	t.Helper()
	a.save(b.stored...)
	handle := a.handle()
	for _, step := range []struct {
		do act
		by *tokenkeep.SecretStore
	}{{b.before, a.sound()}, {warmUp, handle}, {b.meanwhile, a.sound()}} {
		if step.do == nil {
			continue
		}
		if err := step.do(t.Context(), step.by); err != nil {
			t.Fatal(err)
		}
	}
	a.server.ResetCalls()
	if err := b.do(t.Context(), handle); err != nil {
		t.Errorf("%v", err)
	}
	return a.server.Calls()
}

// written writes numbers of calls as "BatchGet, 2 Put".
func written(calls map[string]int) string {
	short := strings.NewReplacer("SecretValue", "", "Secret", "")
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		part := short.Replace(name)
		if n := calls[name]; n > 1 {
			part = fmt.Sprintf("%d %s", n, part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func runBudgets(t *testing.T, budgets []budget) {
	t.Parallel()
	for _, b := range budgets {
		t.Run(b.name, func(t *testing.T) {
			warmUp := b.warmUp
			if warmUp == nil {
				warmUp = list
			}
			t.Run("cold", func(t *testing.T) { b.check(t, nil, b.cold) })
			t.Run("warm", func(t *testing.T) { b.check(t, warmUp, b.warm) })
		})
	}
}

func list(ctx context.Context, s *tokenkeep.SecretStore) error {
	_, err := s.GetTokens(ctx)
	return err
}

// finds is a look-up that finds the token with this ID, or of this user.
func finds(query tokenkeep.Token, id, user string) act {
	return func(ctx context.Context, s *tokenkeep.SecretStore) error {
		found, err := s.FindToken(ctx, query)
		if err != nil || id != "" && found.ID != id || found.UserName != user {
			return fmt.Errorf("FindToken(%v) = %v, error %w; want the token %q of %q", query, found, err, id, user)
		}
		return nil
	}
}

func misses(query tokenkeep.Token) act {
	return func(ctx context.Context, s *tokenkeep.SecretStore) error {
		if _, err := s.FindToken(ctx, query); !errors.Is(err, tokenkeep.ErrNotFound) {
			return fmt.Errorf("FindToken(%v): error %w; want %w", query, err, tokenkeep.ErrNotFound)
		}
		return nil
	}
}

func saves(token tokenkeep.Token) act {
	return func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.SaveToken(ctx, token)
		return err
	}
}

func deletes(id string) act {
	return func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteToken(ctx, id) }
}

// Tokens that the budgets are about. Ann's has an ID of its own, as an imported one has; the others have derived ones.
var (
	ann     = tokenkeep.Token{ID: "1", UserName: "ann", ClientID: "web", RefreshToken: "r-ann", AccessToken: "a-ann"}
	bob     = tokenkeep.Token{UserName: "bob", ClientID: "web", RefreshToken: "r-bob", AccessToken: "a-bob"}
	eu      = tokenkeep.Token{UserName: "eve", ClientID: "web", APIDomain: "https://www.zohoapis.eu", RefreshToken: "r-eve"}
	granted = tokenkeep.Token{UserName: "gus", ClientID: "web", GrantToken: "g-gus"}
	refresh = tokenkeep.Token{RefreshToken: "r-nobody"}
	grant   = tokenkeep.Token{GrantToken: "g-nobody"}
	some    = []tokenkeep.Token{ann, bob, eu, granted, refresh, grant}
)

// crowd returns n tokens.
func crowd(n int) []tokenkeep.Token {
	var tokens []tokenkeep.Token
	for i := range n {
		tokens = append(tokens, tokenkeep.Token{ID: fmt.Sprint(i), UserName: fmt.Sprint("user", i), AccessToken: fmt.Sprint("a", i)})
	}
	return tokens
}

func TestCallsOfLookUps(t *testing.T) {
	renames := saves(tokenkeep.Token{ID: "1", UserName: "anna"})
	always := awssm.Options{Store: tokenkeep.Options{IndexMaxAge: -1}}
	user := func(name string) tokenkeep.Token { return tokenkeep.Token{UserName: name} }
	runBudgets(t, []budget{
		{name: "by ID", stored: some, do: finds(tokenkeep.Token{ID: "1"}, "1", "ann"), cold: "Get", warm: "Get"},
		{name: "by an ID that is not there", stored: some, do: misses(tokenkeep.Token{ID: "2"}), cold: "Get", warm: "Get"},
		{name: "by user and client", stored: some, do: finds(tokenkeep.Token{UserName: "bob", ClientID: "web"}, "", "bob"), cold: "Get", warm: "Get"},
		{name: "by user, client and domain", stored: some, do: finds(tokenkeep.Token{UserName: "eve", ClientID: "web", APIDomain: eu.APIDomain}, "", "eve"), cold: "Get", warm: "Get"},
		{name: "by user and client, of a token with a domain", stored: some, do: finds(tokenkeep.Token{UserName: "eve", ClientID: "web"}, "", "eve"), cold: "3 Get", warm: "2 Get"},
		{name: "by user and client, of a token with an ID of its own", stored: some, do: finds(tokenkeep.Token{UserName: "ann", ClientID: "web"}, "1", "ann"), cold: "3 Get", warm: "2 Get"},
		{name: "by user and client, renamed", stored: some, before: renames, do: finds(tokenkeep.Token{UserName: "anna", ClientID: "web"}, "1", "anna"), cold: "3 Get", warm: "2 Get"},
		{name: "by user", stored: some, do: finds(user("ann"), "1", "ann"), cold: "2 Get", warm: "Get"},
		{name: "by user, reading the index each time", o: always, stored: some, do: finds(user("ann"), "1", "ann"), cold: "2 Get", warm: "2 Get"},
		{name: "by a user who is not there", stored: some, do: misses(user("zoe")), cold: "Get", warm: "Get"},
		{name: "by a user and client who are not there", stored: some, do: misses(tokenkeep.Token{UserName: "zoe", ClientID: "web"}), cold: "2 Get", warm: "2 Get"},
		{name: "by a former name", stored: some, before: renames, do: misses(user("ann")), cold: "2 Get", warm: "3 Get"},
		{name: "by refresh token, of a token without a user", stored: some, do: finds(refresh, "", ""), cold: "Get", warm: "Get"},
		{name: "by refresh token, of a user's", stored: some, do: finds(tokenkeep.Token{RefreshToken: "r-bob"}, "", "bob"), cold: "3 Get", warm: "2 Get"},
		{name: "by grant token, of a token without a user", stored: some, do: finds(grant, "", ""), cold: "Get", warm: "Get"},
		{name: "by grant token, of a user's", stored: some, do: finds(tokenkeep.Token{GrantToken: "g-gus"}, "", "gus"), cold: "3 Get", warm: "2 Get"},
		{name: "by a refresh token that is not there", stored: some, do: misses(tokenkeep.Token{RefreshToken: "r-zoe"}), cold: "2 Get", warm: "2 Get"},
		{name: "by access token, of 1", stored: crowd(1), do: finds(tokenkeep.Token{AccessToken: "a0"}, "0", "user0"), cold: "2 Get", warm: "Get"},
		{name: "by access token, of 45", stored: crowd(45), do: finds(tokenkeep.Token{AccessToken: "a7"}, "7", "user7"), cold: "3 BatchGet, Get", warm: "3 BatchGet"},
		{name: "by an access token that is not there, of 45", stored: crowd(45), do: misses(tokenkeep.Token{AccessToken: "a-zoe"}), cold: "3 BatchGet, Get", warm: "6 BatchGet, Get"},
	})
}

func TestCallsOfLists(t *testing.T) {
	lists := func(want int) act {
		return func(ctx context.Context, s *tokenkeep.SecretStore) error {
			tokens, err := s.GetTokens(ctx)
			if err != nil || len(tokens) != want {
				return fmt.Errorf("GetTokens: %d tokens, error %w; want %d", len(tokens), err, want)
			}
			return nil
		}
	}
	deletesSome := func(ctx context.Context, s *tokenkeep.SecretStore) error {
		for _, token := range crowd(6) {
			if err := s.DeleteToken(ctx, token.ID); err != nil {
				return err
			}
		}
		return nil
	}
	runBudgets(t, []budget{
		{name: "of nothing at all", do: lists(0), cold: "Get", warm: "Get"},
		{name: "of 1 token", stored: crowd(1), do: lists(1), cold: "2 Get", warm: "2 Get"},
		{name: "of 20 tokens", stored: crowd(20), do: lists(20), cold: "BatchGet, Get", warm: "BatchGet, Get"},
		{name: "of 45 tokens", stored: crowd(45), do: lists(45), cold: "3 BatchGet, Get", warm: "3 BatchGet, Get"},
		{name: "of 34 tokens and 6 that were deleted", stored: crowd(40), before: deletesSome, do: lists(34), cold: "2 BatchGet, Get", warm: "2 BatchGet, Get"},
		{name: "of 35 tokens and 6 that were deleted", stored: crowd(41), before: deletesSome, do: lists(35), cold: "3 BatchGet, Get", warm: "3 BatchGet, Get"},
	})
}

func TestCallsOfDeletes(t *testing.T) {
	window := awssm.Options{RecoveryWindow: 7}
	all := func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteTokens(ctx) }
	runBudgets(t, []budget{
		{name: "of a token", stored: some, do: deletes("1"), cold: "Delete", warm: "Delete"},
		{name: "of a token that is not there", stored: some, do: deletes("2"), cold: "Delete", warm: "Delete"},
		{name: "of a token, with a recovery window", o: window, stored: some, do: deletes("1"), cold: "Delete, Get, Put", warm: "Delete, Get, Put"},
		{name: "of a token that is not there, with a recovery window", o: window, stored: some, do: deletes("2"), cold: "Get", warm: "Get"},
		{name: "of all 5 tokens", stored: crowd(5), do: all, cold: "5 Delete, Get", warm: "5 Delete, Get"},
		{name: "of all 4 tokens, and a fifth that was deleted", stored: crowd(5), before: deletes("0"), do: all, cold: "5 Delete, Get", warm: "5 Delete, Get"},
		{name: "of all 5 tokens, with a recovery window", o: window, stored: crowd(5), do: all, cold: "5 Delete, 6 Get, 5 Put", warm: "5 Delete, 6 Get, 5 Put"},
	})
}
