package gcpsm

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep/driver"
)

// attempts watches the requests of one method. Its calls follow one another; it is not safe for concurrent use.
type attempts struct {
	now      func() time.Time
	notAfter time.Time // zero means any time
	unknown  bool      // an UpdateSecret so far ended without telling whether it took effect
	resent   bool      // one did, and the put may have taken effect although it failed
}

// reads watches requests that may be sent at any time.
func (s *secrets) reads() *attempts { return &attempts{now: s.now} }

// writes watches requests that are not sent after the context's NotAfter.
func (s *secrets) writes(ctx context.Context) *attempts {
	a := s.reads()
	a.notAfter, _ = driver.NotAfter(ctx)
	return a
}

// late tells whether the time to send has passed. Round strips the monotonic reading: a process that was frozen and
// thawed has only the wall clock.
func (a *attempts) late() bool { return !a.notAfter.IsZero() && a.now().Round(0).After(a.notAfter) }

// errTooLate is the error of a request that was not sent because its time had passed.
var errTooLate = errors.New("the time to send this has passed")

const (
	attemptTimeout = 20 * time.Second
	firstPause     = 100 * time.Millisecond
	lastPause      = 5 * time.Second
	manyTries      = 9 // about 12 seconds of pauses
	fewTries       = 3 // of what need not be done now
)

// request is one call of the API, "AccessSecretVersion".
type request[T any] struct {
	op    string
	send  func(ctx context.Context, options ...gax.CallOption) (T, error)
	tell  func(code codes.Code) // what each failed attempt ended with; may be nil
	tries int                   // 0: manyTries
}

// do sends a request, and sends it again while it is throttled or gets no answer and the context has time for it. The
// error is that of the last attempt.
func do[T any](ctx context.Context, s *secrets, a *attempts, r request[T]) (T, error) {
	if r.tries == 0 {
		r.tries = manyTries
	}
	for try, wait := 1, firstPause; ; try, wait = try+1, min(2*wait, lastPause) {
		if err := ctx.Err(); err != nil {
			var none T
			return none, err
		}
		reply, err := once(ctx, a, r)
		if err == nil || errors.Is(err, errTooLate) {
			return reply, err
		}
		code := codeOf(err)
		if r.tell != nil {
			r.tell(code)
		}
		pause := wait/2 + rand.N(wait/2)
		if !transient(code) || try == r.tries || ctx.Err() != nil || endsWithin(ctx, pause) {
			return reply, err
		}
		if s.pause(ctx, pause) != nil {
			return reply, err
		}
	}
}

func once[T any](ctx context.Context, a *attempts, r request[T]) (T, error) {
	var none T
	if a.late() {
		return none, errTooLate
	}
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	gate := &gate{attempts: a}
	reply, err := r.send(attempt,
		gax.WithRetry(func() gax.Retryer { return nil }), // ours know the time after which nothing may be sent
		gax.WithGRPCOptions(grpc.PerRPCCredentials(gate)))
	if gate.shut {
		return none, errTooLate
	}
	return reply, err
}

// gate is asked by gRPC for metadata immediately before a request goes out, as late as a connection took to be made.
type gate struct {
	*attempts
	shut bool // set before the call returns
}

// GetRequestMetadata has none, and refuses what is too late.
func (g *gate) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if g.late() {
		g.shut = true
		return nil, errTooLate
	}
	return nil, nil
}

// RequireTransportSecurity says that no metadata is no secret.
func (g *gate) RequireTransportSecurity() bool { return false }

func endsWithin(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= d
}

// transient tells whether the same request may succeed a moment later.
func transient(code codes.Code) bool { return code == codes.ResourceExhausted || unanswered(code) }

// unanswered tells whether the request may have been executed although this is what it ended with.
func unanswered(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Internal, codes.Unknown, codes.Canceled:
		return true
	}
	return false
}
