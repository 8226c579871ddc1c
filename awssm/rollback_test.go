package awssm_test

import (
	"context"
	"errors"
	"fmt"
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

// noPause makes a driver wait without taking time, and counts how often.
func (b bench) noPause() *int {
	n := new(int)
	b.SetPause(func(ctx context.Context, _ time.Duration) error { *n++; return ctx.Err() })
	return n
}

// servers are those on which going back by hand is tried.
var servers = map[string]func(*testing.T) aws.Config{"localstack": localstackConfig, "moto": motoConfig}

// onServers runs a check on a fresh prefix of each server.
func onServers(t *testing.T, o awssm.Options, check func(t *testing.T, b bench)) {
	for name, config := range servers {
		t.Run(name, func(t *testing.T) {
			cfg, l, o := ownConnections(t, config(t)), &link{}, o
			o.Prefix = freshPrefix()
			b := bench{Driver: newDriver(t, linked(cfg, l), o), link: l, direct: secretsmanager.NewFromConfig(cfg)}
			b.noPause()
			check(t, b)
		})
	}
}

// latest reads a secret and checks what it holds.
func (b bench) latest(t *testing.T, name, payload string) driver.Revision {
	t.Helper()
	got, err := b.Latest(t.Context(), name)
	if err != nil || string(got.Payload) != payload {
		t.Fatalf("Latest(%q) = %q, error %v; want %q", name, got.Payload, err, payload)
	}
	return got.Revision
}

// conflicts checks that a put conflicts.
func (b bench) conflicts(t *testing.T, name string, rev driver.Revision) {
	t.Helper()
	_, err := b.Put(t.Context(), name, []byte("intruder"), rev)
	wantError(t, err, driver.ErrConflict)
}

func TestAPutGoesOnAfterAMoveByHandAndEveryOldRevisionConflicts(t *testing.T) {
	for back := 1; back <= 3; back++ {
		t.Run(fmt.Sprint("back by ", back), func(t *testing.T) {
			onServers(t, awssm.Options{}, func(t *testing.T, b bench) {
				old := []driver.Revision{b.put(t, "a", "0", "")}
				versions := []string{b.version(t, "a")}
				for i := 1; i <= 3; i++ {
					old = append(old, b.put(t, "a", fmt.Sprint(i), old[i-1]))
					versions = append(versions, b.version(t, "a"))
				}
				b.moveCurrent(t, "a", versions[3-back])
				rev := b.latest(t, "a", fmt.Sprint(3-back))
				before := b.link.count("")
				next := b.put(t, "a", "recovered", rev)
				if n, most := b.link.count("")-before, 8+back; n != most {
					t.Errorf("the put took %d calls; want %d", n, most)
				}
				b.latest(t, "a", "recovered")
				for _, stale := range old {
					b.conflicts(t, "a", stale)
				}
				if many, err := b.GetMany(t.Context(), []string{"a", "b"}); err != nil || string(many["a"].Payload) != "recovered" {
					t.Errorf("GetMany = %q, error %v; want the new payload", many["a"].Payload, err)
				}
				b.put(t, "a", "after", next)
				b.latest(t, "a", "after")
				for _, stale := range append(old, next) {
					b.conflicts(t, "a", stale)
				}
				b.latest(t, "a", "after")
			})
		})
	}
}

func TestOneOf16RecoversAfterAMoveByHand(t *testing.T) {
	for _, twoStep := range []bool{false, true} {
		t.Run(fmt.Sprintf("TwoStep %v", twoStep), func(t *testing.T) {
			onServers(t, awssm.Options{TwoStep: twoStep}, func(t *testing.T, b bench) {
				b.SetPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }) // of many at once
				rev := b.put(t, "a", "first", "")
				for round := range 5 {
					older := b.version(t, "a")
					tip := b.put(t, "a", fmt.Sprint("newer", round), rev)
					b.moveCurrent(t, "a", older)
					got, err := b.Latest(t.Context(), "a")
					if err != nil {
						t.Fatal(err)
					}
					winner := make(chan string, 16)
					var group sync.WaitGroup
					for i := range 16 {
						payload := fmt.Sprint("round ", round, " writer ", i)
						group.Go(func() {
							_, err := b.Put(t.Context(), "a", []byte(payload), got.Revision)
							switch {
							case err == nil:
								winner <- payload
							case !errors.Is(err, driver.ErrConflict):
								t.Errorf("writer %d: %v; want success or ErrConflict", i, err)
							}
						})
					}
					group.Wait()
					if len(winner) != 1 {
						t.Fatalf("%d of 16 puts succeeded; want 1", len(winner))
					}
					rev = b.latest(t, "a", <-winner)
					b.conflicts(t, "a", tip)
				}
			})
		})
	}
}

