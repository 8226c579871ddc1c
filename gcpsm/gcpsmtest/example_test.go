package gcpsmtest_test

import (
	"context"
	"fmt"
	"log"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// A program under test gets the real client. Here two writers have read the same etag, and each adds a version and moves
// the alias "current" to it: the second one is too late, and its version is not read.
func ExampleStart() {
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

	const name = "projects/demo/locations/europe-west1/secrets/counter"
	secret, err := client.CreateSecret(ctx, &secretmanagerpb.CreateSecretRequest{
		Parent: "projects/demo/locations/europe-west1", SecretId: "counter", Secret: &secretmanagerpb.Secret{},
	})
	if err != nil {
		log.Fatal(err)
	}
	for number, writer := range []string{"first", "second"} {
		if _, err := client.AddSecretVersion(ctx, &secretmanagerpb.AddSecretVersionRequest{
			Parent: name, Payload: &secretmanagerpb.SecretPayload{Data: []byte("1, says the " + writer)},
		}); err != nil {
			log.Fatal(err)
		}
		_, err := client.UpdateSecret(ctx, &secretmanagerpb.UpdateSecretRequest{
			Secret: &secretmanagerpb.Secret{
				Name: name, Etag: secret.Etag, VersionAliases: map[string]int64{"current": int64(number + 1)},
			},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"version_aliases"}},
		})
		fmt.Printf("%s writer: %s\n", writer, status.Code(err))
	}

	current, err := client.AccessSecretVersion(ctx, &secretmanagerpb.AccessSecretVersionRequest{Name: name + "/versions/current"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", current.Payload.Data)
	fmt.Println("versions to pay for:", server.LiveVersions(name))

	// Output:
	// first writer: OK
	// second writer: FailedPrecondition
	// 1, says the first
	// versions to pay for: [1 2]
}
