package gcpsm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func wantText(t *testing.T, err error, says ...string) {
	t.Helper()
	for _, text := range says {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %v; want %q in it", err, text)
		}
	}
}

// meddle returns a driver whose requests go through f.
func (b *bench) meddle(f func(method string, reply any, err error) error) *secrets {
	b.t.Helper()
	meddling := grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		err := invoke(ctx, method, req, reply, cc, opts...)
		return f(method[strings.LastIndex(method, "/")+1:], reply, err)
	})
	client, err := secretmanager.NewClient(b.t.Context(), append(b.server.ClientOptions(), option.WithGRPCDialOption(meddling))...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = client.Close() })
	return newDriver(b.t, client, regional, b.o)
}

const canary = "c4ecea41"

func TestARefusedCallIsExplained(t *testing.T) {
	tests := []struct {
		method string
		code   codes.Code
		want   error
		says   string
	}{
		{"GetSecret", codes.PermissionDenied, driver.ErrPermission, "secretmanager.secrets.get on the secret, or the secret does not exist"},
		{"AccessSecretVersion", codes.FailedPrecondition, driver.ErrUnavailable, "disabled or destroyed"},
		{"AccessSecretVersion", codes.Aborted, driver.ErrUnavailable, "disabled or destroyed"},
		{"GetSecret", codes.Unauthenticated, driver.ErrPermission, "log in again"},
		{"GetSecret", codes.ResourceExhausted, driver.ErrQuota, "throttled"},
		{"GetSecret", codes.InvalidArgument, driver.ErrInvalid, "check the parent"},
		{"GetSecret", codes.Unavailable, driver.ErrUnavailable, "try again"},
		{"GetSecret", codes.DeadlineExceeded, driver.ErrUnavailable, "try again"},
		{"AddSecretVersion", codes.PermissionDenied, driver.ErrPermission, "secretmanager.versions.add"},
		{"AddSecretVersion", codes.InvalidArgument, driver.ErrInvalid, "check the parent"},
		{"AddSecretVersion", codes.Unavailable, driver.ErrUnavailable, "try again"},
		{"UpdateSecret", codes.PermissionDenied, driver.ErrPermission, "secretmanager.secrets.update"},
		{"UpdateSecret", codes.FailedPrecondition, driver.ErrConflict, "another writer was faster"},
		{"UpdateSecret", codes.Aborted, driver.ErrConflict, "another writer was faster"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.method, " ", tt.code), func(t *testing.T) {
			b := newBench(t)
			rev := mustPut(t, b, "a", "one", "")
			s := b.meddle(func(method string, _ any, err error) error {
				if method == tt.method {
					return status.Error(tt.code, "about "+canary)
				}
				return err
			})
			var err error
			if tt.method == "AddSecretVersion" || tt.method == "UpdateSecret" {
				_, err = s.Put(t.Context(), "a", []byte(canary), rev)
			} else {
				_, err = s.Latest(t.Context(), "a")
			}
			if !errors.Is(err, tt.want) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v; want %v", err, tt.want)
			}
			wantText(t, err, tt.says)
			if tt.method == "AddSecretVersion" && strings.Contains(err.Error(), canary) {
				t.Errorf("the error may show the payload: %v", err)
			}
		})
	}
}

func TestAListThatIsRefused(t *testing.T) {
	b := newBench(t)
	b.server.SetPermissions("worker")
	s := newDriver(t, clientAs(t, b.server, "worker"), regional, Options{})
	for name, err := range s.List(t.Context()) {
		if name != "" || !errors.Is(err, driver.ErrPermission) {
			t.Errorf("List = %q, %v; want ErrPermission", name, err)
		}
		wantText(t, err, "secretmanager.secrets.list on "+regional)
	}
}

