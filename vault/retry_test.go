package vault

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

func TestAFailureIsRetriedAsTheClientIsSetUp(t *testing.T) {
	tests := []struct {
		name   string
		status int
		text   string
		says   string // in the error, when it lasts
	}{
		{"sealed", 503, `{"errors": ["Vault is sealed"]}`, "Vault is sealed"},
		{"throttled", 429, `{"errors": ["request path \"x\": rate limit quota exceeded"]}`, "throttled"},
		{"behind", 412, `{"errors": ["required index state not present"]}`, "not caught up"},
		{"failing", 500, `{"errors": ["internal error"]}`, "try again"},
		{"a proxy's page", 502, `<html>`, "try again"},
	}
	for _, tt := range tests {
		t.Run(tt.name+" for a moment", func(t *testing.T) {
			failures := 2
			s := newScript(t, func(r *http.Request, _ string) (int, string) {
				if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/data/") && failures > 0 {
					failures--
					return tt.status, tt.text
				}
				return 200, holds(1, "one")
			})
			d := s.driver(s.client(nil), Options{})
			d.mounted.Store(true)
			got, err := d.Latest(t.Context(), "a")
			if err != nil || string(got.Payload) != "one" {
				t.Errorf("Latest = %q, %v; want the payload", got.Payload, err)
			}
		})
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			t.Run(tt.name+" for "+method, func(t *testing.T) {
				s := newScript(t, func(r *http.Request, _ string) (int, string) {
					if r.Method == method && strings.Contains(r.URL.Path, "/data/") {
						return tt.status, tt.text
					}
					return 0, ""
				})
				d := s.driver(s.client(nil), Options{})
				_, err := d.Latest(t.Context(), "a")
				if method == http.MethodPut {
					_, err = d.Put(t.Context(), "a", []byte("one"), "")
				}
				if !errors.Is(err, driver.ErrUnavailable) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error %v; want ErrUnavailable that says %q", err, tt.says)
				}
				if n := s.sent(method + " secret/data/"); n != 3 {
					t.Errorf("sent %d times; want 3", n)
				}
			})
		}
	}
}

func TestAMountThatIsBeingUpgradedIsWaitedFor(t *testing.T) {
	failures := 3
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if r.Method == http.MethodPut && failures > 0 {
			failures--
			return 400, `{"errors": ["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period"]}`
		}
		if r.Method == http.MethodPut {
			return 200, wrote(1)
		}
		return 0, ""
	})
	d := s.driver(s.client(nil), Options{})
	pauses := 0
	d.pause = noPause(&pauses)
	if _, err := d.Put(t.Context(), "a", []byte("one"), ""); err != nil || pauses != 3 {
		t.Errorf("Put = %v after %d pauses; want success after 3", err, pauses)
	}
}

func TestAPutIsNotRetriedAfterItsTime(t *testing.T) {
	for _, rev := range []driver.Revision{"", newRevision(1, []byte("one")).encode("secret/p/a")} {
		now := time.Now()
		limit := now.Add(time.Minute)
		s := newScript(t, func(r *http.Request, _ string) (int, string) {
			if r.Method == http.MethodPut {
				now = limit.Add(time.Nanosecond)
				return 503, `{"errors": ["error"]}`
			}
			return 0, ""
		})
		client, waits := s.client(nil), 0
		client.SetBackoff(func(time.Duration, time.Duration, int, *http.Response) time.Duration { waits++; return 0 })
		d := s.driver(client, Options{})
		d.now = func() time.Time { return now }
		d.recent.note("a", newRevision(1, []byte("one")), now)
		ctx := driver.WithNotAfter(t.Context(), limit)
		_, err := d.Put(ctx, "a", []byte("two"), rev)
		if !errors.Is(err, driver.ErrConflict) {
			t.Errorf("Put at %q = %v; want ErrConflict", rev, err)
		}
		if n := s.sent("PUT"); n != 1 {
			t.Errorf("Put at %q was sent %d times; want 1", rev, n)
		}
		if waits != 1 {
			t.Errorf("Put at %q waited %d times to be sent again; want 1", rev, waits)
		}
		var detail *driver.Error
		if !errors.As(err, &detail) || !detail.Resent {
			t.Errorf("Put at %q = %v; want Resent, as nobody knows what came of the first attempt", rev, err)
		}
	}
}

func TestAPutThatIsLateAlreadySendsNothing(t *testing.T) {
	s := newScript(t, func(*http.Request, string) (int, string) { return 200, wrote(1) })
	d := s.driver(s.client(nil), Options{})
	ctx := driver.WithNotAfter(t.Context(), time.Now().Add(-time.Nanosecond))
	if _, err := d.Put(ctx, "a", []byte("two"), ""); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("Put = %v; want ErrConflict", err)
	}
	if len(s.headers) != 0 {
		t.Errorf("%d requests were sent; want none", len(s.headers))
	}
}
