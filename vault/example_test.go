package vault_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/vault"
)

func Example() {
	client, err := api.NewClient(nil) // VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE
	if err != nil {
		log.Fatal(err)
	}
	store, err := vault.NewStore(client, vault.Options{Prefix: "crm/prod"})
	if err != nil {
		log.Fatal(err)
	}
	token, err := store.FindToken(context.Background(), tokenkeep.Token{UserName: "user@example.com"})
	fmt.Println(token, err)
}

// A program with an AppRole logs in, renews its token while it can, and logs in again when it cannot.
func ExampleNewStore_appRole() {
	roleID, secretID := "…", "…"
	ctx := context.Background()
	client, err := api.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	store, err := vault.NewStore(client, vault.Options{Prefix: "crm/prod"})
	if err != nil {
		log.Fatal(err)
	}
	login := func() (*api.Secret, error) {
		secret, err := client.Logical().WriteWithContext(ctx, "auth/approle/login", map[string]any{"role_id": roleID, "secret_id": secretID})
		if err == nil {
			client.SetToken(secret.Auth.ClientToken) // the store has it from its next call on
		}
		return secret, err
	}
	go func() {
		for {
			secret, err := login()
			if err != nil {
				log.Print(err)
				time.Sleep(10 * time.Second)
				continue
			}
			watcher, err := client.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: secret})
			if err != nil {
				log.Fatal(err)
			}
			go watcher.Start()
			<-watcher.DoneCh() // its error may be nil: the token cannot be renewed any more
			watcher.Stop()
		}
	}()
	_ = store
}

// Whoever starts the program hands it a secret ID in a wrapping token, which can be opened once.
func ExampleNewStore_wrappedSecretID() {
	roleID, wrapped := "…", "hvs.…"
	client, err := api.NewClient(nil)
	if err != nil {
		log.Fatal(err)
	}
	secret, err := client.Logical().Unwrap(wrapped)
	if err != nil {
		log.Fatalf("the secret ID has been opened by somebody else, or has expired: %v", err)
	}
	in := map[string]any{"role_id": roleID, "secret_id": secret.Data["secret_id"]}
	token, err := client.Logical().Write("auth/approle/login", in)
	if err != nil {
		log.Fatal(err)
	}
	client.SetToken(token.Auth.ClientToken)
	store, err := vault.NewStore(client, vault.Options{Prefix: "crm/prod"})
	fmt.Println(store, err)
}

func ExamplePolicy() {
	policy, err := vault.Policy(vault.JobRefresh, vault.PolicyOptions{Prefix: "crm/prod"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(policy)
	// Output:
	// path "secret/data/crm/prod/t_*" { capabilities = ["read", "update"] }
	// path "secret/data/crm/prod/i_*" { capabilities = ["read"] }
	// path "secret/destroy/crm/prod/t_*" { capabilities = ["update"] }
}