func TestAPayloadThatWasSpoiltIsNotReturned(t *testing.T) {
	b := newBench(t)
	mustPut(t, b, "a", "one", "")
	mustPut(t, b, "b", "two", "")
	spoil := func(r *secretmanagerpb.AccessSecretVersionResponse) { r.Payload.Data[0] ^= 1 }
	drop := func(r *secretmanagerpb.AccessSecretVersionResponse) { r.Payload.DataCrc32C = nil }
	for _, damage := range []func(*secretmanagerpb.AccessSecretVersionResponse){spoil, drop} {
		s := b.meddle(func(_ string, reply any, err error) error {
			if r, ok := reply.(*secretmanagerpb.AccessSecretVersionResponse); ok && string(r.GetPayload().GetData()) == "one" {
				damage(r)
			}
			return err
		})
		_, get := s.Get(t.Context(), "a")
		_, latest := s.Latest(t.Context(), "a")
		found, many := s.GetMany(t.Context(), []string{"a", "b"})
		for method, err := range map[string]error{"Get": get, "Latest": latest, "GetMany": many} {
			if !errors.Is(err, driver.ErrUnavailable) {
				t.Errorf("%s = %v; want ErrUnavailable", method, err)
			}
		}
		if string(found["b"].Payload) != "two" {
			t.Errorf("GetMany does not find the other secret: %v", many)
		}
	}
}

func TestGetManyStopsWhereNothingCanBeReached(t *testing.T) {
	b := newBench(t)
	for want, code := range map[error]codes.Code{driver.ErrUnavailable: codes.Unavailable, driver.ErrQuota: codes.ResourceExhausted} {
		s := b.meddle(func(string, any, error) error { return status.Error(code, "") })
		var names []string
		for i := range 100 {
			names = append(names, fmt.Sprint("n", i))
		}
		b.server.ResetCalls()
		_, err := s.GetMany(t.Context(), names)
		if n := b.server.Calls()["GetSecret"]; !errors.Is(err, want) || n > 2*8*manyTries {
			t.Errorf("GetMany = %v after %d calls; want %v soon", err, n, want)
		}
	}
}

func TestTheCodeOfAnErrorOverREST(t *testing.T) {
	rest := func(httpCode int, body string) error { return &googleapi.Error{Code: httpCode, Body: body} }
	tests := []struct {
		err  error
		want codes.Code
	}{
		{rest(400, `{"error": {"code": 400, "status": "FAILED_PRECONDITION"}}`), codes.FailedPrecondition},
		{rest(409, `{"error": {"code": 409, "status": "ALREADY_EXISTS"}}`), codes.AlreadyExists},
		{rest(409, `{"error": {"code": 409, "status": "ABORTED"}}`), codes.Aborted},
		{rest(404, `{"error": {"code": 404, "status": "NOT_FOUND"}}`), codes.NotFound},
		{rest(502, `<html>`), codes.Unknown},
		{status.Error(codes.NotFound, ""), codes.NotFound},
		{context.DeadlineExceeded, codes.DeadlineExceeded},
	}
	for _, tt := range tests {
		if got := codeOf(fmt.Errorf("wrapped: %w", tt.err)); got != tt.want {
			t.Errorf("the code of %v is %v; want %v", tt.err, got, tt.want)
		}
	}
}

func TestThatVersionsStayIsToldOnce(t *testing.T) {
	for _, lacks := range []string{"secretmanager.versions.destroy", "secretmanager.versions.list"} {
		b := newBench(t)
		var all []string
		for _, permission := range permissions {
			if permission != lacks {
				all = append(all, permission)
			}
		}
		b.server.SetPermissions("worker", gcpsmtest.Grant{Permissions: all})
		var log bytes.Buffer
		s := newDriver(t, clientAs(t, b.server, "worker"), regional, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for _, name := range []string{"a", "b"} {
			rev := mustPut(t, b, name, canary, "")
			mustPut(t, s, name, "two", mustPut(t, s, name, canary, rev))
		}
		if n := strings.Count(log.String(), lacks); n != 1 || strings.Contains(log.String(), canary) {
			t.Errorf("without %s the log is\n%s\nwant one line about it, and no payload", lacks, &log)
		}
	}
}
