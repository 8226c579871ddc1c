package awssm_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// In production the client is made from config.LoadDefaultConfig.
func ExampleNewStore() {
	server, err := localstack.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client := secretsmanager.NewFromConfig(server.Config())

	store, err := awssm.NewStore(client, awssm.Options{
		Prefix: "crm/prod",
		Tags:   map[string]string{"team": "crm"},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	saved, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: "1000.secret"})
	if err != nil {
		log.Fatal(err)
	}
	found, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.ID == saved.ID, found.ClientID)
	// Output: true web
}
