// Package inject makes single requests to a server meet a fault. It is what Inject of the servers in localstack and gcpsmtest
// has in common: when a fault is due, what becomes of a request that is kept, and how a test learns of it. What an error or a
// broken connection looks like is the server's.
package inject

import (
	"context"
	"slices"
	"sync"
)

// Effect is what a Fault does to the request that meets it.
type Effect string

// The effects, as the servers document them.
const (
	FailBefore Effect = "fail before"
	Throttle   Effect = "throttle"
	CutBefore  Effect = "cut before"
	FailAfter  Effect = "fail after"
	CutAfter   Effect = "cut after"
	Hold       Effect = "hold"
	Late       Effect = "late"
)

// Fault is something that goes wrong with one request.
type Fault[Q any] struct {
	Matches func(Q) bool
	Request int // which of those that match; 1 is the first, as is 0
	Effect  Effect
	Behind  int // how many further requests release one that is kept; 0: only Release does
}

// Faults are those of a server with requests Q and replies A.
type Faults[Q, A any] struct {
	Lock    sync.Locker // guards the server and its faults
	Execute func(Q) (A, error)

	Internal, Throttled, Cut error // what a client is told

	pending []*Injected[Q, A] // those that wait for a request, or with one
}

// Injected is a Fault that waits for its request or has met it.
type Injected[Q, A any] struct {
	faults *Faults[Q, A]
	fault  Fault[Q]
	ahead  int           // how many matching requests come before the one that meets the fault
	met    chan struct{} // closed when it does

	kept   *Q // until it is executed
	behind int
	done   chan struct{}
	reply  A // these two once done is closed
	err    error
}

// Inject adds a fault.
func (s *Faults[Q, A]) Inject(f Fault[Q]) *Injected[Q, A] {
	in := &Injected[Q, A]{
		faults: s, fault: f, ahead: f.Request - 1, behind: f.Behind,
		met: make(chan struct{}), done: make(chan struct{}),
	}
	s.Lock.Lock()
	defer s.Lock.Unlock()
	s.pending = append(s.pending, in)
	return in
}

// Met says whether a request has met the fault.
func (in *Injected[Q, A]) Met() bool {
	select {
	case <-in.met:
		return true
	default:
		return false
	}
}

// Wait returns when a request meets the fault, or with the error of ctx when that ends first.
func (in *Injected[Q, A]) Wait(ctx context.Context) error {
	select {
	case <-in.met:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release executes the request that is kept, and returns when that is done. Where no request has met the fault, none will.
func (in *Injected[Q, A]) Release() {
	in.faults.Lock.Lock()
	defer in.faults.Lock.Unlock()
	if in.kept != nil {
		in.execute()
		return
	}
	in.remove()
}

// Handle answers a request, or returns the fault that holds it. The lock is held.
func (s *Faults[Q, A]) Handle(q Q) (A, *Injected[Q, A], error) {
	var due *Injected[Q, A]
	var released []*Injected[Q, A]
	for _, in := range s.pending {
		switch {
		case in.kept != nil:
			if in.behind--; in.behind == 0 {
				released = append(released, in)
			}
		case in.fault.Matches(q):
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
func (s *Faults[Q, A]) befall(q Q, in *Injected[Q, A]) (none A, held *Injected[Q, A], err error) {
	if in == nil {
		reply, err := s.Execute(q)
		return reply, nil, err
	}
	close(in.met)
	switch in.fault.Effect {
	case Hold:
		in.kept = &q
		return none, in, nil
	case Late:
		in.kept = &q
		return none, nil, s.Cut
	}
	in.remove()
	switch in.fault.Effect {
	case Throttle:
		return none, nil, s.Throttled
	case CutBefore:
		return none, nil, s.Cut
	case FailAfter:
		_, _ = s.Execute(q)
		return none, nil, s.Internal
	case CutAfter:
		_, _ = s.Execute(q)
		return none, nil, s.Cut
	}
	return none, nil, s.Internal
}

// execute executes the request that was kept.
func (in *Injected[Q, A]) execute() {
	in.reply, in.err = in.faults.Execute(*in.kept)
	in.kept = nil
	in.remove()
	close(in.done)
}

// remove takes a fault off the list.
func (in *Injected[Q, A]) remove() {
	in.faults.pending = slices.DeleteFunc(in.faults.pending, func(other *Injected[Q, A]) bool { return other == in })
}

// Outcome waits for the answer of a request that is held, as long as its client does.
func (in *Injected[Q, A]) Outcome(ctx context.Context) (none A, err error) {
	select {
	case <-in.done:
		return in.reply, in.err
	case <-ctx.Done():
		return none, in.faults.Cut
	}
}
