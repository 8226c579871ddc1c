package awssm_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// What a store adds to the call that it makes. The two take turns, so that their ratio is of one machine at one time:
//
//	go test -run '^$' -bench Overhead ./awssm
func BenchmarkOverheadOfFindTokenByID(b *testing.B) {
	server, err := localstack.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	client := secretsmanager.NewFromConfig(server.Config())
	store, err := awssm.NewStore(client, awssm.Options{Prefix: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	token := tokenkeep.Token{ID: "1", UserName: "ann@example.com", ClientID: "c", RefreshToken: "r", AccessToken: "a"}
	if _, err := store.SaveToken(ctx, token); err != nil {
		b.Fatal(err)
	}
	bare := &secretsmanager.GetSecretValueInput{SecretId: aws.String("bench/t_p1")}
	b.Run("GetSecretValue", func(b *testing.B) {
		for b.Loop() {
			if _, err := client.GetSecretValue(ctx, bare); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("FindTokenByID", func(b *testing.B) {
		for b.Loop() {
			if _, err := store.FindTokenByID(ctx, "1"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
