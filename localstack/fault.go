package localstack

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/inject"
)

// Effect is what a Fault does to the request that meets it.
type Effect string

// The effects. What a request changes is changed when it is executed, whatever its client is told.
const (
	// FailBefore does not execute the request and answers InternalServiceError.
	FailBefore = Effect(inject.FailBefore)
	// Throttle does not execute the request and answers ThrottlingException.
	Throttle = Effect(inject.Throttle)
	// CutBefore does not execute the request and closes its connection without an answer.
	CutBefore = Effect(inject.CutBefore)
	// FailAfter executes the request and answers InternalServiceError.
	FailAfter = Effect(inject.FailAfter)
	// CutAfter executes the request and closes its connection without an answer.
	CutAfter = Effect(inject.CutAfter)
	// Hold keeps the request and its client waiting; it is executed, and then answered, when it is released. A client that
	// gives up before, or is cut off by Close, changes nothing for the request.
	Hold = Effect(inject.Hold)
	// Late closes the connection without an answer and keeps the request; it is executed when it is released.
	Late = Effect(inject.Late)
)

// Fault is something that goes wrong with one request. The zero Fault is the next request that fails before it is
// executed.
type Fault struct {
	// Action limits the fault to requests for an action such as "PutSecretValue". "" is any action.
	Action string

	// Secret limits the fault to requests that name the secret with this name, by the name or an ARN. "" is any request.
	Secret string

	// Request is which of the requests that Action and Secret leave meets the fault: 1 is the first after Inject, as is 0.
	// A retry of an SDK is a request of its own.
	Request int

	// Effect is what happens to the request. What is none of the effects above is FailBefore.
	Effect Effect

	// Behind releases a request that is held or late once so many further requests, for any actions, have been dealt with.
	// With 0 it waits for Release.
	Behind int
}

// errCut closes the connection in place of an answer.
var errCut = errors.New("the connection was cut")

// Injected is a Fault that waits for its request or has met it. Its methods are safe for concurrent use.
type Injected struct {
	in *inject.Injected[request, []byte]
}

// Inject makes a request of the future meet a fault. Each call is for one request, and a request meets one fault at most:
// of several that are due the one injected first, and the next requests that match meet the others. Calls counts the
// request however it ends.
func (s *Server) Inject(f Fault) *Injected {
	return &Injected{s.faults.Inject(inject.Fault[request]{
		Matches: f.matches, Request: f.Request, Effect: inject.Effect(f.Effect), Behind: f.Behind,
	})}
}

// Met says whether a request has met the fault.
func (in *Injected) Met() bool { return in.in.Met() }

// Wait returns when a request meets the fault, or with the error of ctx when that ends first.
func (in *Injected) Wait(ctx context.Context) error { return in.in.Wait(ctx) }

// Release executes the request that is held or late, and returns when that is done. Where no request has met the fault,
// none will. For latency, let it be called later: time.AfterFunc(d, injected.Release). Releasing again does nothing.
func (in *Injected) Release() { in.in.Release() }

func (f Fault) matches(q request) bool {
	return (f.Action == "" || f.Action == q.action) && (f.Secret == "" || q.names(f.Secret))
}

// names says whether the request names a secret, by its name or any ARN that the name has or had.
func (q request) names(secret string) bool {
	var in struct {
		Name, SecretId string
		SecretIdList   []string
	}
	if decode(q.body, &in) != nil {
		return false
	}
	switch q.action {
	case "CreateSecret":
		return in.Name == secret
	case "ListSecrets":
		return false
	case "BatchGetSecretValue":
		return slices.ContainsFunc(in.SecretIdList, func(id string) bool { return isOf(id, secret) })
	}
	return isOf(in.SecretId, secret)
}

// isOf says whether id is the name of a secret, or an ARN of it with or without the random suffix.
func isOf(id, name string) bool {
	rest, isARN := strings.CutPrefix(id, arnPrefix)
	suffix, ok := strings.CutPrefix(rest, name+"-")
	return rest == name || isARN && ok && len(suffix) == suffixLength
}
