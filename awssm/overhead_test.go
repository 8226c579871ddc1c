package awssm_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// What a store adds to the calls that it makes. The two take turns, call by call, so that their ratio is of one machine at one
// time: of 1.04 the store's share is 4 %. On AWS, where a call takes milliseconds, it is a small part of that.
//
//	make bench
func BenchmarkOverhead(b *testing.B) {
	var hours atomic.Int64 // an hour for each look at the clock, so that no quota of versions is met
	server, err := localstack.Start(localstack.WithClock(func() time.Time { return time.Unix(3600*hours.Add(1), 0) }))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	client := secretsmanager.NewFromConfig(server.Config())
	store, err := awssm.NewStore(client, awssm.Options{Prefix: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	var tokens []tokenkeep.Token
	for i := range 100 {
		token := signUp(i)
		token.ID = fmt.Sprint(i)
		tokens = append(tokens, token)
	}
	if _, err := store.SaveTokens(b.Context(), tokens); err != nil {
		b.Fatal(err)
	}
	one := &secretsmanager.GetSecretValueInput{SecretId: aws.String("bench/t_p1")}
	saved, err := client.GetSecretValue(b.Context(), one)
	if err != nil {
		b.Fatal(err)
	}
	reads := func(ctx context.Context) error { _, err := client.GetSecretValue(ctx, one); return err }
	index := &secretsmanager.GetSecretValueInput{SecretId: aws.String("bench/i_r")}
	batches := make([]*secretsmanager.BatchGetSecretValueInput, 5)
	for i := range batches {
		batches[i] = &secretsmanager.BatchGetSecretValueInput{}
		for k := range 20 {
			batches[i].SecretIdList = append(batches[i].SecretIdList, fmt.Sprint("bench/t_p", 20*i+k))
		}
	}
	n := 0
	for _, bm := range []struct {
		name        string
		bare, store func(context.Context) error
	}{
		{"FindTokenByID", reads, func(ctx context.Context) error { _, err := store.FindTokenByID(ctx, "1"); return err }},
		{"FindTokenByUser", reads, func(ctx context.Context) error {
			_, err := store.FindToken(ctx, tokenkeep.Token{UserName: signUp(1).UserName})
			return err
		}},
		{"SaveToken", func(ctx context.Context) error {
			_, err := client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: saved.ARN, SecretString: saved.SecretString})
			return err
		}, func(ctx context.Context) error {
			n++
			_, err := store.SaveToken(ctx, tokenkeep.Token{ID: "2", AccessToken: fmt.Sprint(n)})
			return err
		}},
		{"All100", func(ctx context.Context) error {
			_, err := client.GetSecretValue(ctx, index)
			errs := make(chan error)
			for _, batch := range batches { // at once, as the store does
				go func() { _, err := client.BatchGetSecretValue(ctx, batch); errs <- err }()
			}
			for range batches {
				if e := <-errs; e != nil {
					err = e
				}
			}
			return err
		}, func(ctx context.Context) error { _, err := store.GetTokens(ctx); return err }},
	} {
		b.Run(bm.name, func(b *testing.B) { overhead(b, bm.bare, bm.store) })
	}
}

// overhead reports how much longer one takes than the other.
func overhead(b *testing.B, bare, store func(context.Context) error) {
	var took [2]time.Duration
	for b.Loop() {
		for i, do := range []func(context.Context) error{bare, store} {
			start := time.Now()
			if err := do(b.Context()); err != nil {
				b.Fatal(err)
			}
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(b.N), "bare-ns/op")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(b.N), "store-ns/op")
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
	b.ReportMetric(0, "ns/op")
}
