package faults

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// Outside is a place outside of the bubble. What has channels that both sides use is made there.
type Outside struct {
	jobs chan func()
	done chan struct{}
}

// NewOutside returns one that lasts as long as the test. It is called before the bubble begins.
func NewOutside(t *testing.T) Outside {
	o := Outside{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		for job := range o.jobs {
			job()
			o.done <- struct{}{}
		}
	}()
	t.Cleanup(func() { close(o.jobs) })
	return o
}

// run runs f, and returns when it has.
func (o Outside) run(f func()) {
	o.jobs <- f
	<-o.done
}

// Account is a strict Secrets Manager, empty at first, whose clock is that of the bubble.
type Account struct {
	*localstack.Server
	outside Outside
	now     atomic.Int64
}

// Open starts an account. Close it within the bubble.
func (o Outside) Open() (a *Account, err error) {
	a = &Account{outside: o}
	a.tick()
	o.run(func() {
		a.Server, err = localstack.Start(localstack.WithClock(func() time.Time { return time.Unix(0, a.now.Load()) }))
	})
	return a, err
}

// Close ends the account.
func (a *Account) Close() { a.outside.run(a.Server.Close) }

// tick tells the server the time in the bubble.
func (a *Account) tick() { a.now.Store(time.Now().UnixNano()) }

func (a *Account) inject(f Fault, n int) []*localstack.Injected {
	injected := make([]*localstack.Injected, 1)
	if f.Repeated {
		injected = make([]*localstack.Injected, most)
	}
	a.outside.run(func() {
		for i := range injected {
			injected[i] = a.Inject(localstack.Fault{Request: n, Effect: f.Effect, Behind: f.Behind})
		}
	})
	return injected
}

// writing are the actions that change something.
var writing = []string{"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "DeleteSecret", "RestoreSecret"}

// Writes returns how many requests since the last ResetCalls were to change something, in vain or not.
func (a *Account) Writes() int {
	n, calls := 0, a.Calls()
	for _, action := range writing {
		n += calls[action]
	}
	return n
}
