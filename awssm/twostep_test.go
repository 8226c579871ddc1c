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

// calls counts the requests that something sends.
func (b bench) calls(t *testing.T, what string, want int, do func()) {
	t.Helper()
	before := b.link.count("")
	do()
	if n := b.link.count("") - before; n != want {
		t.Errorf("%s took %d calls; want %d", what, n, want)
	}
}

// beside is another driver on the same folder, with other options and a link of its own.
func (b bench) beside(t *testing.T, o awssm.Options) bench {
	t.Helper()
	l := &link{}
	o.Prefix = strings.TrimSuffix(b.FullName(""), "/")
	other := bench{newDriver(t, linked(b.server.Config(), l), o), l, b.server, b.direct}
	other.SetPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	return other
}

func TestCallsOfTwoSteps(t *testing.T) {
	b := newBench(t, awssm.Options{TwoStep: true})
	var rev driver.Revision
	b.calls(t, "a create", 1, func() { rev = b.put(t, "a", "one", "") })
	b.calls(t, "a put", 2, func() { rev = b.put(t, "a", "two", rev) })
	b.calls(t, "a put", 2, func() { rev = b.put(t, "a", "three", rev) })

	one := b.beside(t, awssm.Options{})
	one.calls(t, "a put without the option", 2, func() { rev = one.put(t, "a", "four", rev) })
	rev = one.put(t, "b", "one", "")
	b.calls(t, "the first put in two steps", 3, func() { rev = b.put(t, "b", "two", rev) })
	b.calls(t, "the second", 2, func() { b.put(t, "b", "three", rev) })
	b.holds(t, "a", "four")
	b.holds(t, "b", "three")
}

// What is written in one call must not get past what was written in two.
func TestAWriterInOneCallConflictsWithOneInTwoSteps(t *testing.T) {
	b := newBench(t, awssm.Options{})
	two := b.beside(t, awssm.Options{TwoStep: true})
	rev := b.put(t, "a", "one", "")
	two.put(t, "a", "two", rev)
	b.conflicts(t, "a", rev)
	b.holds(t, "a", "two")
}