// A fleet recovers over and over; a secret has 20 labels and about 100 versions.
func TestLabelsDoNotAddUpOver25Recoveries(t *testing.T) {
	onServers(t, awssm.Options{}, func(t *testing.T, b bench) {
		rev := b.put(t, "a", "first", "")
		for i := range 25 {
			older := b.version(t, "a")
			b.put(t, "a", fmt.Sprint("newer", i), rev)
			b.moveCurrent(t, "a", older)
			got, err := b.Latest(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			if i%3 == 2 { // this one dies between its steps
				b.link.bend = refusing("UpdateSecretVersionStage", "AccessDeniedException")
				_, err := b.Put(t.Context(), "a", []byte("dies"), got.Revision)
				wantError(t, err, driver.ErrPermission)
				b.link.bend = nil
			}
			rev = b.put(t, "a", fmt.Sprint("recovered", i), got.Revision)
		}
		labels := 0
		for _, on := range b.stages(t, "a") {
			labels += len(on)
		}
		if labels > 3 {
			t.Errorf("%d labels: %v; want AWSCURRENT, AWSPREVIOUS and one more", labels, b.stages(t, "a"))
		}
	})
}

// stages are the labels of the versions that have any.
func (b bench) stages(t *testing.T, name string) map[string][]string {
	t.Helper()
	about, err := b.direct.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(b.FullName(name))})
	if err != nil {
		t.Fatal(err)
	}
	return about.VersionIdsToStages
}

// refusing answers every request for an operation with an error.
func refusing(op, code string) func(string, int, func() (*http.Response, error)) (*http.Response, error) {
	return func(got string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		if got == op {
			return refuse(code, "no")
		}
		return send()
	}
}

// movedBack is a secret whose versions one and two exist, and one is current by hand.
func (b bench) movedBack(t *testing.T, name string) (rev, tip driver.Revision) {
	t.Helper()
	first := b.put(t, name, "one", "")
	version := b.version(t, name)
	tip = b.put(t, name, "two", first)
	b.moveCurrent(t, name, version)
	return b.latest(t, name, "one"), tip
}

func TestARecoveryThatIsRefusedSaysWhy(t *testing.T) {
	tests := []struct {
		op, code string
		want     error
		says     string
	}{
		{"UpdateSecretVersionStage", "AccessDeniedException", driver.ErrPermission, "allow secretsmanager:UpdateSecretVersionStage on"},
		{"UpdateSecretVersionStage", "LimitExceededException", driver.ErrQuota, "20 staging labels"},
		{"UpdateSecretVersionStage", "ThrottlingException", driver.ErrUnavailable, "throttled"},
		{"UpdateSecretVersionStage", "ResourceNotFoundException", driver.ErrConflict, "deleted"},
	}
	for _, tt := range tests {
		t.Run(tt.op+" "+tt.code, func(t *testing.T) {
			b := newBench(t, awssm.Options{})
			b.noPause()
			rev, _ := b.movedBack(t, "a")
			b.link.bend = refusing(tt.op, tt.code)
			_, err := b.Put(t.Context(), "a", []byte("three"), rev)
			if e := wantError(t, err, tt.want); e.Op != tt.op || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v; want %s, saying %q", err, tt.op, tt.says)
			}
			b.holds(t, "a", "one")
			b.link.bend = nil
			b.put(t, "a", "four", rev)
			b.holds(t, "a", "four")
		})
	}
	t.Run("the version quota", func(t *testing.T) {
		for _, spare := range []int{0, 1} { // versions that still fit
			b := newBench(t, awssm.Options{})
			b.noPause()
			rev, _ := b.movedBack(t, "a")
			left := spare
			b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
				response, err := send()
				if op != "PutSecretValue" || err != nil || response.StatusCode != http.StatusOK {
					return response, err
				}
				if left--; left < 0 {
					return refuse("LimitExceededException", "versions")
				}
				return response, err
			}
			_, err := b.Put(t.Context(), "a", []byte("three"), rev)
			if e := wantError(t, err, driver.ErrQuota); e.Op != "PutSecretValue" || !strings.Contains(err.Error(), "100 versions") {
				t.Errorf("with room for %d: %v; want PutSecretValue, naming the quota", spare, err)
			}
			b.holds(t, "a", "one")
		}
	})
}

func TestAMoveBackPastAllPlacesIsReported(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.noPause()
	rev, _ := b.movedBack(t, "a")
	b.link.bend = refusing("PutSecretValue", "ResourceExistsException")
	_, err := b.Put(t.Context(), "a", []byte("three"), rev)
	wantError(t, err, driver.ErrDamaged)
	if !strings.Contains(err.Error(), "move it to the newest version") {
		t.Errorf("%v; want it to say what to do", err)
	}
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
	before := b.link.count("PutSecretValue")
	_, err := b.Put(t.Context(), "a", []byte("three"), rev)
	wantError(t, err, driver.ErrConflict)
	if n := b.link.count("PutSecretValue") - before; n != 1 {
		t.Errorf("%d puts were sent; want the refused one, and nothing written", n)
	}
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
	got, err := b.direct.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(b.FullName(name)), VersionStage: aws.String("AWSCURRENT"), // moto reads another version without
	})
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
