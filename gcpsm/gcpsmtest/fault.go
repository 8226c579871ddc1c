package gcpsmtest

import (
	"context"
	"slices"
)

// Effect is what a Fault does to the request that meets it.
type Effect string

// The effects. What a request changes is changed when it is executed, whatever its client is told.
const (
	// FailBefore does not execute the request and answers INTERNAL.
	FailBefore Effect = "fail before"
	// Throttle does not execute the request and answers RESOURCE_EXHAUSTED.
	Throttle Effect = "throttle"
	// CutBefore does not execute the request and answers UNAVAILABLE, in the words in which a client of gRPC says that the
	// connection ended. The connection stays, for the sake of the other requests on it.
	CutBefore Effect = "cut before"
	// FailAfter executes the request and answers INTERNAL.
	FailAfter Effect = "fail after"
	// CutAfter executes the request and answers as CutBefore does.
	CutAfter Effect = "cut after"
	// Hold keeps the request and its client waiting; it is executed, and then answered, when it is released. A client that
	// gives up before, or is cut off by Close, changes nothing for the request.
	Hold Effect = "hold"
	// Late answers as CutBefore does and keeps the request; it is executed when it is released.
	Late Effect = "late"
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
	server *Server
	fault  Fault
	ahead  int           // how many matching requests come before the one that meets the fault
	met    chan struct{} // closed when it does

	kept   *request // until it is executed
	behind int      // how many further requests release it; not over 0: none
	done   chan struct{}
	reply  any // these two once done is closed
	err    error
}

// Inject makes a request of the future meet a fault. Each call is for one request, and a request meets one fault at most:
// of several that are due the one injected first, and the next requests that match meet the others. Calls counts the
// request however it ends.
func (s *Server) Inject(f Fault) *Injected {
	in := &Injected{
		server: s, fault: f, ahead: f.Request - 1, behind: f.Behind,
		met: make(chan struct{}), done: make(chan struct{}),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, in)
	return in
}

// Met says whether a request has met the fault.
func (in *Injected) Met() bool {
	select {
	case <-in.met:
		return true
	default:
		return false
	}
}

// Wait returns when a request meets the fault, or with the error of ctx when that ends first.
func (in *Injected) Wait(ctx context.Context) error {
	select {
	case <-in.met:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release executes the request that is held or late, and returns when that is done. Where no request has met the fault,
// none will. For latency, let it be called later: time.AfterFunc(d, injected.Release). Releasing again does nothing.
func (in *Injected) Release() {
	in.server.mu.Lock()
	defer in.server.mu.Unlock()
	if in.kept != nil {
		in.execute()
		return
	}
	in.remove()
}

// meet answers a request while there are faults. A request that is held is answered by the Injected that it returns. The
// server's mutex is held.
func (s *Server) meet(q request) (any, *Injected, error) {
	var due *Injected
	var released []*Injected
	for _, in := range s.faults {
		switch {
		case in.kept != nil:
			if in.behind--; in.behind == 0 {
				released = append(released, in)
			}
		case in.fault.matches(q):
			if in.ahead--; in.ahead < 0 && due == nil {
				due = in
			}
		}
	}
	reply, held, err := s.befall(q, due)
	for _, in := range released {
		in.execute()
	}
	return reply, held, err
}

// befall answers a request that meets a fault, or none.
func (s *Server) befall(q request, in *Injected) (any, *Injected, error) {
	if in == nil {
		reply, err := s.execute(q)
		return reply, nil, err
	}
	close(in.met)
	switch in.fault.Effect {
	case Hold:
		in.kept = &q
		return nil, in, nil
	case Late:
		in.kept = &q
		return nil, nil, errCut
	}
	in.remove()
	switch in.fault.Effect {
	case Throttle:
		return nil, nil, errThrottle
	case CutBefore:
		return nil, nil, errCut
	case FailAfter:
		_, _ = s.execute(q)
		return nil, nil, errInternal
	case CutAfter:
		_, _ = s.execute(q)
		return nil, nil, errCut
	}
	return nil, nil, errInternal
}

// execute executes the request that was kept. The server's mutex is held.
func (in *Injected) execute() {
	in.reply, in.err = in.server.execute(*in.kept)
	in.kept = nil
	in.remove()
	close(in.done)
}

// remove takes a fault off the list. The server's mutex is held.
func (in *Injected) remove() {
	in.server.faults = slices.DeleteFunc(in.server.faults, func(other *Injected) bool { return other == in })
}

// outcome waits for the answer of a held request, as long as its client does.
func (in *Injected) outcome(ctx context.Context) (any, error) {
	select {
	case <-in.done:
		return in.reply, in.err
	case <-ctx.Done():
		return nil, errCut
	}
}

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
