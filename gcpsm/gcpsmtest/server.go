package gcpsmtest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"sync"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tokenkeep/tokenkeep/internal/inject"
)

// Server is a Secret Manager: every project in every location, empty at first. Start makes one; its methods are safe for
// concurrent use, and so is every method that clients call on it.
type Server struct {
	// Addr is where the server listens, such as "127.0.0.1:41873". It is set by Start; don't change it.
	Addr string

	grpc *grpc.Server
	done chan struct{} // closed when the listener is

	mu     sync.Mutex
	store  *store
	calls  map[string]int
	grants map[string][]Grant // by principal
	quotas *quotas            // nil: no rate is limited
	faults inject.Faults[request, any]
}

// Option changes how Start sets up a server.
type Option func(*options)

type options struct {
	addr   string
	quotas bool
	store  store
}

// WithAddr listens on addr, a host and port as for [net.Listen], in place of a free port of 127.0.0.1. Nobody is asked for
// credentials: whoever reaches addr can read and write every secret.
func WithAddr(addr string) Option {
	return func(o *options) { o.addr = addr }
}

// Start starts a server on a free port of 127.0.0.1. It fails if it cannot listen, and the error wraps the one of
// [net.Listen]. Close the server when it is no longer needed.
func Start(opts ...Option) (*Server, error) {
	o := options{addr: "127.0.0.1:0", store: newStore()}
	for _, opt := range opts {
		opt(&o)
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return nil, fmt.Errorf("gcpsmtest: listen on %q: %w", o.addr, err)
	}
	s := &Server{
		Addr:   listener.Addr().String(),
		done:   make(chan struct{}),
		store:  &o.store,
		calls:  map[string]int{},
		grants: map[string][]Grant{},
	}
	s.faults = inject.Faults[request, any]{Lock: &s.mu, Execute: s.execute, Internal: errInternal, Throttled: errThrottle, Cut: errCut}
	if o.quotas {
		s.quotas = newQuotas()
	}
	s.grpc = grpc.NewServer(grpc.UnaryInterceptor(s.intercept), grpc.WaitForHandlers(true))
	secretmanagerpb.RegisterSecretManagerServiceServer(s.grpc, secretmanagerpb.UnimplementedSecretManagerServiceServer{})
	go func() {
		defer close(s.done)
		_ = s.grpc.Serve(listener) // nil after Close; else the listener is broken and clients see it
	}()
	return s, nil
}

// Close stops the server, breaks its connections and returns when no goroutine of it is left. What was stored is gone.
// Closing a closed server does nothing. In a test: t.Cleanup(server.Close).
func (s *Server) Close() {
	s.grpc.Stop()
	<-s.done
}

// Client returns a new client of the server without credentials. It makes no call, and it is the caller's to close. It
// has the default call options of the package: AccessSecretVersion is repeated after Unavailable and ResourceExhausted,
// first after up to 2 seconds, and other calls are not.
func (s *Server) Client(ctx context.Context) (*secretmanager.Client, error) {
	return s.client(ctx, s.ClientOptions())
}

// ClientAs is Client for a principal, whose permissions are those of SetPermissions.
func (s *Server) ClientAs(ctx context.Context, principal string) (*secretmanager.Client, error) {
	return s.client(ctx, s.ClientOptionsAs(principal))
}

func (s *Server) client(ctx context.Context, opts []option.ClientOption) (*secretmanager.Client, error) {
	client, err := secretmanager.NewClient(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("gcpsmtest: make a client of %s: %w", s.Addr, err)
	}
	return client, nil
}

// ClientOptions returns what makes secretmanager.NewClient a client of the server: its address, no TLS and no credentials,
// which are not looked for either.
func (s *Server) ClientOptions() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(s.Addr),
		option.WithoutAuthentication(),
		option.WithTelemetryDisabled(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
}

// ClientOptionsAs is ClientOptions for a principal, whose permissions are those of SetPermissions.
func (s *Server) ClientOptionsAs(principal string) []option.ClientOption {
	return append(s.ClientOptions(), option.WithGRPCDialOption(grpc.WithPerRPCCredentials(bearer(principal))))
}

// Calls returns how many requests each method has had, by its name such as "GetSecret", since Start or the last
// ResetCalls. Requests that were refused or met a Fault count; requests for methods that the server does not have do not.
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

// LiveVersions returns the numbers of the versions of a secret that are enabled or disabled, which are those that Google
// bills, in ascending order. The secret is a resource name such as "projects/p/secrets/s". One that does not exist has none.
func (s *Server) LiveVersions(secret string) []int64 {
	n, err := parseName(secret, secretForm)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.tick()
	return s.store.secrets[n.of()].live()
}