func TestWritersInOneCallAndInTwoStepsHaveOneWinner(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.SetPause(func(ctx context.Context, _ time.Duration) error { return ctx.Err() })
	two := b.beside(t, awssm.Options{TwoStep: true})
	for round := range 20 {
		name := fmt.Sprint("a", round)
		rev := b.put(t, name, "first", "")
		winner := make(chan string, 16)
		var group sync.WaitGroup
		for i := range 16 {
			s := []bench{b, two}[i%2]
			payload := fmt.Sprint("writer ", i)
			group.Go(func() {
				_, err := s.Put(t.Context(), name, []byte(payload), rev)
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
		b.holds(t, name, <-winner)
	}
}

// Only two steps see that a person put a value in.
func TestAValuePutInByHandConflictsInTwoSteps(t *testing.T) {
	b := newBench(t, awssm.Options{TwoStep: true})
	rev := b.put(t, "a", "one", "")
	_, err := b.direct.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(b.FullName("a")), SecretString: aws.String("by hand"),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.conflicts(t, "a", rev)
	b.holds(t, "a", "by hand")
}

// dead is a writer that died between two steps.
func (b bench) dead(t *testing.T, name string, rev driver.Revision) {
	t.Helper()
	b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "UpdateSecretVersionStage" {
			return nil, errLost
		}
		return send()
	}
	_, err := b.Put(t.Context(), name, []byte("dead"), rev)
	wantError(t, err, driver.ErrUnavailable)
	b.link.bend = nil
}

func TestAWriterThatDiesBetweenTwoStepsBlocksNobody(t *testing.T) {
	for _, twoStep := range []bool{false, true} {
		t.Run(fmt.Sprintf("TwoStep %v", twoStep), func(t *testing.T) {
			one := newBench(t, awssm.Options{})
			dying := one.beside(t, awssm.Options{TwoStep: true})
			next := one.beside(t, awssm.Options{TwoStep: twoStep})
			rev := one.put(t, "a", "one", "") // to be followed in one call or in two steps
			for range 3 {
				dying.dead(t, "a", rev)
			}
			one.holds(t, "a", "one")
			rev = next.put(t, "a", "two", rev)
			one.holds(t, "a", "two")
			for range 3 {
				dying.dead(t, "a", rev)
			}
			next.put(t, "a", "three", rev)
			one.holds(t, "a", "three")
			for version, labels := range one.stages(t, "a") {
				if len(labels) > 2 {
					t.Errorf("version %s has the labels %v", version, labels)
				}
			}
		})
	}
}

func TestALostReplyOfAnyStepIsResolved(t *testing.T) {
	prepare := map[string]func(t *testing.T, b bench) driver.Revision{
		"after a version in two steps": func(t *testing.T, b bench) driver.Revision {
			return b.beside(t, awssm.Options{TwoStep: true}).put(t, "a", "one", "")
		},
		"after a version in one call": func(t *testing.T, b bench) driver.Revision {
			return b.beside(t, awssm.Options{}).put(t, "a", "one", "")
		},
		"after a move by hand": func(t *testing.T, b bench) driver.Revision {
			rev, _ := b.beside(t, awssm.Options{}).movedBack(t, "a")
			return rev
		},
	}
	for name, prepare := range prepare {
		for _, op := range []string{"PutSecretValue", "UpdateSecretVersionStage"} {
			for lost := 1; lost <= 4; lost++ {
				t.Run(fmt.Sprintf("%s, %s %d", name, op, lost), func(t *testing.T) {
					b := newBench(t, awssm.Options{TwoStep: true})
					b.noPause()
					rev := prepare(t, b)
					b.link.bend = func(got string, n int, send func() (*http.Response, error)) (*http.Response, error) {
						if got == op && n == lost {
							return lose(send)
						}
						return send()
					}
					next := b.put(t, "a", "mine", rev)
					if now := b.latest(t, "a", "mine"); now != next {
						t.Errorf("Put returned revision %q, Latest has %q", next, now)
					}
				})
			}
		}
	}
}

// The SDK gives up, and the caller puts once more.
func TestAPutInTwoStepsSentAgainAfterItsMoveIsRecognised(t *testing.T) {
	b := newBench(t, awssm.Options{TwoStep: true})
	b.noPause()
	rev := b.put(t, "a", "one", "")
	b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "UpdateSecretVersionStage" {
			return lose(send)
		}
		return send()
	}
	next, err := b.Put(t.Context(), "a", []byte("mine"), rev)
	b.link.bend = nil
	if err == nil {
		t.Log("recognised at once")
	} else {
		next = b.put(t, "a", "mine", rev)
	}
	if now := b.latest(t, "a", "mine"); now != next {
		t.Errorf("Put returned revision %q, Latest has %q", next, now)
	}
	if next != b.put(t, "a", "mine", rev) {
		t.Error("the same put sent again has another revision")
	}
}

func TestALostMoveThatAnotherWriterFollowedIsMarkedResent(t *testing.T) {
	b := newBench(t, awssm.Options{TwoStep: true})
	b.noPause()
	other := b.beside(t, awssm.Options{TwoStep: true})
	rev := b.put(t, "a", "one", "")
	b.link.bend = intrude("UpdateSecretVersionStage", func() {
		got, err := other.Latest(t.Context(), "a")
		if err != nil {
			t.Error(err)
			return
		}
		other.put(t, "a", "theirs", got.Revision)
	})
	_, err := b.Put(t.Context(), "a", []byte("mine"), rev)
	if e := wantError(t, err, driver.ErrConflict); !e.Resent {
		t.Errorf("%v is not marked as resent", e)
	}
	b.holds(t, "a", "theirs")
}

// The reply to the move is lost, and the first read after it is answered from before it.
func TestALostMoveSeenThroughAStaleReadIsRecognised(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.noPause()
	rev, _ := b.movedBack(t, "a")
	var before []byte
	b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		moved := b.link.count("UpdateSecretVersionStage")
		switch {
		case op == "UpdateSecretVersionStage" && n == 1:
			return lose(send)
		case op == "GetSecretValue" && moved == 0:
			return edit(send, func(body []byte) []byte { before = body; return body })
		case op == "GetSecretValue" && before != nil:
			stale := string(before)
			before = nil
			return reply(http.StatusOK, stale)
		}
		return send()
	}
	next := b.put(t, "a", "mine", rev)
	if before != nil {
		t.Error("no read was answered from before the move")
	}
	if now := b.latest(t, "a", "mine"); now != next {
		t.Errorf("Put returned revision %q, Latest has %q", next, now)
	}
}

