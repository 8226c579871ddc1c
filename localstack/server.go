package localstack

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenkeep/tokenkeep/internal/inject"
)

// region is the region in ARNs and in Config.
const region = "us-east-1"

// How long a client may take to send the head of a request and all of it, and how long it may stay connected after it.
const (
	headTimeout    = 10 * time.Second
	requestTimeout = 30 * time.Second
	idleTimeout    = 10 * time.Minute
)

// Server is a Secrets Manager: one account in one region, empty at first. Start makes one; its methods are safe for
// concurrent use, and so is every action that clients call on it.
type Server struct {
	// URL is where the server listens, such as "http://127.0.0.1:41873". It is set by Start; don't change it.
	URL string

	http  http.Server
	done  chan struct{}  // closed when the listener is
	conns sync.WaitGroup // one for each connection

	mu       sync.Mutex
	account  account
	calls    map[string]int
	policies map[string][]Statement // by access key ID
	throttle map[string]*bucket     // by action; nil: no rate is limited
	faults   inject.Faults[request, []byte]
}

// Option changes how Start sets up a server.
type Option func(*options)

type options struct {
	addr          string
	now           func() time.Time
	deletionDelay time.Duration
	listLag       time.Duration
	throttled     bool
}

// WithAddr listens on addr, a host and port as for [net.Listen], in place of a free port of 127.0.0.1. Nobody is asked for
// credentials: whoever reaches addr can read and write every secret.
func WithAddr(addr string) Option {
	return func(o *options) { o.addr = addr }
}

// Start starts a server on a free port of 127.0.0.1. It fails if it cannot listen, and the error wraps the one of
// [net.Listen]. Close the server when it is no longer needed.
func Start(opts ...Option) (*Server, error) {
	o := options{addr: "127.0.0.1:0"}
	for _, opt := range opts {
		opt(&o)
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return nil, fmt.Errorf("localstack: listen on %q: %w", o.addr, err)
	}
	s := &Server{
		URL:      "http://" + listener.Addr().String(),
		done:     make(chan struct{}),
		account:  newAccount(o),
		calls:    map[string]int{},
		policies: map[string][]Statement{},
	}
	s.faults = inject.Faults[request, []byte]{Lock: &s.mu, Execute: s.execute, Internal: errInternal, Throttled: errRateExceeded, Cut: errCut}
	if o.throttled {
		s.throttle = newThrottle()
	}
	s.http.Handler = http.HandlerFunc(s.serve)
	s.http.ConnState = s.track
	s.http.ReadHeaderTimeout = headTimeout
	s.http.ReadTimeout = requestTimeout
	s.http.IdleTimeout = idleTimeout
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // always an error: that of Close
	}()
	return s, nil
}

// track counts connections, each of which has a goroutine that Close waits for.
func (s *Server) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	}
}

// Close stops the server, breaks its connections and returns when no goroutine of it is left. What was stored is gone.
// Closing a closed server does nothing. In a test: t.Cleanup(server.Close).
func (s *Server) Close() {
	_ = s.http.Close() // the listener may be closed already
	<-s.done
	s.conns.Wait()
}

// Config returns a configuration for AWS clients that reaches this server: the region us-east-1, the server's URL as
// endpoint and the dummy credentials of the principal "test". It reads neither the environment nor a file, and each call
// returns a new one.
func (s *Server) Config() aws.Config { return s.ConfigAs("test") }

// Calls returns how many requests each action has had, by its name such as "GetSecretValue", since Start or the last
// ResetCalls. Requests that were refused or met a Fault count; requests for actions that the server does not have do not.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// ResetCalls makes Calls start from zero.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
}
