package awssm

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/tokenkeep/tokenkeep/driver"
)

// attempts watches every request of one method, the SDK's retries included. Its calls follow one another; it is
// not safe for concurrent use.
type attempts struct {
	now      func() time.Time
	notAfter time.Time // zero means any time
	sent     int       // requests that went out in the call at hand
	unknown  bool      // one so far ended without telling whether it took effect
	resent   bool      // such a one was followed by another
}

// reads watches requests that may be sent at any time.
func (s *secrets) reads() *attempts { return &attempts{now: s.now} }

// writes watches requests that are not sent after the context's NotAfter.
func (s *secrets) writes(ctx context.Context) *attempts {
	a := s.reads()
	a.notAfter, _ = driver.NotAfter(ctx)
	return a
}

// aside watches calls on the way to a put that are no put themselves: what becomes of them says nothing about it.
func (a *attempts) aside() *attempts {
	other := *a
	return &other
}

// option is for the options of one call of the client.
func (a *attempts) option(o *secretsmanager.Options) {
	a.sent = 0
	o.APIOptions = append(o.APIOptions[:len(o.APIOptions):len(o.APIOptions)], a.watch)
}

func (a *attempts) watch(stack *middleware.Stack) error {
	// After "Retry", so that it runs on each attempt, and after "Signing", which may wait for credentials.
	return stack.Finalize.Add(a, middleware.After)
}

// ID is the name of the middleware that attempts is to the SDK.
func (a *attempts) ID() string { return "tokenkeepAttempts" }

// HandleFinalize sends one request.
func (a *attempts) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	a.resent = a.unknown
	// Round strips the monotonic reading: a process that was frozen and thawed has only the wall clock.
	if !a.notAfter.IsZero() && a.now().Round(0).After(a.notAfter) {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, tooLate{}
	}
	a.sent++
	out, metadata, err := next.HandleFinalize(ctx, in)
	if err != nil && unreadable(err) {
		err = unreadableReply{}
	}
	a.unknown = a.unknown || err != nil && mayHaveTakenEffect(err)
	return out, metadata, err
}

// tooLate is the error of a request that was not sent because its time had passed.
type tooLate struct{}

func (tooLate) Error() string        { return "the time to send this has passed" }
func (tooLate) RetryableError() bool { return false }

// unreadableReply stands for a success whose body cannot be decoded, perhaps because it was cut off. The SDK's own
// error is not retried, and it carries the body.
type unreadableReply struct{}

func (unreadableReply) Error() string        { return "the reply is not one of Secrets Manager" }
func (unreadableReply) RetryableError() bool { return true }

func unreadable(err error) bool {
	var decoding *smithy.DeserializationError
	return errors.As(err, &decoding) && httpStatus(err)/100 == 2
}

// mayHaveTakenEffect tells whether the service may have done what a failed request asked for.
func mayHaveTakenEffect(err error) bool {
	var network *net.OpError
	if errors.As(err, &network) && network.Op == "dial" {
		return false
	}
	return httpStatus(err)/100 != 4
}

// httpStatus is the status of the reply, or 0 where none came.
func httpStatus(err error) int {
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) {
		return 0
	}
	return response.HTTPStatusCode()
}
