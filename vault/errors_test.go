package vault

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

func TestARefusalTellsAPolicyFromADeadToken(t *testing.T) {
	tests := []struct {
		name   string
		lookup int
		says   string
	}{
		{"policy", 200, `must allow "read" on the path "secret/data/p/a"`},
		{"dead token", 403, "log in again"},
		{"unknown", 503, "could not be found out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, func(r *http.Request, _ string) (int, string) {
				if strings.HasSuffix(r.URL.Path, "lookup-self") && tt.lookup != 200 {
					return tt.lookup, denied
				}
				if strings.Contains(r.URL.Path, "/data/") {
					return 403, denied
				}
				return 0, ""
			})
			_, err := s.driver(s.client(nil), Options{}).Latest(t.Context(), "a")
			if !errors.Is(err, driver.ErrPermission) || errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Latest = %v; want ErrPermission that says %q", err, tt.says)
			}
		})
	}
}

func TestARefusalOfTheMountDependsOnTheTokenToo(t *testing.T) {
	for lookup, says := range map[int]string{200: `no mount "secret", or the policy has no path in it`, 403: "log in again"} {
		s := newScript(t, func(r *http.Request, _ string) (int, string) {
			if strings.HasSuffix(r.URL.Path, "lookup-self") && lookup == 200 {
				return 0, ""
			}
			return 403, denied
		})
		_, err := s.driver(s.client(nil), Options{}).Latest(t.Context(), "a")
		if !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), says) {
			t.Errorf("Latest = %v; want ErrPermission that says %q", err, says)
		}
	}
}

func TestTheMountIsCheckedUntilItWasFoundOnce(t *testing.T) {
	checks := 0
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if !strings.Contains(r.URL.Path, "ui/mounts") {
			return 0, ""
		}
		checks++
		if checks < 3 {
			return 400, nothing
		}
		return 200, kv2
	})
	d := s.driver(s.client(nil), Options{})
	for range 5 {
		_, _ = d.Latest(t.Context(), "a")
	}
	if checks != 3 {
		t.Errorf("the mount was checked %d times; want 3, as it was found the third time", checks)
	}
}

func TestAMountThatIsGoneIsCheckedAgain(t *testing.T) {
	checks := 0
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if strings.Contains(r.URL.Path, "ui/mounts") {
			checks++
		}
		if r.Method == http.MethodPut {
			return 404, `{"errors": ["no handler for route \"secret/data/p/a\""]}`
		}
		return 0, ""
	})
	d := s.driver(s.client(nil), Options{})
	for range 2 {
		_, _ = d.Latest(t.Context(), "a")
		if _, err := d.Put(t.Context(), "a", []byte("one"), ""); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("Put = %v; want ErrInvalid", err)
		}
	}
	if checks != 2 {
		t.Errorf("the mount was checked %d times; want 2, as it was gone in between", checks)
	}
}

func TestARefusedWriteIsExplainedByARead(t *testing.T) {
	old := newRevision(1, []byte("one")).encode("secret/p/a")
	tests := []struct {
		name    string
		rev     driver.Revision
		current string
		status  int
		want    error
		says    string
	}{
		{"an update of a deleted secret", old, destroyed, 404, driver.ErrConflict, "was deleted"},
		{"an update of a secret whose metadata is gone", old, nothing, 404, driver.ErrConflict, "was deleted"},
		{"an update that the policy forbids", old, holds(1, "one"), 200, driver.ErrPermission, `"update" on the path "secret/data/p/a"`},
		{"a create of what is there", "", holds(1, "theirs"), 200, driver.ErrConflict, "there already"},
		{"a create that took effect", "", holds(1, "two"), 200, nil, ""},
		{"a create that the policy forbids", "", nothing, 404, driver.ErrPermission, `"create" on the path`},
		{"a create over a deleted secret", "", destroyed, 404, driver.ErrPermission, `"update" on the path`},
		{"a read that is forbidden too", old, denied, 403, driver.ErrPermission, `"update" on the path`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, func(r *http.Request, _ string) (int, string) {
				if r.Method == http.MethodPut {
					return 403, denied
				}
				if strings.Contains(r.URL.Path, "/data/") {
					return tt.status, tt.current
				}
				return 0, ""
			})
			d := s.driver(s.client(nil), Options{})
			d.recent.note("a", newRevision(1, []byte("one")), d.now())
			_, err := d.Put(t.Context(), "a", []byte("two"), tt.rev)
			if !errors.Is(err, tt.want) || tt.want != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Put = %v; want %v that says %q", err, tt.want, tt.says)
			}
		})
	}
}

