package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// call is one call of Vault's API.
type call struct {
	method     string
	kind       string // "data", "metadata" and so on, for the name of the call
	path       string // all of it
	query      url.Values
	body       any
	capability string // that a policy must have on path
}

// op is the name of the call, for errors.
func (c call) op() string { return c.method + " " + c.kind }

// on is a call about one secret.
func (s *secrets) on(method, kind, name, capability string) call {
	return call{method: method, kind: kind, path: s.mount + "/" + kind + "/" + s.prefix + "/" + name, capability: capability}
}

// A mount that was just made, or just got its second version, answers for a moment that it is being upgraded.
const (
	upgradePause = 50 * time.Millisecond
	upgradeTries = 100
)

// send sends a call. What is not there is nil, without an error. Other errors are those of package api.
func (s *secrets) send(ctx context.Context, c call, a *attempts) (*api.Secret, error) {
	ctx, cancel := context.WithCancel(a.watched(ctx))
	defer cancel()
	for try := 1; ; try++ {
		secret, err := s.once(ctx, c)
		if !upgrading(err) || try == upgradeTries {
			return secret, err
		}
		if err := s.pause(ctx, upgradePause); err != nil {
			return nil, err
		}
	}
}

// raw sends a call and returns the reply, beside the error too where there is one. ctx is one of watched.
func (s *secrets) raw(ctx context.Context, c call) (*api.Response, error) {
	method, query := c.method, c.query
	if method == "LIST" {
		method, query = http.MethodGet, url.Values{"list": {"true"}} // as the client does: not every proxy knows LIST
	}
	r := s.client.NewRequest(method, "/v1/"+c.path)
	r.WrapTTL = "" // the reply is for us
	if query != nil {
		r.Params = query
	}
	if c.body != nil {
		if err := r.SetJSONBody(c.body); err != nil {
			return nil, err
		}
	}
	//lint:ignore SA1019 the methods of Logical would use the token and headers of the sender
	return s.sender.RawRequestWithContext(ctx, r)
}

func (s *secrets) once(ctx context.Context, c call) (*api.Secret, error) {
	resp, err := s.raw(ctx, c)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if resp != nil && resp.StatusCode == http.StatusNotFound && (c.method == http.MethodGet || c.method == "LIST") {
		return missing(resp)
	}
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%w: HTTP status %d", errNotVault, resp.StatusCode)
	}
	if resp.StatusCode == http.StatusNoContent {
		return &api.Secret{}, nil
	}
	secret, err := api.ParseSecret(resp.Body)
	if err != nil || secret == nil {
		return nil, errNotVault
	}
	return secret, nil
}

// missing tells what a 404 is about: the metadata of a version that was deleted, or nothing.
func missing(resp *api.Response) (*api.Secret, error) {
	secret, err := api.ParseSecret(resp.Body)
	if err != nil && !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return nil, fmt.Errorf("%w: HTTP status %d", errNotVault, resp.StatusCode)
	}
	if err != nil || secret == nil || len(secret.Data) == 0 {
		return nil, nil
	}
	return secret, nil
}

// errNotVault stands for a reply that cannot be read, perhaps because it was cut off.
var errNotVault = errors.New("the reply is not one of Vault")

// says tells whether Vault answered with a status and a text.
func says(err error, status int, text string) bool {
	var reply *api.ResponseError
	return errors.As(err, &reply) && reply.StatusCode == status && strings.Contains(strings.Join(reply.Errors, "\n"), text)
}

func upgrading(err error) bool {
	return says(err, http.StatusBadRequest, "Upgrading from non-versioned to versioned data")
}

// mismatch tells whether the version named by cas is not the current one.
func mismatch(err error) bool {
	return says(err, http.StatusBadRequest, "check-and-set parameter did not match")
}

// errMismatch is what mismatch is true for.
var errMismatch = &api.ResponseError{StatusCode: http.StatusBadRequest, Errors: []string{"check-and-set parameter did not match"}}

func forbidden(err error) bool { return says(err, http.StatusForbidden, "") }
