package gcpsm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"google.golang.org/api/option"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/gcpsm"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// A Cloud Run service keeps its tokens beside itself, under the service account that it runs as. The client is made once,
// when an instance starts.
func ExampleNewStore_cloudRun() {
	ctx := context.Background()
	region := os.Getenv("REGION") // set with gcloud run deploy --set-env-vars
	client, err := secretmanager.NewClient(ctx, option.WithEndpoint("secretmanager."+region+".rep.googleapis.com:443"))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	parent := "projects/" + os.Getenv("PROJECT") + "/locations/" + region
	store, err := gcpsm.NewStore(client, parent, gcpsm.Options{Prefix: "crm-prod"})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Check(ctx); err != nil { // a role that is missing shows when the service starts
		log.Fatal(err)
	}
}

// Tests need no project.
func ExampleNewStore() {
	server, err := gcpsmtest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()
	client, err := server.Client(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	store, err := gcpsm.NewStore(client, "projects/demo/locations/europe-west1", gcpsm.Options{Prefix: "crm-test"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: "r-1"}); err != nil {
		log.Fatal(err)
	}
	token, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.UserName, token.RefreshToken)
	// Output: ann r-1
}

// Each role is for gcloud iam roles create --file, and its condition for the binding of the role on the project.
func ExamplePolicy() {
	roles, err := gcpsm.Policy(gcpsm.JobRead, gcpsm.PolicyOptions{Prefix: "crm-prod", Parent: "projects/123456789012"})
	if err != nil {
		log.Fatal(err)
	}
	for _, role := range roles {
		permissions, err := json.Marshal(role.Permissions)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n%s\n", role.Title, permissions, role.Condition)
	}
	// Output:
	// TokensAndIndex: ["secretmanager.secrets.get","secretmanager.versions.access"]
	// resource.name.startsWith("projects/123456789012/secrets/crm-prod-t_") || resource.name.startsWith("projects/123456789012/secrets/crm-prod-i_")
}
