package awssm_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
)

// firstReplyLost drops the reply to the first request for an operation, after the server has done it.
func firstReplyLost(op string) func(string, int, func() (*http.Response, error)) (*http.Response, error) {
	return func(got string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if got == op && n == 1 {
			return lose(send)
		}
		return send()
	}
}

func TestLostReplyOfACreateIsRecognised(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.link.bend = firstReplyLost("CreateSecret")
	rev := b.put(t, "a", "one", "")
	b.put(t, "a", "two", rev)
	b.holds(t, "a", "two")
}

// A server may also answer a repeated create with ResourceExistsException.
func TestLostReplyOfACreateIsRecognisedByItsPayload(t *testing.T) {
	b := newBench(t, awssm.Options{})
	b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		switch {
		case op == "CreateSecret" && n == 1:
			return lose(send)
		case op == "CreateSecret":
			return refuse("ResourceExistsException", "it exists")
		}
		return send()
	}
	rev := b.put(t, "a", "one", "")
	b.put(t, "a", "two", rev)
	b.holds(t, "a", "two")
}

func TestLostReplyOfAPutIsRecognised(t *testing.T) {
	b := newBench(t, awssm.Options{})
	rev := b.put(t, "a", "one", "")
	b.link.bend = firstReplyLost("PutSecretValue")
	rev = b.put(t, "a", "two", rev)
	b.put(t, "a", "three", rev)
	b.holds(t, "a", "three")
}

func TestAReplyThatIsCutOffIsAskedForAgain(t *testing.T) {
	b := newBench(t, awssm.Options{})
	cut := func(_ string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if n == 1 {
			return edit(send, func(body []byte) []byte { return body[:len(body)/2] })
		}
		return send()
	}
	b.link.bend = cut
	rev := b.put(t, "a", "one", "")
	b.put(t, "a", "two", rev)
	got, err := b.Latest(t.Context(), "a")
	if err != nil || string(got.Payload) != "two" {
		t.Errorf("Latest = %q, %v; want %q", got.Payload, err, "two")
	}
	b.holds(t, "a", "two")
}

// intrude lets another writer in between the first request, whose reply is lost, and the next.
func intrude(op string, intruder func()) func(string, int, func() (*http.Response, error)) (*http.Response, error) {
	return func(got string, n int, send func() (*http.Response, error)) (*http.Response, error) {
		if got == op && n == 1 {
			response, err := lose(send)
			intruder()
			return response, err
		}
		return send()
	}
}

