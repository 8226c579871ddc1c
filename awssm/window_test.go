package awssm_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

func (b bench) remove(t *testing.T, name string) {
	t.Helper()
	if err := b.Delete(t.Context(), name); err != nil {
		t.Fatalf("Delete(%q) = %v; want success", name, err)
	}
}

func (b bench) absent(t *testing.T, name string) {
	t.Helper()
	_, err := b.Latest(t.Context(), name)
	wantError(t, err, driver.ErrNotFound)
	_, err = b.Get(t.Context(), name)
	wantError(t, err, driver.ErrNotFound)
	if many, err := b.GetMany(t.Context(), []string{name, "another"}); err != nil || len(many) != 0 {
		t.Errorf("GetMany of a deleted name found %d secrets, error %v; want none", len(many), err)
	}
}

func TestARestoreByHandBringsNoCredentialBack(t *testing.T) {
	b := newBench(t, awssm.Options{RecoveryWindow: 7})
	rev := b.put(t, "a", "credential", "")
	b.remove(t, "a")
	about, err := b.direct.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("crm/prod/a")})
	if err != nil || about.DeletedDate == nil || time.Until(*about.DeletedDate) < 6*24*time.Hour {
		t.Fatalf("after Delete the secret is %v, error %v; want it scheduled in 7 days", about, err)
	}
	b.restoreByHand(t, "a")
	b.holds(t, "a", awssm.Tombstone)
	b.absent(t, "a")
	_, err = b.Put(t.Context(), "a", []byte("intruder"), rev)
	wantError(t, err, driver.ErrConflict)
	b.absent(t, "a")
	b.put(t, "a", "new", "")
	b.holds(t, "a", "new")
	_, err = b.Put(t.Context(), "a", []byte("intruder"), rev)
	wantError(t, err, driver.ErrConflict)
	b.holds(t, "a", "new")
}

func (b bench) restoreByHand(t *testing.T, name string) {
	t.Helper()
	_, err := b.direct.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String(b.FullName(name))})
	if err != nil {
		t.Fatal(err)
	}
}

func (b bench) deleteByHand(t *testing.T, name string) {
	t.Helper()
	_, err := b.direct.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String(b.FullName(name)), RecoveryWindowInDays: aws.Int64(7)})
	if err != nil {
		t.Fatal(err)
	}
}

// Somebody took a credential away in the console: creating the name again must not show it to anybody.
func TestASecretDeletedByHandIsNotRestored(t *testing.T) {
	for _, window := range []int{0, 7} {
		b := newBench(t, awssm.Options{RecoveryWindow: window})
		b.clock()
		b.put(t, "a", "taken away", "")
		b.deleteByHand(t, "a")
		b.absent(t, "a")
		_, err := b.Put(t.Context(), "a", []byte("new"), "")
		wantError(t, err, driver.ErrNameHeld)
		if n := b.link.count("RestoreSecret"); n != 0 {
			t.Errorf("window %d: RestoreSecret was sent %d times; want never", window, n)
		}
		b.absent(t, "a")
		b.remove(t, "a")
	}
}

func TestADeleteThatDiedHalfwayLeavesNothingToRead(t *testing.T) {
	b := newBench(t, awssm.Options{RecoveryWindow: 7})
	b.put(t, "a", "credential", "")
	b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "DeleteSecret" {
			return nil, errLost
		}
		return send()
	}
	wantError(t, b.Delete(t.Context(), "a"), driver.ErrUnavailable)
	b.absent(t, "a")
	b.link.bend = nil
	b.remove(t, "a")
	b.absent(t, "a")
}

func TestCallsOfARecoveryWindow(t *testing.T) {
	b := newBench(t, awssm.Options{RecoveryWindow: 7})
	b.put(t, "a", "one", "")
	calls := func(what string, want int, do func()) {
		t.Helper()
		before := b.link.count("")
		do()
		if n := b.link.count("") - before; n != want {
			t.Errorf("%s took %d calls; want %d", what, n, want)
		}
	}
	calls("a delete", 3, func() { b.remove(t, "a") })
	calls("a delete of nothing", 1, func() { b.remove(t, "a") })
	calls("a create of a deleted name", 5, func() { b.put(t, "a", "two", "") })
	b.holds(t, "a", "two")
}