// A label that has gone elsewhere between the two steps.
func TestAMoveThatComesTooLateIsAConflict(t *testing.T) {
	b := newBench(t, awssm.Options{TwoStep: true})
	b.noPause()
	other := b.beside(t, awssm.Options{TwoStep: true})
	rev := b.put(t, "a", "one", "")
	b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "UpdateSecretVersionStage" && n == 1 {
			other.put(t, "a", "theirs", rev)
		}
		return send()
	}
	_, err := b.Put(t.Context(), "a", []byte("mine"), rev)
	if e := wantError(t, err, driver.ErrConflict); e.Resent {
		t.Errorf("%v is marked as resent, but nothing was lost", e)
	}
	b.holds(t, "a", "theirs")
}

// Each request lets a minute pass; the time is up before the n-th.
func TestNotAfterHoldsForEveryStep(t *testing.T) {
	for _, back := range []bool{false, true} {
		for n := range 6 {
			t.Run(fmt.Sprintf("moved back %v, %d requests", back, n), func(t *testing.T) {
				b := newBench(t, awssm.Options{TwoStep: true})
				one := b.beside(t, awssm.Options{})
				rev := driver.Revision("")
				if back {
					rev, _ = one.movedBack(t, "a")
				} else {
					rev = one.put(t, "a", "one", "")
				}
				now := time.Now()
				b.SetNow(func() time.Time { return now })
				b.noPause()
				writes := 0
				b.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
					if op == "GetSecretValue" {
						return send()
					}
					writes++
					now = now.Add(time.Minute)
					return send()
				}
				limit := now.Add(time.Duration(n)*time.Minute - 30*time.Second)
				_, err := b.Put(driver.WithNotAfter(t.Context(), limit), "a", []byte("late"), rev)
				if err == nil {
					b.holds(t, "a", "late")
				} else {
					wantError(t, err, driver.ErrConflict)
					b.holds(t, "a", "one")
				}
				if writes > n || err != nil && writes != n {
					t.Errorf("%d writes were sent, error %v; %d were in time", writes, err, n)
				}
			})
		}
	}
}

func TestADeleteAfterAMoveByHandLeavesATombstoneOnMotoToo(t *testing.T) {
	onServers(t, awssm.Options{RecoveryWindow: 7}, func(t *testing.T, b bench) {
		rev, tip := b.movedBack(t, "a")
		b.remove(t, "a")
		b.restoreByHand(t, "a")
		b.absent(t, "a")
		b.conflicts(t, "a", rev)
		b.conflicts(t, "a", tip)
		b.remove(t, "a")
		b.put(t, "a", "new", "")
		b.latest(t, "a", "new")
		b.conflicts(t, "a", tip)
		b.latest(t, "a", "new")
	})
}

// All tombstones are alike, so that the one of a former delete is met again after a move by hand. It has lost its label to
// a later one, and is not current.
func TestADeleteAfterAMoveByHandDoesNotTakeAnOldTombstoneForItsOwn(t *testing.T) {
	for _, twoStep := range []bool{false, true} {
		b := newBench(t, awssm.Options{RecoveryWindow: 7, TwoStep: twoStep})
		b.noPause()
		b.put(t, "a", "credential", "")
		version := b.version(t, "a")
		b.remove(t, "a")
		b.put(t, "a", "new", "")
		b.remove(t, "a")
		b.restoreByHand(t, "a")
		b.moveCurrent(t, "a", version)
		b.latest(t, "a", "credential")
		b.remove(t, "a")
		b.restoreByHand(t, "a")
		b.absent(t, "a")
		b.remove(t, "a")
		b.put(t, "a", "newer", "")
		b.latest(t, "a", "newer")
	}
}
