package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep/driver"
)

// fail makes the error of a method out of the error of one call for it.
func (s *secrets) fail(ctx context.Context, c call, name string, a *attempts, err error) error {
	return s.errorOf(c.op(), name, a, s.cause(ctx, c, a, err))
}

// errorOf wraps what this package found out by itself.
func (s *secrets) errorOf(op, name string, a *attempts, err error) error {
	return &driver.Error{Op: op, Name: name, Secret: s.FullName(name), Resent: a.resent, Err: err}
}

// cause says what an error of a call means and what to do about it.
func (s *secrets) cause(ctx context.Context, c call, a *attempts, err error) error {
	var reply *api.ResponseError
	switch {
	case errors.Is(err, errTooLate):
		return fmt.Errorf("%w: %w", errTooLate, driver.ErrConflict)
	case errors.As(err, &reply) && reply.StatusCode == http.StatusForbidden:
		return s.denied(ctx, c)
	case errors.As(err, &reply):
		return s.replyCause(c, reply)
	case ctx.Err() != nil:
		return fmt.Errorf("given up: %w", ctx.Err())
	case errors.Is(err, errNotVault):
		return fmt.Errorf("%w; check the address of the client, and what is between it and Vault: %w", err, driver.ErrUnavailable)
	}
	// Not wrapped: a timeout of the client is no end of the caller's context.
	return fmt.Errorf("no answer; check the address of the client and its timeout: %w (%v)", driver.ErrUnavailable, err)
}

// replyCause sorts the statuses of Vault's API, and a few of its texts.
func (s *secrets) replyCause(c call, reply *api.ResponseError) error {
	text := strings.Join(reply.Errors, "\n")
	explain := func(kind error, format string, args ...any) error {
		return fmt.Errorf("%s: %w (HTTP status %d%s)", fmt.Sprintf(format, args...), kind, reply.StatusCode, quote(c, reply))
	}
	switch status := reply.StatusCode; {
	case status == http.StatusRequestEntityTooLarge, strings.Contains(text, "value being too large"):
		return explain(driver.ErrTooLarge, "the storage refuses a secret of this size; set Options.MaxPayload to what it takes")
	case status == http.StatusBadRequest && strings.Contains(text, "check-and-set parameter did not match"):
		return fmt.Errorf("another writer was faster: %w", driver.ErrConflict)
	case upgrading(reply):
		return explain(driver.ErrUnavailable, "the mount %q is being upgraded to version 2; try again", s.mount)
	case status == http.StatusNotFound && strings.Contains(text, "namespace not found"):
		return explain(driver.ErrInvalid, "the namespace is not there; check Options.Namespace")
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		s.mounted.Store(false) // it was moved or exchanged since
		return explain(driver.ErrInvalid, "there is no KV engine of version 2 at the mount %q%s; check Options.Mount", s.mount, s.inNamespace())
	case status == http.StatusTooManyRequests:
		return explain(driver.ErrUnavailable, "throttled by a rate limit quota; send less, or raise the quota or MaxRetries of the client")
	case status == http.StatusPreconditionFailed:
		return explain(driver.ErrUnavailable, "this node has not caught up with what was written before; try again")
	case status == 472, status == 473:
		return explain(driver.ErrUnavailable, "this node is a standby; check the address of the client")
	case status == http.StatusServiceUnavailable && strings.Contains(text, "sealed"):
		return explain(driver.ErrUnavailable, `Vault is sealed; somebody must run "vault operator unseal"`)
	case status >= 500:
		return explain(driver.ErrUnavailable, "Vault fails, or what is before it; try again")
	}
	return explain(driver.ErrInvalid, "the request is refused")
}

// quote is what Vault says, on one line, where it cannot repeat what was sent.
func quote(c call, reply *api.ResponseError) string {
	if c.method == http.MethodPut || reply.RawError || len(reply.Errors) == 0 {
		return ""
	}
	return ": " + strings.Join(strings.Fields(strings.Join(reply.Errors, "; ")), " ")
}

// denied explains a 403, which a policy and a dead token get alike: 1 call.
func (s *secrets) denied(ctx context.Context, c call) error {
	if err := s.deadToken(ctx); err != nil {
		return err
	}
	return lacks(c)
}

// lacks names the line that the policy has not.
func lacks(c call) error {
	return fmt.Errorf("the policy of the client's token must allow %q on the path %q: %w", c.capability, c.path, driver.ErrPermission)
}

// deadToken returns an error where the token is not known to live.
func (s *secrets) deadToken(ctx context.Context) error {
	c := call{method: http.MethodGet, kind: "auth/token/lookup-self", path: "auth/token/lookup-self"}
	_, err := s.send(ctx, c, s.reads())
	switch {
	case err == nil:
		return nil
	case forbidden(err):
		return fmt.Errorf("the client's token is missing, has expired or was revoked: log in again, and SetToken; "+
			"or, if its policy does not allow auth/token/lookup-self, it may lack a right: %w", driver.ErrPermission)
	}
	return fmt.Errorf("the client's token has expired, or its policy lacks a right; which of them could not be found out: %w", driver.ErrPermission)
}
