package gcpsm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tokenkeep/tokenkeep/driver"
)

// permissions are what the calls need, each on the secret but for the two that say otherwise (Secret Manager documentation,
// "Access control with IAM").
var permissions = map[string]string{
	"AccessSecretVersion":  "secretmanager.versions.access",
	"AddSecretVersion":     "secretmanager.versions.add",
	"CreateSecret":         "secretmanager.secrets.create",
	"DeleteSecret":         "secretmanager.secrets.delete",
	"DestroySecretVersion": "secretmanager.versions.destroy",
	"GetSecret":            "secretmanager.secrets.get",
	"ListSecretVersions":   "secretmanager.versions.list",
	"ListSecrets":          "secretmanager.secrets.list",
	"UpdateSecret":         "secretmanager.secrets.update",
}

// callError is an error of one call of the API.
type callError struct {
	op  string
	err error
}

func (e *callError) Error() string { return e.op + ": " + e.err.Error() }

func (e *callError) Unwrap() error { return e.err }

// in names the call that an error is of.
func in(op string, err error) error {
	if err == nil {
		return nil
	}
	return &callError{op, err}
}

// errorOf makes the error of a method out of that of a call for it, or of what this package found out by itself.
func (s *secrets) errorOf(ctx context.Context, op, name string, a *attempts, err error) error {
	var call *callError
	if errors.As(err, &call) {
		op, err = call.op, s.cause(ctx, call)
	}
	return &driver.Error{Op: op, Name: name, Secret: s.FullName(name), Resent: a.resent, Err: err}
}

// cause says what an error of a call means and what to do about it.
func (s *secrets) cause(ctx context.Context, e *callError) error {
	if errors.Is(e.err, errTooLate) {
		return fmt.Errorf("%w: %w", errTooLate, driver.ErrConflict)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("given up: %w", ctx.Err())
	}
	code := codeOf(e.err)
	explain := func(kind error, format string, args ...any) error {
		// Not wrapped: a timeout of one attempt is no end of the caller's context.
		return fmt.Errorf("%s: %w (%s%s)", fmt.Sprintf(format, args...), kind, code, quote(e))
	}
	switch code {
	case codes.NotFound:
		return driver.ErrNotFound
	case codes.PermissionDenied:
		return s.denied(e.op)
	case codes.Unauthenticated:
		return explain(driver.ErrPermission, "the client's credentials are missing or have expired; log in again")
	case codes.ResourceExhausted:
		return explain(driver.ErrQuota, "throttled; send less, use regional secrets, which have a quota 40 times as large, or raise the project's")
	case codes.InvalidArgument, codes.Unimplemented:
		return explain(driver.ErrInvalid, "the request is refused; check the parent %q, and that the client's endpoint is that of its location", s.parent)
	case codes.FailedPrecondition, codes.Aborted:
		if e.op == "AccessSecretVersion" {
			return errNotEnabled
		}
		return fmt.Errorf("another writer was faster: %w", driver.ErrConflict)
	}
	return explain(driver.ErrUnavailable, "no answer; try again, and check the client's endpoint")
}

// errNotEnabled is about a version that the alias stands for and that cannot be read.
var errNotEnabled = fmt.Errorf("the version is disabled or destroyed; enable it, or delete the secret and save the token again: %w", driver.ErrUnavailable)

// denied explains what a missing right and, with rights to single secrets, a missing secret get alike.
func (s *secrets) denied(op string) error {
	switch op {
	case "CreateSecret", "ListSecrets":
		return fmt.Errorf("the client needs the permission %s on %s: %w", permissions[op], s.parent, driver.ErrPermission)
	}
	return fmt.Errorf("the client needs the permission %s on the secret, or the secret does not exist: %w", permissions[op], driver.ErrPermission)
}

// quote is what Google says, on one line, of a call that sends no payload.
func quote(e *callError) string {
	st, ok := status.FromError(e.err)
	if e.op == "AddSecretVersion" || !ok || st.Message() == "" {
		return ""
	}
	return ": " + strings.Join(strings.Fields(st.Message()), " ")
}

// codeOf is the code of an error of the client. Over REST the client makes it of the HTTP status, which several codes
// share; the reply has it in words.
func codeOf(err error) codes.Code {
	var reply *googleapi.Error
	if errors.As(err, &reply) {
		var body struct {
			Error struct{ Status json.RawMessage }
		}
		var code codes.Code
		if json.Unmarshal([]byte(reply.Body), &body) == nil && code.UnmarshalJSON(body.Error.Status) == nil && code != codes.OK {
			return code
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return codes.DeadlineExceeded
	}
	return status.Code(err)
}

func hasCode(err error, any ...codes.Code) bool {
	if err == nil || errors.Is(err, errTooLate) {
		return false
	}
	code := codeOf(err)
	for _, c := range any {
		if c == code {
			return true
		}
	}
	return false
}

func absent(err error) bool { return hasCode(err, codes.NotFound) }

// mismatch tells whether an etag is not the current one: FAILED_PRECONDITION as documented, ABORTED as AIP-154 has it.
func mismatch(err error) bool { return hasCode(err, codes.FailedPrecondition, codes.Aborted) }

// notEnabled tells whether a version that was to be read is disabled or destroyed. The codes are those of mismatch: it is
// the call that tells them apart.
func notEnabled(err error) bool { return hasCode(err, codes.FailedPrecondition, codes.Aborted) }

// exists tells whether a secret could not be made because there is one. ABORTED is what a race of two may end in.
func exists(err error) bool { return hasCode(err, codes.AlreadyExists, codes.Aborted) }
