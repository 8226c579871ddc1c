package drivertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// wantError checks that err is target, and an *Error about the secret.
func wantError(t testing.TB, s driver.Secrets, method, name string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%s(%q) = %v; want an error that is %q", method, name, err, target)
	}
	var e *driver.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s(%q) = %v, a %T; want a *driver.Error", method, name, err, err)
	}
	if e.Name != name || e.Op == "" {
		t.Fatalf("%s(%q): the *driver.Error has Op %q and Name %q; want the call and this name", method, name, e.Op, e.Name)
	}
	if namer, ok := s.(driver.Namer); ok && e.Secret != namer.FullName(name) {
		t.Fatalf("%s(%q): the *driver.Error has Secret %q; want FullName's %q", method, name, e.Secret, namer.FullName(name))
	}
}

var errorsPromises = []promise{
	{"no error text holds a part of a payload", noPayloadInErrors},
	{"FullName ends in the relative name", fullName},
}

// canary stands for a credential: no error may show it.
const canary = "canary1000.c4ecea41"

func noPayloadInErrors(t testing.TB, handle func() driver.Secrets) {
	ctx, s := t.Context(), handle()
	payload := []byte(`{"access_token": "` + canary + `"}`)
	rev := put(t, s, "live", canary, "")
	late := driver.WithNotAfter(ctx, time.Now().Add(-time.Minute))
	over := payload
	if n := s.Limits().Payload; n > 0 {
		over = []byte(strings.Repeat(canary, n/len(canary)+1))
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	tests := []struct {
		name    string
		ctx     context.Context
		payload []byte
		rev     driver.Revision
	}{
		{"a live secret with the zero revision", ctx, payload, ""},
		{"a made-up revision", ctx, payload, "made-up"},
		{"after NotAfter", late, payload, rev},
		{"a context that has ended", ended, payload, rev},
		{"a payload over the limit", ctx, over, "made-up"},
	}
	for _, tt := range tests {
		_, err := s.Put(tt.ctx, "live", tt.payload, tt.rev)
		if err == nil {
			t.Errorf("Put of %s succeeded; want an error", tt.name)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("Put of %s: the error shows the payload: %v", tt.name, err)
		}
	}
}

func fullName(t testing.TB, handle func() driver.Secrets) {
	namer, ok := handle().(driver.Namer)
	if !ok {
		return // optional
	}
	if got := namer.FullName("t_p1"); !strings.HasSuffix(got, "t_p1") {
		t.Errorf("FullName(%q) = %q; want a name that ends in it", "t_p1", got)
	}
}
