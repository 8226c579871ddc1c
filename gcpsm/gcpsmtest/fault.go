package gcpsmtest

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/inject"
)

// Effect is what a Fault does to the request that meets it.
type Effect string

// The effects. What a request changes is changed when it is executed, whatever its client is told.
const (
	// FailBefore does not execute the request and answers INTERNAL.
	FailBefore = Effect(inject.FailBefore)
	// Throttle does not execute the request and answers RESOURCE_EXHAUSTED.
	Throttle = Effect(inject.Throttle)
	// CutBefore does not execute the request and answers UNAVAILABLE, in the words in which a client of gRPC says that the
	// connection ended. The connection stays, for the sake of the other requests on it.
	CutBefore = Effect(inject.CutBefore)
	// FailAfter executes the request and answers INTERNAL.
	FailAfter = Effect(inject.FailAfter)
	// CutAfter executes the request and answers as CutBefore does.
	CutAfter = Effect(inject.CutAfter)
	// Hold keeps the request and its client waiting; it is executed, and then answered, when it is released. A client that
	// gives up before, or is cut off by Close, changes nothing for the request.
	Hold = Effect(inject.Hold)
	// Late answers as CutBefore does and keeps the request; it is executed when it is released.
	Late = Effect(inject.Late)
)

// Fault is something that goes wrong with one request. The zero Fault is the next request that fails before it is
// executed.
type Fault struct {
	// Method limits the fault to requests for a method such as "AddSecretVersion". "" is any method.
	Method string

	// Secret limits the fault to requests that name a secret or a version of it, by its resource name such as
	// "projects/p/secrets/s", with the ID or the number of the project. "" is any request.
	Secret string

	// Request is which of the requests that Method and Secret leave meets the fault: 1 is the first after Inject, as is 0.
	// A retry of a client is a request of its own.
	Request int

	// Effect is what happens to the request. What is none of the effects above is FailBefore.
	Effect Effect

	// Behind releases a request that is held or late once so many further requests, for any methods, have been dealt with.
	// With 0 it waits for Release.
	Behind int
}

// Injected is a Fault that waits for its request or has met it. Its methods are safe for concurrent use.
type Injected struct {
	in *inject.Injected[request, any]
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
	if f.Method != "" && f.Method != q.method {
		return false
	}
	if f.Secret == "" {
		return true
	}
	n, err := parseName(f.Secret, secretForm)
	return err == nil && n.of() == q.secret()
}
