package oauth

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
)

// Options of a [Source]. Give Config or Provider; every other field may stay zero.
type Options struct {
	// Config is any OAuth 2 endpoint, with the client's ID and secret unless these are in the stored token. Its provider is
	// taken for one that rotates refresh tokens and takes no old one; where that is wrong, set Grace, or give
	// [NewConfigProvider] as Provider. Config is read once.
	Config *oauth2.Config

	// EndpointParams are sent to Config's token endpoint with each request, such as an audience. They replace none of the
	// parameters of the grant. nil: none.
	EndpointParams url.Values

	// Provider is an authorization server that is special. nil: that of Config.
	Provider Provider

	// Margin is how long before its end a token is refreshed. Each source picks a time of its own between half of it and
	// the whole, and never takes more than a quarter of the token's life. While that refresh fails, the token is used on.
	// 0: 5 minutes, or more where the lease is long. Negative: no early refresh. A provider that ends old tokens has none.
	Margin time.Duration

	// Deadline is within how much time, from the lease on, the provider must have answered, one repetition after a lost
	// reply included. A caller whose context ends sooner starts no refresh, so a function with little time needs a shorter
	// one. 0: 10 seconds, less where the lease is short.
	Deadline time.Duration

	// Lease is for how long others wait for a process that asks the provider before they ask themselves. It must be
	// longer than Deadline and, where the provider rotates with a grace, shorter than that. 0: 25 seconds, less where the grace is
	// short; 2 minutes where the provider rotates without a grace, since then a second request would end the login.
	// A process counts it from its own first look: a grace saves the login of a process that died with the answer only if
	// another began to watch by as much earlier as the grace is longer than the lease.
	Lease time.Duration

	// Grace is for how long the provider takes a refresh token on after it was replaced. 0: what the Provider says; with
	// Config not at all.
	Grace time.Duration

	// RefreshAlone asks the provider for this process alone while the store cannot be read and the token at hand has
	// expired. It needs a provider that does not rotate refresh tokens; with another it does nothing. false: such a call fails.
	RefreshAlone bool

	// Hosts are those whose requests [Source.Client] authenticates: "api.example.com", "localhost:8080", or a URL of
	// one, whose scheme counts too. A host without a port means the port of the request's scheme. Empty: any host, but that of a redirect to elsewhere.
	Hosts []string

	// HTTPClient is used for requests to the provider and, by its transport, in [Source.Client]. It is handed to the
	// Provider in the context, under oauth2.HTTPClient. nil: http.DefaultClient.
	HTTPClient *http.Client

	// Logger is told of refreshes (info) and of what went wrong (warn, error). It never sees a credential. nil discards.
	Logger *slog.Logger

	// OnRefresh is called after this process has refreshed the token; t is the token without its credentials.
	//
	// Hooks of a source are called one at a time, with no lock held, and the callers of that moment wait for them: so be
	// quick. They may use the source. nil: none.
	OnRefresh func(t tokenkeep.Token)

	// OnReauthorize is called when a person must log in again, once until a token is good again; t has no credentials.
	OnReauthorize func(t tokenkeep.Token)

	// OnPersistError is called each time that the store did not take a refreshed token, or a good token could not be refreshed
	// early because of the store. t has no credentials, with one exception: if the provider has replaced the refresh token and
	// the new one is not stored, t.RefreshToken is that one, and it is nowhere else.
	OnPersistError func(t tokenkeep.Token, err error)
}

const (
	defaultMargin   = 5 * time.Minute
	defaultDeadline = 10 * time.Second
	safeLease       = 25 * time.Second // where a second request does no harm
	carefulLease    = 2 * time.Minute
)

// settings are Options with the defaults put in.
type settings struct {
	Options
	provider Provider
	traits   Traits
}

func (o Options) settle() (settings, error) {
	s := settings{Options: o, provider: o.Provider}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case o.Config == nil && o.Provider == nil:
		return s, fmt.Errorf("oauth: give Options.Config or Options.Provider: %w", tokenkeep.ErrInvalid)
	case o.Config != nil && o.Provider != nil:
		return s, fmt.Errorf("oauth: give Options.Config or Options.Provider, not both: %w", tokenkeep.ErrInvalid)
	case o.Config != nil:
		s.provider = NewConfigProvider(o.Config, Traits{Rotates: true}, o.EndpointParams)
	}
	s.traits = s.provider.Traits()
	if o.Grace > 0 {
		s.traits.Grace = o.Grace
	}
	if s.traits.Scheme == "" {
		s.traits.Scheme = "Bearer"
	}
	return s, s.settleTimes()
}

func (s *settings) settleTimes() error {
	grace := s.traits.Rotates && s.traits.Grace > 0
	if s.Lease <= 0 {
		switch {
		case s.traits.Rotates && !grace:
			s.Lease = carefulLease
		case grace && s.traits.Grace <= safeLease:
			s.Lease = s.traits.Grace * 5 / 6
		default:
			s.Lease = safeLease
		}
		s.Lease = max(s.Lease, s.Deadline*5/4)
	}
	if s.Deadline <= 0 {
		s.Deadline = min(defaultDeadline, s.Lease*4/5)
	}
	switch {
	case s.traits.KillsOldTokens || s.Margin < 0:
		s.Margin = 0
	case s.Margin == 0:
		s.Margin = max(defaultMargin, s.Lease*5/2) // so that half of it is above the lease
	}
	switch {
	case s.Deadline >= s.Lease:
		return fmt.Errorf("oauth: Options.Lease (%v) must be longer than Options.Deadline (%v): %w", s.Lease, s.Deadline, tokenkeep.ErrInvalid)
	case grace && s.Lease >= s.traits.Grace:
		return fmt.Errorf("oauth: the lease (%v) must be shorter than the provider's grace (%v); shorten Options.Deadline or Options.Lease: %w",
			s.Lease, s.traits.Grace, tokenkeep.ErrInvalid)
	}
	return nil
}
