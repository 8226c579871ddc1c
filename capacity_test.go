package tokenkeep_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// How many tokens one index secret takes before it is split, for the table in docs/operations.md:
//
//	go test -run '^TestCapacityOfAnIndexSecret$' -v .
func TestCapacityOfAnIndexSecret(t *testing.T) {
	user := func(i int) string { return fmt.Sprintf("first.last%d@example.com", i) }
	refresh := func(i int) string { return fmt.Sprintf("1000.%064x", i) }
	tests := []struct {
		name  string
		token func(i int) tokenkeep.Token
		least int // what the documentation promises
	}{
		{"a user, its client and a refresh token", func(i int) tokenkeep.Token {
			return tokenkeep.Token{UserName: user(i), ClientID: "1000.X", RefreshToken: refresh(i)}
		}, 480},
		{"the same with an API domain", func(i int) tokenkeep.Token {
			return tokenkeep.Token{UserName: user(i), ClientID: "1000.X", APIDomain: "https://www.zohoapis.eu", RefreshToken: refresh(i)}
		}, 420},
		{"a refresh token alone", func(i int) tokenkeep.Token {
			return tokenkeep.Token{RefreshToken: refresh(i)}
		}, 570},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			secrets := &memdriver.Secrets{}
			store := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
			fit := 0
			for ; !slices.Contains(secrets.Names(), "i_r0"); fit++ {
				if _, err := store.SaveToken(t.Context(), tt.token(fit)); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d tokens fit", fit-1)
			if fit-1 < tt.least {
				t.Errorf("%d tokens fit; want at least %d", fit-1, tt.least)
			}
			left, err := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}).GetTokens(t.Context())
			if err != nil || len(left) != fit {
				t.Errorf("GetTokens = %d tokens, error %v; want %d", len(left), err, fit)
			}
		})
	}
}

// One user's tokens lie in one index secret, which no split relieves.
func TestTokensOfOneUserAreRefusedWhereNoMoreFit(t *testing.T) {
	token := func(i int) tokenkeep.Token {
		return tokenkeep.Token{UserName: "ann", ClientID: fmt.Sprint("client", i), RefreshToken: fmt.Sprintf("1000.%064x", i)}
	}
	store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
	full := 0
	for ; ; full++ {
		_, err := store.SaveToken(t.Context(), token(full))
		if errors.Is(err, tokenkeep.ErrTooLarge) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if full < 480 {
		t.Errorf("%d tokens of one user fit; want at least 480", full)
	}
	checkFullStore(t, store, full, token)
	if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "bob", RefreshToken: "r"}); err != nil {
		t.Errorf("another user: %v", err)
	}
	checkFullStore(t, store, full, func(i int) tokenkeep.Token { return token(i + 1) })
}

// checkFullStore checks that all but a new token goes on working, also a login that brings a new refresh token.
func checkFullStore(t *testing.T, store *tokenkeep.SecretStore, full int, token func(int) tokenkeep.Token) {
	t.Helper()
	found, err := store.FindToken(t.Context(), token(0))
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.SaveToken(t.Context(), tokenkeep.Token{ID: found.ID, RefreshToken: "1000.new", AccessToken: "1000.access"})
	if err != nil {
		t.Errorf("a login into a full store: %v", err)
	}
	if err := store.DeleteToken(t.Context(), found.ID); err != nil {
		t.Error(err)
	}
	left, err := store.GetTokens(t.Context())
	if err != nil || len(left) != full-1 {
		t.Errorf("GetTokens = %d tokens, error %v; want %d", len(left), err, full-1)
	}
}

// How many versions of the index a burst of new tokens through one handle makes, for docs/operations.md:
//
//	go test -run '^TestIndexWritesOfABurst$' -v .
func TestIndexWritesOfABurst(t *testing.T) {
	const tokens, goroutines = 100, 10
	secrets := &memdriver.Secrets{Bounds: driver.Limits{WritesPerDay: 100}} // as on AWS: index writes wait for company
	store := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
	users := make(chan int)
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for i := range users {
				if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: fmt.Sprint("user", i), RefreshToken: fmt.Sprint("r", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range tokens {
		users <- i
	}
	close(users)
	group.Wait()
	writes := secrets.Calls()["Put"] - tokens
	t.Logf("%d new tokens from %d goroutines: %d index writes", tokens, goroutines, writes)
	if writes > tokens/2 {
		t.Errorf("%d index writes for %d new tokens; want at most %d", writes, tokens, tokens/2)
	}
}
