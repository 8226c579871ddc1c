package awssm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/localstack"
)

func secretsOf(t *testing.T, client awssm.Client, o awssm.Options) driver.Secrets {
	t.Helper()
	o.Prefix = freshPrefix()
	store, err := awssm.NewStore(client, o)
	if err != nil {
		t.Fatal(err)
	}
	return store.Secrets()
}

func TestTheTimeIsThatOfAnyReply(t *testing.T) {
	server := startServer(t)
	server.SetPolicy("nobody")
	for _, who := range []string{"somebody", "nobody"} {
		client := secretsmanager.NewFromConfig(ownConnections(t, server.ConfigAs(who)))
		before := time.Now().Truncate(time.Second)
		at, err := secretsOf(t, client, awssm.Options{}).(driver.Clock).Time(t.Context())
		if err != nil || at.Before(before) || at.After(time.Now()) {
			t.Errorf("for %s it is %v, %v; want the time", who, at, err)
		}
	}
	if calls := server.Calls(); calls["GetSecretValue"] != 2 || len(calls) != 1 {
		t.Errorf("%v; want GetSecretValue twice", calls)
	}
}

// undated is a client that leaves out the options of calls.
type undated struct{ awssm.Client }

func (u undated) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	return u.Client.GetSecretValue(ctx, in)
}

func TestAReplyWithoutADateTellsNoTime(t *testing.T) {
	client := secretsmanager.NewFromConfig(ownConnections(t, startServer(t).Config()))
	if at, err := secretsOf(t, undated{client}, awssm.Options{}).(driver.Clock).Time(t.Context()); err == nil {
		t.Errorf("it is %v; want an error", at)
	}
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	client = secretsmanager.NewFromConfig(ownConnections(t, server.Config()))
	if at, err := secretsOf(t, client, awssm.Options{}).(driver.Clock).Time(t.Context()); !errors.Is(err, tokenkeep.ErrUnavailable) {
		t.Errorf("it is %v, error %v; want ErrUnavailable", at, err)
	}
}

func TestForgetEndsTheRecoveryWindow(t *testing.T) {
	server := startServer(t)
	client := secretsmanager.NewFromConfig(ownConnections(t, server.Config()))
	d := secretsOf(t, client, awssm.Options{RecoveryWindow: 7})
	if _, err := d.Put(t.Context(), "t_x0", []byte("one"), ""); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), "t_x0"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what is not there is forgotten too
		if err := d.(driver.Forgetter).Forget(t.Context(), "t_x0"); err != nil {
			t.Fatal(err)
		}
	}
	full := d.(driver.Namer).FullName("t_x0")
	if _, err := client.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &full}); err == nil {
		t.Error("the secret is still there")
	}
	server.ResetCalls()
	plain := secretsOf(t, client, awssm.Options{})
	if err := plain.(driver.Forgetter).Forget(t.Context(), "t_x0"); err != nil || len(server.Calls()) > 0 {
		t.Errorf("%v, %v; want no call without a window", err, server.Calls())
	}
	if err := plain.(driver.Forgetter).Forget(t.Context(), "../x"); !errors.Is(err, tokenkeep.ErrInvalid) {
		t.Errorf("error %v; want ErrInvalid", err)
	}
}
