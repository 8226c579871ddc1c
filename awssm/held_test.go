package awssm_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

// clock is a time that passes only while the driver waits.
type clock struct{ now time.Time }

func (b bench) clock() *clock {
	c := &clock{time.Now()}
	b.SetNow(func() time.Time { return c.now })
	b.SetPause(func(ctx context.Context, d time.Duration) error { c.now = c.now.Add(d); return ctx.Err() })
	return c
}

// beingDeleted refuses creates until done, in the words of AWS.
func beingDeleted(done func() bool) func(string, int, func() (*http.Response, error)) (*http.Response, error) {
	return func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		if op == "CreateSecret" && !done() {
			return refuse("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
		}
		return send()
	}
}

func TestACreateWaitsForAForcedDeletionToEnd(t *testing.T) {
	b := newBench(t, awssm.Options{})
	c := b.clock()
	end := c.now.Add(10 * time.Second)
	b.link.bend = beingDeleted(func() bool { return c.now.After(end) })
	b.put(t, "a", "one", "")
	b.holds(t, "a", "one")
}

func TestANameThatStaysHeldIsErrNameHeld(t *testing.T) {
	b := newBench(t, awssm.Options{})
	c := b.clock()
	start := c.now
	b.link.bend = beingDeleted(func() bool { return false })
	_, err := b.Put(t.Context(), "a", []byte("one"), "")
	wantError(t, err, driver.ErrNameHeld)
	if !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("%v is not ErrUnavailable", err)
	}
	if waited := c.now.Sub(start); waited < 15*time.Second || waited > 20*time.Second {
		t.Errorf("gave up after %v; want 15 to 20 seconds", waited)
	}
	if n := b.link.count("CreateSecret"); n > 15 {
		t.Errorf("CreateSecret was sent %d times; want at most 15", n)
	}
}

func TestTheWaitForANameEndsWithNotAfter(t *testing.T) {
	b := newBench(t, awssm.Options{})
	c := b.clock()
	limit := c.now.Add(3 * time.Second)
	b.link.bend = beingDeleted(func() bool { return false })
	_, err := b.Put(driver.WithNotAfter(t.Context(), limit), "a", []byte("one"), "")
	wantError(t, err, driver.ErrNameHeld)
	if c.now.After(limit) {
		t.Errorf("waited %v beyond NotAfter", c.now.Sub(limit))
	}
}

func TestTheWaitForANameEndsWithTheContext(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.link.bend = beingDeleted(func() bool { return false })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := b.Put(ctx, "a", []byte("one"), "")
	wantError(t, err, context.DeadlineExceeded)
	if waited := time.Since(start); waited > 5*time.Second {
		t.Errorf("returned after %v; want soon after 200 ms", waited)
	}
}

// A method must not wait for an answer that does not come.
func TestACallThatHangsEndsWithTheContext(t *testing.T) {
	b := newBench(t, awssm.Options{})
	rev := b.put(t, "a", "one", "")
	for _, op := range []string{"GetSecretValue", "BatchGetSecretValue", "PutSecretValue", "CreateSecret", "DeleteSecret"} {
		t.Run(op, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			b.link.bend = func(string, int, func() (*http.Response, error)) (*http.Response, error) {
				cancel()
				<-ctx.Done()
				return nil, ctx.Err()
			}
			var err error
			switch op {
			case "GetSecretValue":
				_, err = b.Get(ctx, "a")
			case "BatchGetSecretValue":
				_, err = b.GetMany(ctx, []string{"a", "b"})
			case "PutSecretValue":
				_, err = b.Put(ctx, "a", []byte("two"), rev)
			case "CreateSecret":
				_, err = b.Put(ctx, "b", []byte("two"), "")
			case "DeleteSecret":
				err = b.Delete(ctx, "a")
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s = %v; want context.Canceled", op, err)
			}
		})
	}
}
