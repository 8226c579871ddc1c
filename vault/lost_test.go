package vault

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

func noPause(n *int) func(context.Context, time.Duration) error {
	return func(ctx context.Context, _ time.Duration) error {
		*n++
		return ctx.Err()
	}
}

// A put of "mine" at version 1 loses its reply, is sent again by the client, and conflicts with itself.
func TestALostReplyIsSettledByTheVersionThatWouldBeOurs(t *testing.T) {
	tests := []struct {
		name   string
		second string // what version 2 is, when it is asked for
		status int
		wins   bool
		resent bool // of the conflict
	}{
		{"our payload", holds(2, "mine"), 200, true, false},
		{"another payload", holds(2, "theirs"), 200, false, false},
		{"destroyed since", destroyed, 404, false, true},
		{"gone with its metadata", nothing, 404, false, true},
		{"unreadable", denied, 403, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			puts := 0
			s := newScript(t, func(r *http.Request, _ string) (int, string) {
				switch {
				case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/data/"):
					puts++
					if puts > 1 {
						return 400, noMatch
					}
					return 200, wrote(2)
				case r.URL.RawQuery == "version=2":
					return tt.status, tt.second
				case strings.Contains(r.URL.Path, "/data/"):
					return 200, holds(1, "one")
				}
				return 0, ""
			})
			d := s.driver(s.client(&cutting{lose: 1}), Options{})
			one, err := d.Latest(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			rev, err := d.Put(t.Context(), "a", []byte("mine"), one.Revision)
			var detail *driver.Error
			switch {
			case puts != 2:
				t.Errorf("sent %d times; want 2", puts)
			case tt.wins && (err != nil || rev != newRevision(2, []byte("mine")).encode("secret/p/a")):
				t.Errorf("Put = %q, %v; want the revision of version 2", rev, err)
			case !tt.wins && (!errors.Is(err, driver.ErrConflict) || !errors.As(err, &detail) || detail.Resent != tt.resent):
				t.Errorf("Put = %v, Resent %v; want ErrConflict, Resent %v", err, detail, tt.resent)
			}
		})
	}
}

func TestARefusedAttemptIsNoLostReply(t *testing.T) {
	puts := 0
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if r.Method != http.MethodPut {
			return 0, ""
		}
		puts++
		if puts == 1 {
			return 429, `{"errors": ["rate limit quota exceeded"]}`
		}
		return 400, noMatch
	})
	d := s.driver(s.client(nil), Options{})
	d.recent.note("a", newRevision(1, []byte("one")), d.now())
	_, err := d.Put(t.Context(), "a", []byte("two"), newRevision(1, []byte("one")).encode("secret/p/a"))
	var detail *driver.Error
	if !errors.Is(err, driver.ErrConflict) || !errors.As(err, &detail) || detail.Resent {
		t.Errorf("Put = %v; want ErrConflict without Resent", err)
	}
}

// A create of "mine" loses its reply.
func TestALostReplyToACreateIsSettledByVersionOne(t *testing.T) {
	tests := []struct {
		name    string
		current string
		status  int
		first   string // version 1, when it is asked for
		wins    bool
		resent  bool
	}{
		{"ours is current", holds(1, "mine"), 200, "", true, false},
		{"another's is current", holds(1, "theirs"), 200, "", false, false},
		{"ours was updated since", holds(2, "next"), 200, holds(1, "mine"), true, false},
		{"another's was updated since", holds(2, "next"), 200, holds(1, "theirs"), false, false},
		{"deleted since", destroyed, 404, "", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			puts := 0
			s := newScript(t, func(r *http.Request, _ string) (int, string) {
				switch {
				case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/data/"):
					puts++
					if puts > 1 {
						return 400, noMatch
					}
					return 200, wrote(1)
				case r.URL.RawQuery == "version=1":
					return 200, tt.first
				case strings.Contains(r.URL.Path, "/data/"):
					return tt.status, tt.current
				}
				return 0, ""
			})
			d := s.driver(s.client(&cutting{lose: 1}), Options{})
			rev, err := d.Put(t.Context(), "a", []byte("mine"), "")
			var detail *driver.Error
			switch {
			case puts != 2:
				t.Errorf("sent %d times; want 2", puts)
			case tt.wins && (err != nil || rev != newRevision(1, []byte("mine")).encode("secret/p/a")):
				t.Errorf("Put = %q, %v; want the revision of version 1", rev, err)
			case !tt.wins && (!errors.Is(err, driver.ErrConflict) || !errors.As(err, &detail) || detail.Resent != tt.resent):
				t.Errorf("Put = %v; want ErrConflict, Resent %v", err, tt.resent)
			}
		})
	}
}

// A delete ended after the tombstone.
func TestATombstoneIsAbsent(t *testing.T) {
	s := newScript(t, func(r *http.Request, body string) (int, string) {
		switch {
		case r.Method == http.MethodPut && strings.Contains(body, `"cas":2`):
			return 200, wrote(3)
		case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/data/"):
			return 400, noMatch
		case strings.Contains(r.URL.Path, "/data/"):
			return 200, holds(2, tombstone)
		}
		return 0, ""
	})
	d := s.driver(s.client(nil), Options{})
	if _, err := d.Latest(t.Context(), "a"); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("Latest = %v; want ErrNotFound", err)
	}
	if _, err := d.Put(t.Context(), "a", []byte("one"), ""); err != nil {
		t.Errorf("a create = %v; want success", err)
	}
}

// All replies are lost.
func TestAPutWithoutAnyReplyIsSettledByARead(t *testing.T) {
	for _, mine := range []bool{true, false} {
		s := newScript(t, func(r *http.Request, _ string) (int, string) {
			if r.Method == http.MethodPut {
				return 200, wrote(1)
			}
			if mine && strings.Contains(r.URL.Path, "/data/") {
				return 200, holds(1, "mine")
			}
			return 0, ""
		})
		d := s.driver(s.client(&cutting{lose: 3}), Options{})
		_, err := d.Put(t.Context(), "a", []byte("mine"), "")
		if mine && err != nil {
			t.Errorf("Put = %v; want success, as the version is ours", err)
		}
		if !mine && !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("Put = %v; want ErrUnavailable, as nothing is known", err)
		}
	}
}