func TestDeletesAndCreatesThatMeet(t *testing.T) {
	b := newBench(t, awssm.Options{RecoveryWindow: 7})
	b.SetHeldFor(0)
	for range 20 {
		b.put(t, "a", "one", "")
		var done sync.WaitGroup
		for _, payload := range []string{"two", "three", "four"} {
			done.Go(func() { b.remove(t, "a") })
			done.Go(func() {
				_, err := b.Put(t.Context(), "a", []byte(payload), "")
				if err != nil && !errors.Is(err, driver.ErrConflict) && !errors.Is(err, driver.ErrNameHeld) {
					t.Errorf("Put beside deletes = %v; want success, ErrConflict or ErrNameHeld", err)
				}
			})
		}
		done.Wait()
		b.remove(t, "a")
		b.absent(t, "a")
		b.deleteForGood(t, "a")
	}
}

func (b bench) deleteForGood(t *testing.T, name string) {
	t.Helper()
	_, err := b.direct.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String(b.FullName(name)), ForceDeleteWithoutRecovery: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
}

// Nobody who read any version may write after a restore, wherever AWSCURRENT was when the secret was deleted.
func TestADeleteAfterAMoveByHandBlocksEveryOldRevision(t *testing.T) {
	b := newBench(t, awssm.Options{RecoveryWindow: 7})
	b.noPause()
	first := b.put(t, "a", "one", "")
	version := b.version(t, "a")
	second := b.put(t, "a", "two", first)
	b.moveCurrent(t, "a", version)
	b.remove(t, "a")
	b.restoreByHand(t, "a")
	b.holds(t, "a", awssm.Tombstone)
	for _, old := range []driver.Revision{first, second} {
		_, err := b.Put(t.Context(), "a", []byte("intruder"), old)
		wantError(t, err, driver.ErrConflict)
	}
	b.absent(t, "a")
	b.put(t, "a", "new", "")

	b.moveCurrent(t, "a", version) // the place after it is taken by a tombstone now
	b.remove(t, "a")
	b.restoreByHand(t, "a")
	b.absent(t, "a")
	b.put(t, "a", "newer", "")
	b.holds(t, "a", "newer")
}

func TestADeleteIsFasterThanAWriterInBetween(t *testing.T) {
	b := newBench(t, awssm.Options{RecoveryWindow: 7})
	rev := b.put(t, "a", "one", "")
	b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "PutSecretValue" && n == 1 {
			rev = b.put(t, "a", "two", rev)
		}
		return send()
	}
	b.remove(t, "a")
	b.absent(t, "a")
	_, err := b.Put(t.Context(), "a", []byte("three"), rev)
	wantError(t, err, driver.ErrConflict)
	b.restoreByHand(t, "a")
	b.absent(t, "a")
}

func TestALostRestoreIsMadeUpFor(t *testing.T) {
	for _, op := range []string{"DescribeSecret", "RestoreSecret", "PutSecretValue"} {
		b := newBench(t, awssm.Options{RecoveryWindow: 7})
		b.put(t, "a", "one", "")
		b.remove(t, "a")
		before := b.link.count(op)
		b.link.bend = func(got string, n int, send func() (*http.Response, error)) (*http.Response, error) {
			if got == op && n == before+1 {
				return lose(send)
			}
			return send()
		}
		b.put(t, "a", "two", "")
		b.holds(t, "a", "two")
	}
}

func TestARestoreThatIsDeniedNamesTheAction(t *testing.T) {
	for _, op := range []string{"DescribeSecret", "RestoreSecret"} {
		b := newBench(t, awssm.Options{RecoveryWindow: 7})
		b.put(t, "a", "one", "")
		b.remove(t, "a")
		b.link.bend = func(got string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
			if got == op {
				return refuse("AccessDeniedException", "no")
			}
			return send()
		}
		_, err := b.Put(t.Context(), "a", []byte("two"), "")
		e := wantError(t, err, driver.ErrPermission)
		if e.Op != op || !strings.Contains(err.Error(), "allow secretsmanager:"+op) {
			t.Errorf("%v; want the action %s", err, op)
		}
	}
}
