package vault

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep/driver"
)

// attempts watches every request of one method, the retries of the client included. Its calls follow one another; it is
// not safe for concurrent use.
type attempts struct {
	now      func() time.Time
	notAfter time.Time // zero means any time
	unknown  bool      // a request so far ended without telling whether it took effect
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

// late tells whether the time to send has passed. Round strips the monotonic reading: a process that was frozen and
// thawed has only the wall clock.
func (a *attempts) late() bool { return !a.notAfter.IsZero() && a.now().Round(0).After(a.notAfter) }

// errTooLate is the error of a request that was not sent because its time had passed.
var errTooLate = errors.New("the time to send this has passed")

// sender returns a client of our own that sends requests as the caller's does, in a namespace and watched.
//
// The caller's client cannot be watched: callbacks run once for all retries of a request. And its copies, as of
// WithNamespace, are made without the lock that SetToken holds. So requests are made by the caller's client, which gives
// them its token and headers of the moment, and sent by this one.
func sender(client *api.Client, namespace string) (*api.Client, error) {
	if namespace == "" {
		namespace = client.Namespace()
	}
	cfg := client.CloneConfig()
	cfg.HttpClient.Transport = watch{cfg.HttpClient.Transport}
	cfg.CheckRetry = retryUnlessLate(cfg.CheckRetry)
	own, err := api.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	own.ClearToken() // of the environment
	own.SetNamespace(namespace)
	return own, nil
}

type checkRetry = func(context.Context, *http.Response, error) (bool, error)

func retryUnlessLate(check checkRetry) checkRetry {
	if check == nil {
		check = api.DefaultRetryPolicy
	}
	return func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		if errors.Is(err, errTooLate) {
			return false, err
		}
		return check(ctx, resp, err)
	}
}

type attemptsKey struct{}

func (a *attempts) watched(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptsKey{}, a)
}

// watch is a transport that shows each request to the attempts in its context.
type watch struct{ http.RoundTripper }

// RoundTrip sends one request.
func (w watch) RoundTrip(req *http.Request) (*http.Response, error) {
	a := req.Context().Value(attemptsKey{}).(*attempts)
	a.resent = a.unknown
	if a.late() {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errTooLate
	}
	resp, err := w.RoundTripper.RoundTrip(req)
	a.unknown = a.unknown || mayHaveTakenEffect(resp, err)
	return resp, err
}

// mayHaveTakenEffect tells whether Vault may have done what a request asked for although it did not say so.
func mayHaveTakenEffect(resp *http.Response, err error) bool {
	var network *net.OpError
	switch {
	case err == nil:
		return resp.StatusCode >= 500
	case errors.As(err, &network) && network.Op == "dial":
		return false
	}
	return true
}
