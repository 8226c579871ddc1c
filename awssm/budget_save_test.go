package awssm_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

func TestCallsOfUpdates(t *testing.T) {
	updates := func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.UpdateToken(ctx, "1", func(t tokenkeep.Token) (tokenkeep.Token, error) {
			t.AccessToken = "a2"
			return t, nil
		})
		return err
	}
	bobs := func(change tokenkeep.Token) act {
		change.UserName, change.ClientID = "bob", "web"
		return saves(change)
	}
	always := awssm.Options{Store: tokenkeep.Options{IndexMaxAge: -1}}
	runBudgets(t, []budget{
		{name: "by ID", stored: some, do: saves(tokenkeep.Token{ID: "1", AccessToken: "a2"}), cold: "Get, Put", warm: "Put"},
		{name: "by ID, with UpdateToken", stored: some, do: updates, cold: "Get, Put", warm: "Put"},
		{name: "by user and client", stored: some, do: bobs(tokenkeep.Token{AccessToken: "a2"}), cold: "BatchGet, Put", warm: "Put"},
		{name: "by user and client, after a look-up by them", stored: some, warmUp: finds(tokenkeep.Token{UserName: "bob", ClientID: "web"}, "", "bob"), do: bobs(tokenkeep.Token{AccessToken: "a2"}), cold: "BatchGet, Put", warm: "Put"},
		{name: "by user and client, of a token with an ID of its own", stored: some, do: saves(tokenkeep.Token{UserName: "ann", ClientID: "web", AccessToken: "a2"}), cold: "BatchGet, Get, Put", warm: "Put"},
		{name: "by user alone", stored: some, do: saves(tokenkeep.Token{UserName: "ann", AccessToken: "a2"}), cold: "2 Get, Put", warm: "Put"},
		{name: "by user alone, reading the index each time", o: always, stored: some, do: saves(tokenkeep.Token{UserName: "ann", AccessToken: "a2"}), cold: "2 Get, Put", warm: "Get, Put"},
		{name: "by refresh token, of a token without a user", stored: some, do: saves(tokenkeep.Token{RefreshToken: "r-nobody", RedirectURL: "u"}), cold: "BatchGet, Put", warm: "Put"},
		{name: "by refresh token, of a user's", stored: some, do: saves(tokenkeep.Token{RefreshToken: "r-bob", RedirectURL: "u"}), cold: "BatchGet, Get, Put", warm: "Put"},
		{name: "by access token, of 6", stored: some, do: saves(tokenkeep.Token{AccessToken: "a-bob", RedirectURL: "u"}), cold: "BatchGet, Get, Put", warm: "BatchGet, Put"},
		{name: "that changes nothing", stored: some, do: bobs(bob), cold: "BatchGet", warm: "Get"},
		{name: "of a token that another handle has changed", stored: some, meanwhile: bobs(tokenkeep.Token{AccessToken: "a3"}), do: bobs(tokenkeep.Token{AccessToken: "a2"}), cold: "BatchGet, Put", warm: "BatchGet, Get, 2 Put"},
		{name: "of a token that another handle has deleted", stored: some, meanwhile: deletes("1"), do: saves(tokenkeep.Token{ID: "1", UserName: "ann", AccessToken: "a2"}), cold: "Create, 2 Get, Put", warm: "Create, 2 Get, 2 Put"},
		{name: "with a new refresh token", stored: some, do: bobs(tokenkeep.Token{RefreshToken: "r2"}), cold: "BatchGet, 2 Put", warm: "2 Put"},
		{name: "with a new refresh token, by ID", stored: some, do: saves(tokenkeep.Token{ID: "1", RefreshToken: "r2"}), cold: "2 Get, 2 Put", warm: "2 Put"},
		{name: "that renames", stored: some, do: saves(tokenkeep.Token{ID: "1", UserName: "anna"}), cold: "2 Get, 2 Put", warm: "2 Put"},
		{name: "that gives a user to a token without one", stored: some, do: saves(tokenkeep.Token{UserName: "ned", RefreshToken: "r-nobody"}), cold: "2 Get, 2 Put", warm: "2 Put"},
	})
}

func TestCallsOfFirstSaves(t *testing.T) {
	zoe := tokenkeep.Token{UserName: "zoe", ClientID: "web", RefreshToken: "r-zoe"}
	runBudgets(t, []budget{
		{name: "of the first token of all", do: saves(zoe), cold: "BatchGet, 2 Create", warm: "2 Create"},
		{name: "with user and client", stored: some, do: saves(zoe), cold: "BatchGet, Create, Put", warm: "Create, Put"},
		{name: "with an ID", stored: some, do: saves(tokenkeep.Token{ID: "26", UserName: "zoe", RefreshToken: "r"}), cold: "Create, 2 Get, Put", warm: "Create, Get, Put"},
		{name: "with a user alone", stored: some, do: saves(tokenkeep.Token{UserName: "zoe", RefreshToken: "r"}), cold: "Create, Get, Put", warm: "Create, Put"},
		{name: "with a refresh token alone", stored: some, do: saves(tokenkeep.Token{RefreshToken: "r"}), cold: "BatchGet, Create, Put", warm: "Create, Put"},
		{name: "with an access token alone, beside 45", stored: crowd(45), do: saves(tokenkeep.Token{AccessToken: "a"}), cold: "3 BatchGet, Create, Get, Put", warm: "3 BatchGet, Create, Put"},
		{name: "of a user who was deleted", stored: append(some, tokenkeep.Token{ID: "26", UserName: "zoe", RefreshToken: "r"}), before: deletes("26"), do: saves(zoe), cold: "BatchGet, Create, Get, Put", warm: "Create, Get, Put"},
	})
}

// The denied call itself is counted too: once for a handle.
func TestCallsOfAFirstSaveWhereBatchesAreDenied(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	a.save(some...)
	a.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "BatchGetSecretValue" {
			return refuse("AccessDeniedException", "no")
		}
		return send()
	}
	handle := a.handle()
	for _, tt := range []struct{ user, want string }{
		{"zoe", "BatchGet, Create, 2 Get, Put"},
		{"zed", "Create, Put"},
	} {
		a.link.calls = nil
		if err := saves(tokenkeep.Token{UserName: tt.user, ClientID: "web", RefreshToken: "r-" + tt.user})(t.Context(), handle); err != nil {
			t.Fatal(err)
		}
		if got := written(a.link.calls); got != tt.want {
			t.Errorf("calls of the save of %s: %s; want %s", tt.user, got, tt.want)
		}
	}
}
