package localstack_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// A test that enumerates faults asks what happens when the first request loses its reply, then the second, and so on until
// a run is over before the fault. Here the SDK repeats the request, and both secrets are there each time.
func ExampleServer_Inject() {
	ctx := context.Background()
	for n := 1; ; n++ {
		server, err := localstack.Start()
		if err != nil {
			log.Fatal(err)
		}
		client := secretsmanager.NewFromConfig(server.Config())
		injected := server.Inject(localstack.Fault{Request: n, Effect: localstack.CutAfter})
		for _, name := range []string{"a", "b"} {
			_, err := client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: aws.String("x")})
			if err != nil {
				log.Fatal(err)
			}
		}
		fmt.Printf("reply %d lost: %t, requests: %d\n", n, injected.Met(), server.Calls()["CreateSecret"])
		server.Close()
		if !injected.Met() {
			break
		}
	}

	// Output:
	// reply 1 lost: true, requests: 3
	// reply 2 lost: true, requests: 3
	// reply 3 lost: false, requests: 2
}

// A program that may only read must not need more.
func ExampleServer_SetPolicy() {
	ctx := context.Background()
	server, err := localstack.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.SetPolicy("reader", localstack.Statement{
		Actions:   []string{"secretsmanager:GetSecretValue"},
		Resources: []string{"arn:aws:secretsmanager:*:*:secret:crm/prod/*"},
	})

	admin := secretsmanager.NewFromConfig(server.Config())
	reader := secretsmanager.NewFromConfig(server.ConfigAs("reader"))
	_, err = admin.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("crm/prod/a"), SecretString: aws.String("x")})
	if err != nil {
		log.Fatal(err)
	}
	_, err = reader.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("crm/prod/a")})
	fmt.Println("read:", err)
	_, err = reader.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: aws.String("crm/prod/a")})
	var refused smithy.APIError
	if errors.As(err, &refused) {
		fmt.Println("delete:", refused.ErrorCode())
	}

	// Output:
	// read: <nil>
	// delete: AccessDeniedException
}