func TestAConflictAfterALostReplyIsMarkedResent(t *testing.T) {
	t.Run("a put whose secret was deleted meanwhile", func(t *testing.T) {
		b, other := twoDrivers(t)
		rev := b.put(t, "a", "one", "")
		b.link.bend = intrude("PutSecretValue", func() {
			if err := other.Delete(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		})
		_, err := b.Put(t.Context(), "a", []byte("two"), rev)
		if e := wantError(t, err, driver.ErrConflict); !e.Resent {
			t.Errorf("%v is not marked as resent", e)
		}
	})
	t.Run("a create whose secret was updated meanwhile", func(t *testing.T) {
		b, other := twoDrivers(t)
		b.link.bend = intrude("CreateSecret", func() {
			got, err := other.Latest(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			other.put(t, "a", "two", got.Revision)
		})
		rev, err := b.Put(t.Context(), "a", []byte("one"), "")
		if err == nil { // the server knows the request; its revision must be the superseded one
			_, err = b.Put(t.Context(), "a", []byte("intruder"), rev)
			wantError(t, err, driver.ErrConflict)
		} else if e := wantError(t, err, driver.ErrConflict); !e.Resent {
			t.Errorf("%v is not marked as resent", e)
		}
		b.holds(t, "a", "two")
	})
	t.Run("a create that somebody else won in the meantime", func(t *testing.T) {
		b, other := twoDrivers(t)
		b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
			if op == "CreateSecret" && n == 1 {
				other.put(t, "a", "theirs", "")
				return reply(http.StatusInternalServerError, `{"__type": "InternalServiceError"}`)
			}
			return send()
		}
		_, err := b.Put(t.Context(), "a", []byte("mine"), "")
		if e := wantError(t, err, driver.ErrConflict); !e.Resent {
			t.Errorf("%v is not marked as resent", e)
		}
		b.holds(t, "a", "theirs")
	})
}

// twoDrivers are two drivers on one folder, of which the second has a sound link.
func twoDrivers(t *testing.T) (b, other bench) {
	t.Helper()
	b = newBench(t, awssm.Options{})
	l := &link{}
	return b, bench{newDriver(t, linked(b.server.Config(), l), awssm.Options{Prefix: "crm/prod"}), l, b.server, b.direct}
}

func TestAConflictAfterWhatDidNothingIsNotMarkedResent(t *testing.T) {
	harmless := map[string]func() (*http.Response, error){
		"a throttled request":   func() (*http.Response, error) { return refuse("ThrottlingException", "slow down") },
		"a refused connection":  func() (*http.Response, error) { return nil, &net.OpError{Op: "dial", Err: errLost} },
		"an attempt that waits": func() (*http.Response, error) { return refuse("RequestTimeoutException", "too slow to send") },
	}
	for name, fail := range harmless {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, awssm.Options{})
			rev := b.put(t, "a", "one", "")
			b.put(t, "a", "two", rev)
			b.link.bend = func(op string, n int, send func() (*http.Response, error)) (*http.Response, error) {
				if op == "PutSecretValue" && n == 2 { // the first was the put above
					return fail()
				}
				return send()
			}
			_, err := b.Put(t.Context(), "a", []byte("three"), rev)
			if e := wantError(t, err, driver.ErrConflict); e.Resent {
				t.Errorf("%v is marked as resent", e)
			}
			if n := b.link.count("PutSecretValue"); n != 3 {
				t.Errorf("PutSecretValue was sent %d times; want 3", n)
			}
		})
	}
}

// Each attempt of the SDK lets a minute pass, so that only the first comes in time.
func TestNotAfterHoldsForRetries(t *testing.T) {
	for _, op := range []string{"CreateSecret", "PutSecretValue"} {
		t.Run(op, func(t *testing.T) {
			b := newBench(t, awssm.Options{})
			rev := driver.Revision("")
			if op == "PutSecretValue" {
				rev = b.put(t, "a", "one", "")
			}
			now := time.Now()
			b.SetNow(func() time.Time { return now })
			b.link.bend = func(got string, n int, send func() (*http.Response, error)) (*http.Response, error) {
				if got == op {
					now = now.Add(time.Minute)
					return nil, errLost // before the server saw it
				}
				return send()
			}
			before := b.link.count(op)
			ctx := driver.WithNotAfter(t.Context(), now.Add(30*time.Second))
			_, err := b.Put(ctx, "a", []byte("late"), rev)
			if e := wantError(t, err, driver.ErrConflict); !e.Resent {
				t.Errorf("%v is not marked as resent, but the first attempt was sent", e)
			}
			if sent := b.link.count(op) - before; sent != 1 {
				t.Errorf("%s was sent %d times; want once", op, sent)
			}
		})
	}
}

func TestNothingIsSentAtAllAfterNotAfter(t *testing.T) {
	b := newBench(t, awssm.Options{})
	rev := b.put(t, "a", "one", "")
	before := b.link.count("")
	// WithNotAfter is asked for a time with a monotonic reading; only the wall clock may count.
	ctx := driver.WithNotAfter(t.Context(), time.Now().Add(-time.Nanosecond))
	_, err := b.Put(ctx, "a", []byte("late"), rev)
	if e := wantError(t, err, driver.ErrConflict); e.Resent {
		t.Errorf("%v is marked as resent, but nothing was sent", e)
	}
	if sent := b.link.count("") - before; sent != 0 {
		t.Errorf("%d requests were sent; want none", sent)
	}
}
