package gcpsmtest

import (
	"context"
	"net/http"
	"path"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/tokenkeep/tokenkeep/internal/inject"
)

// method is one of the methods that the server has.
type method struct {
	permission string
	form       string // of the resource name that the request has
	quota      string // which quota of the project it takes from
	perSecond  string // what has a limit of its own: "secret", "version" or ""
	run        func(*store, name, any) (any, error)
}

// methods has them by their names. Others are UNIMPLEMENTED.
var methods = map[string]method{
	"CreateSecret":         {"secretmanager.secrets.create", parentForm, "write", "", typed((*store).createSecret)},
	"GetSecret":            {"secretmanager.secrets.get", secretForm, "read", "", typed((*store).getSecret)},
	"ListSecrets":          {"secretmanager.secrets.list", parentForm, "read", "", typed((*store).listSecrets)},
	"UpdateSecret":         {"secretmanager.secrets.update", secretForm, "write", "secret", typed((*store).updateSecret)},
	"DeleteSecret":         {"secretmanager.secrets.delete", secretForm, "write", "", typed((*store).deleteSecret)},
	"AddSecretVersion":     {"secretmanager.versions.add", secretForm, "write", "secret", typed((*store).addVersion)},
	"GetSecretVersion":     {"secretmanager.versions.get", versionForm, "read", "", typed((*store).getVersion)},
	"ListSecretVersions":   {"secretmanager.versions.list", secretForm, "read", "", typed((*store).listVersions)},
	"AccessSecretVersion":  {"secretmanager.versions.access", versionForm, "access", "", typed((*store).accessVersion)},
	"EnableSecretVersion":  {"secretmanager.versions.enable", versionForm, "write", "version", typed((*store).enableVersion)},
	"DisableSecretVersion": {"secretmanager.versions.disable", versionForm, "write", "version", typed((*store).disableVersion)},
	"DestroySecretVersion": {"secretmanager.versions.destroy", versionForm, "write", "version", typed((*store).destroyVersion)},
}

// typed makes a method of one type of request a method of any.
func typed[Q, R any](run func(*store, name, Q) (R, error)) func(*store, name, any) (any, error) {
	return func(st *store, n name, req any) (any, error) { return run(st, n, req.(Q)) }
}

// request is a request for one of the methods. Nothing changes its message.
type request struct {
	method    string
	principal string
	resource  string // as the request names it
	name      name   // the same
	err       error  // what is wrong with it
	message   any
}

func newRequest(ctx context.Context, called string, message any) request {
	q := request{method: called, principal: principalOf(ctx), resource: resourceOf(message), message: message}
	q.name, q.err = parseName(q.resource, methods[called].form)
	return q
}

// resourceOf is the resource name that a request has.
func resourceOf(message any) string {
	switch m := message.(type) {
	case *secretmanagerpb.UpdateSecretRequest:
		return m.GetSecret().GetName()
	case interface{ GetName() string }:
		return m.GetName()
	case interface{ GetParent() string }:
		return m.GetParent()
	}
	return ""
}

// secret is the resource name of the secret that a request is for, "" if there is none.
func (q request) secret() string {
	n := q.name
	if create, ok := q.message.(*secretmanagerpb.CreateSecretRequest); ok {
		n.secret = create.GetSecretId()
	}
	if q.err != nil || n.secret == "" {
		return ""
	}
	return n.of()
}

// intercept answers a request for one of the methods in place of the service that gRPC knows, which has none.
func (s *Server) intercept(ctx context.Context, message any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	called := path.Base(info.FullMethod)
	if _, ok := methods[called]; !ok {
		return next(ctx, message)
	}
	_ = grpc.SetHeader(ctx, metadata.Pairs("date", s.date())) // nothing was sent yet
	reply, held, err := s.handle(newRequest(ctx, called, message))
	if held != nil {
		return held.Outcome(ctx)
	}
	return reply, err
}

// date is the time of the server, as replies over HTTP have it.
func (s *Server) date() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store.now().UTC().Format(http.TimeFormat)
}

// handle executes a request, unless a fault has something else in mind.
func (s *Server) handle(q request) (any, *inject.Injected[request, any], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[q.method]++
	return s.faults.Handle(q)
}

// execute runs the method of a request. The mutex is held; the reply holds nothing that changes later.
func (s *Server) execute(q request) (any, error) {
	s.store.tick()
	if q.err != nil {
		return nil, q.err
	}
	m := methods[q.method]
	if s.quotas != nil {
		if err := s.quotas.take(m, q.name, s.store.now()); err != nil {
			return nil, err
		}
	}
	if err := s.authorize(q); err != nil {
		return nil, err
	}
	return m.run(s.store, q.name, q.message)
}
