package awssm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

// noPause makes a driver wait without taking time, and counts how often.
func (b bench) noPause() *int {
	n := new(int)
	b.SetPause(func(ctx context.Context, _ time.Duration) error { *n++; return ctx.Err() })
	return n
}

func TestAWSCURRENTMovedBackByHandIsReported(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.noPause()
	rev := b.put(t, "a", "one", "")
	first := b.version(t, "a")
	b.put(t, "a", "two", rev)
	b.moveCurrent(t, "a", first)

	back, err := b.Latest(t.Context(), "a")
	if err != nil || string(back.Payload) != "one" {
		t.Fatalf("Latest = %q, %v; want the older payload", back.Payload, err)
	}
	_, err = b.Put(t.Context(), "a", []byte("three"), back.Revision)
	wantError(t, err, driver.ErrDamaged)
	for _, says := range []string{"by hand", first, awssm.Successor(first), "move AWSCURRENT to the newest version"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("error %q; want it to say %q", err, says)
		}
	}
	b.holds(t, "a", "one")

	b.moveCurrent(t, "a", awssm.Successor(first)) // as the error says
	forth, err := b.Latest(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	b.put(t, "a", "three", forth.Revision)
	b.holds(t, "a", "three")
}

// A read that is answered from before the other's write must not be taken for a move by hand.
func TestAConflictSeenThroughAStaleReadIsAConflict(t *testing.T) {
	b := newBench(t, awssm.Options{})
	rev := b.put(t, "a", "one", "")
	first := b.version(t, "a")
	b.put(t, "a", "two", rev)
	second := b.version(t, "a")
	b.moveCurrent(t, "a", first)
	waits := 0
	b.SetPause(func(context.Context, time.Duration) error {
		if waits++; waits == 2 {
			b.moveCurrent(t, "a", second)
		}
		return nil
	})
	_, err := b.Put(t.Context(), "a", []byte("three"), rev)
	wantError(t, err, driver.ErrConflict)
	if waits != 2 {
		t.Errorf("%d waits; want 2", waits)
	}
}

func TestAnOrdinaryConflictCostsOneRead(t *testing.T) {
	b := newBench(t, awssm.Options{})
	waits := b.noPause()
	rev := b.put(t, "a", "one", "")
	b.put(t, "a", "two", rev)
	before := b.link.count("")
	_, err := b.Put(t.Context(), "a", []byte("three"), rev)
	wantError(t, err, driver.ErrConflict)
	if n := b.link.count("") - before; n != 2 || *waits != 0 {
		t.Errorf("a conflict took %d calls and %d waits; want 2 and none", n, *waits)
	}
}

// version is the VersionId of the current version.
func (b bench) version(t *testing.T, name string) string {
	t.Helper()
	got, err := b.direct.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(b.FullName(name))})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(got.VersionId)
}

// moveCurrent does what an operator does in the console.
func (b bench) moveCurrent(t *testing.T, name, to string) {
	t.Helper()
	_, err := b.direct.UpdateSecretVersionStage(t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId:            aws.String(b.FullName(name)),
		VersionStage:        aws.String("AWSCURRENT"),
		MoveToVersionId:     aws.String(to),
		RemoveFromVersionId: aws.String(b.version(t, name)),
	})
	if err != nil {
		t.Fatal(err)
	}
}
