// Package faults lets an operation of a program meet a fault at a chosen request to a Secrets Manager. It is for tests that
// enumerate them: each operation, each of its requests, each fault.
//
// It works in a bubble of testing/synctest: pauses, leases and days pass at once, while requests, which go through real
// connections to a server outside of the bubble, take no time at all.
package faults

import (
	"context"
	"time"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// Fault is what goes wrong with a request.
type Fault struct {
	Name string

	Effect   localstack.Effect // what the server does to the request
	Repeated bool              // and to all that follow while the operation goes on
	Behind   int               // a late request is executed after so many others; 0: after the operation has ended
	Leaves   bool              // the caller's context ends while the request is held, or before its reply is seen
	Dies     bool              // the process ends with the request, executed or not as Effect says
}

// All are the faults that a test enumerates.
var All = []Fault{
	{Name: "fails before it takes effect", Effect: localstack.FailBefore},
	{Name: "throttled", Effect: localstack.Throttle},
	{Name: "cut off before", Effect: localstack.CutBefore},
	{Name: "fails after it took effect", Effect: localstack.FailAfter},
	{Name: "reply lost", Effect: localstack.CutAfter},
	{Name: "late, after the next", Effect: localstack.Late, Behind: 1},
	{Name: "late, after the end", Effect: localstack.Late},
	{Name: "held, the caller leaves", Effect: localstack.Hold, Leaves: true},
	{Name: "cut off before, the caller leaves", Effect: localstack.CutBefore, Leaves: true},
	{Name: "all fail before", Effect: localstack.FailBefore, Repeated: true},
	{Name: "all throttled", Effect: localstack.Throttle, Repeated: true},
	{Name: "all cut off before", Effect: localstack.CutBefore, Repeated: true},
	{Name: "all fail after", Effect: localstack.FailAfter, Repeated: true},
	{Name: "all replies lost", Effect: localstack.CutAfter, Repeated: true},
	{Name: "process dies before", Effect: localstack.CutBefore, Dies: true},
	{Name: "process dies after", Effect: localstack.CutAfter, Dies: true},
}

// most is more requests than an operation makes while all of them fail.
const most = 500

// settled is a time in which everything that a process does on its own ends.
const settled = time.Minute

// Meet runs an operation of a process, whose n-th request from now on meets the fault, and waits until nothing of both
// goes on. It reports whether there was such a request. The error of a process that died is nobody's.
func (p *Process) Meet(ctx context.Context, f Fault, n int, do func(context.Context) error) (met bool, err error) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	if f.Dies {
		p.wire.die(n, f.Effect == localstack.CutAfter, leave)
		err = do(ctx)
		time.Sleep(settled)
		return p.Dead(), err
	}
	injected := p.account.inject(f, n)
	if f.Leaves {
		p.wire.watch(injected[0], leave)
	}
	err = do(ctx)
	met = injected[0].Met()
	for _, one := range injected {
		p.account.tick()
		one.Release()
	}
	time.Sleep(settled)
	return met, err
}