func TestARefusedWriteIsUnderstoodByItsReply(t *testing.T) {
	const canary = "c4ecea41"
	tests := []struct {
		status int
		text   string
		want   error
	}{
		{413, `{"errors": ["error parsing JSON"]}`, driver.ErrTooLarge},
		{500, `{"errors": ["put failed due to value being too large"]}`, driver.ErrTooLarge},
		{404, `{"errors": ["no handler for route \"secret/data/p/a\""]}`, driver.ErrInvalid},
		{404, `{"errors": ["namespace not found"]}`, driver.ErrInvalid},
		{405, `{"errors": ["unsupported operation"]}`, driver.ErrInvalid},
		{400, `{"errors": ["failed to parse ` + canary + `"]}`, driver.ErrInvalid},
		{502, `<html>` + canary, driver.ErrUnavailable},
		{200, `<html>` + canary, driver.ErrUnavailable},
		{200, `{"data": {"version": `, driver.ErrUnavailable},
		{204, ``, driver.ErrUnavailable},
		{307, ``, driver.ErrUnavailable},
	}
	for _, tt := range tests {
		s := newScript(t, func(r *http.Request, _ string) (int, string) {
			if r.Method == http.MethodPut {
				return tt.status, tt.text
			}
			return 0, ""
		})
		_, err := s.driver(s.client(nil), Options{}).Put(t.Context(), "a", []byte(canary), "")
		if !errors.Is(err, tt.want) {
			t.Errorf("%d %s: Put = %v; want %v", tt.status, tt.text, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%d: the error shows the payload: %v", tt.status, err)
		}
	}
}

func TestAReadIsNoAnswerOfVault(t *testing.T) {
	for status, text := range map[int]string{200: `{"data": {"data": {}}}`, 404: `{"data": {"metadata": {}}}`} {
		s := newScript(t, func(r *http.Request, _ string) (int, string) {
			if strings.Contains(r.URL.Path, "/data/") {
				return status, text
			}
			return 0, ""
		})
		_, err := s.driver(s.client(nil), Options{}).Latest(t.Context(), "a")
		if !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("Latest of %s = %v; want ErrUnavailable", text, err)
		}
	}
}

func TestTheSizeOfAPayloadIsThatOfItsJSON(t *testing.T) {
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if r.Method == http.MethodPut {
			return 200, wrote(1)
		}
		return 0, ""
	})
	d := s.driver(s.client(nil), Options{MaxPayload: 10})
	payloads := map[string]bool{
		"0123456789": true, "01234567890": false, `"""""`: true, `""""""`: false, "<1234": true, "<12345": false, "ééééé": true,
	}
	for payload, fits := range payloads {
		before := len(s.headers)
		_, err := d.Put(t.Context(), "a", []byte(payload), "")
		if fits && err != nil || !fits && !errors.Is(err, driver.ErrTooLarge) {
			t.Errorf("Put(%q) = %v; want success: %v", payload, err, fits)
		}
		if sent := len(s.headers) > before; sent != fits {
			t.Errorf("Put(%q) sent something: %v", payload, sent)
		}
	}
	if _, err := d.Put(t.Context(), "a", []byte("\xff"), ""); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("Put of no UTF-8 = %v; want ErrInvalid", err)
	}
}

func TestAnUnreachableServerIsAskedForFewOfManyNames(t *testing.T) {
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if strings.Contains(r.URL.Path, "/data/") {
			return 503, `{"errors": ["Vault is sealed"]}`
		}
		return 0, ""
	})
	d := s.driver(s.client(nil), Options{})
	var names []string
	for i := range 60 {
		names = append(names, strings.Repeat("a", i+1))
	}
	found, err := d.GetMany(t.Context(), names)
	if len(found) != 0 || !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("GetMany = %d secrets, %v; want ErrUnavailable", len(found), err)
	}
	if n := len(err.(interface{ Unwrap() []error }).Unwrap()); n != 60 {
		t.Errorf("GetMany has %d errors; want one for each of the 60 names", n)
	}
	if n := s.sent("GET"); n > 60 {
		t.Errorf("%d requests; want few of the 180 that all names would take", n)
	}
}

func TestWhatStaysReadableIsToldOnceForEachKindOfSecret(t *testing.T) {
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		switch {
		case strings.Contains(r.URL.Path, "/destroy/p/t_"):
			return 403, denied
		case strings.Contains(r.URL.Path, "/destroy/"):
			return 204, ""
		case r.Method == http.MethodPut:
			return 200, wrote(2)
		}
		return 0, ""
	})
	var log bytes.Buffer
	d := s.driver(s.client(nil), Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, name := range []string{"t_1", "t_2", "i_r", "t_1", "i_r"} {
		one := newRevision(1, []byte("one"))
		d.recent.note(name, one, d.now())
		if _, err := d.Put(t.Context(), name, []byte("two"), one.encode("secret/p/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "secret/destroy/p/t_*") {
		t.Errorf("the log has %d warnings; want one that names the path:\n%s", n, log.String())
	}
	if tokens, index := s.sent("PUT secret/destroy/p/t_"), s.sent("PUT secret/destroy/p/i_"); tokens != 1 || index != 2 {
		t.Errorf("%d destroys of tokens and %d of the index; want 1, as it was denied, and 2", tokens, index)
	}
}

func TestAPutThatSucceededIsNoFailureSinceItsContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if strings.Contains(r.URL.Path, "/destroy/") {
			cancel()
			return 500, ""
		}
		return 200, wrote(2)
	})
	d := s.driver(s.client(nil), Options{})
	d.mounted.Store(true)
	one := newRevision(1, []byte("one"))
	d.recent.note("a", one, d.now())
	if _, err := d.Put(ctx, "a", []byte("two"), one.encode("secret/p/a")); err != nil {
		t.Errorf("Put = %v; want success", err)
	}
}

func TestAMountOnWhichTokensExpireIsToldOnce(t *testing.T) {
	s := newScript(t, func(r *http.Request, _ string) (int, string) {
		if strings.Contains(r.URL.Path, "/data/") {
			return 200, strings.Replace(holds(1, "one"), `"deletion_time": ""`, `"deletion_time": "2999-01-01T00:00:00Z"`, 1)
		}
		return 0, ""
	})
	var log bytes.Buffer
	d := s.driver(s.client(nil), Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 2 {
		if got, err := d.Latest(t.Context(), "a"); err != nil || string(got.Payload) != "one" {
			t.Errorf("Latest = %q, %v; want the payload", got.Payload, err)
		}
	}
	if n := strings.Count(log.String(), "delete_version_after"); n != 1 {
		t.Errorf("the log speaks of delete_version_after %d times; want once", n)
	}
}
