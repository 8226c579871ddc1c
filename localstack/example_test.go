package localstack_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// A program under test gets the client of the real SDK. Here two writers have read the same version, and each derives the
// ID of the next one from it: the second finds it taken.
func ExampleStart() {
	server, err := localstack.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client := secretsmanager.NewFromConfig(server.Config())
	ctx := context.Background()

	secret, err := client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name:         aws.String("app/counter"),
		SecretString: aws.String("1"),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, writer := range []string{"first", "second"} {
		_, err := client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId:           secret.ARN,
			SecretString:       aws.String("2, says the " + writer),
			ClientRequestToken: aws.String("after-" + aws.ToString(secret.VersionId)),
		})
		var taken *types.ResourceExistsException
		fmt.Printf("%s writer too late: %t\n", writer, errors.As(err, &taken))
	}

	current, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("app/counter")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(aws.ToString(current.SecretString))
	fmt.Println("writes:", server.Calls()["PutSecretValue"])

	// Output:
	// first writer too late: false
	// second writer too late: true
	// 2, says the first
	// writes: 2
}
