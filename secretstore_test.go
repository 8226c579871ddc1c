package tokenkeep_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/storetest"
)

func TestManyFirstSavesThroughSeveralHandles(t *testing.T) {
	ctx := t.Context()
	secrets := &memdriver.Secrets{}
	const users, handles, goroutines = 400, 4, 32
	stores := handlesOf(secrets, handles)
	work := make(chan int)
	var group sync.WaitGroup
	for g := range goroutines {
		store := stores[g%handles]
		group.Go(func() {
			for i := range work {
				if _, err := store.SaveToken(ctx, tokenkeep.Token{UserName: fmt.Sprint("user", i), ClientID: "c", RefreshToken: fmt.Sprint("r", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range users {
		work <- i
	}
	close(work)
	group.Wait()
	got, err := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}).GetTokens(ctx)
	if err != nil || len(got) != users {
		t.Errorf("GetTokens = %d tokens, error %v; want %d", len(got), err, users)
	}
	t.Log(secrets.Calls())
}

func TestFirstSavesOfOneUser(t *testing.T) {
	ctx := context.Background()
	secrets := &memdriver.Secrets{}
	var group sync.WaitGroup
	for g, store := range handlesOf(secrets, 32) {
		group.Go(func() {
			if _, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann", AccessToken: fmt.Sprint("a", g)}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got, err := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}).GetTokens(ctx)
	if err != nil || len(got) != 1 {
		t.Errorf("GetTokens = %d tokens, error %v; want %d", len(got), err, 1)
	}
	t.Log(secrets.Calls())
}

func handlesOf(secrets *memdriver.Secrets, n int) []*tokenkeep.SecretStore {
	stores := make([]*tokenkeep.SecretStore, n)
	for i := range stores {
		stores[i] = tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
	}
	return stores
}

func TestStoreOnMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
		secrets := &memdriver.Secrets{}
		return func() tokenkeep.Store { return tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}) }
	}, storetest.Limits{})
}
