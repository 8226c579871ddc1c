package oauth

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
)

// Source is an oauth2.TokenSource whose token lives in a store, where all processes share it. [NewSource] makes one. It is safe
// for concurrent use, and one per process is enough.
//
// A Source prints no credential, whatever the verb.
type Source struct {
	store    tokenkeep.Store
	query    *tokenkeep.Token // by pointer, like settings: fmt must find no credential, even in a copy of the struct
	settings *settings
	invalid  error   // what is wrong with the options
	share    float64 // of the margin, this source's own
	now      func() time.Time

	memory atomic.Pointer[memory]

	mu     sync.Mutex // guards the rest; never held over a call of anything
	flight *flight
	state
	queue
}

// state is what a source knows beside the token in memory.
type state struct {
	id         string // of the token in the store; empty: to be found
	found      bool   // it has been found or saved once: the query's credential is no new login any more
	known      *tokenkeep.Token
	rejected   string // the access token that Invalidate was told of
	unsaved    *unsaved
	failure    *failure
	aloneUntil time.Time
	spentGrant string  // over a plain store
	cool       cooling // over a plain store
	reported   bool    // OnReauthorize was called
	problem    error
}

// memory is a token that may be handed out.
type memory struct {
	tok      *oauth2.Token
	err      error     // it comes with the token: the token is not stored
	until    time.Time // when to look for a better one; zero: never
	rejected bool
}

func (m *memory) fresh(now time.Time) bool {
	return m != nil && !m.rejected && (m.until.IsZero() || now.Before(m.until))
}

func (m *memory) usable(now time.Time) bool { return m.alive(now) && !m.rejected }

func (m *memory) alive(now time.Time) bool {
	return m != nil && (m.tok.Expiry.IsZero() || now.Before(m.tok.Expiry))
}

// failure is an error of the provider that is repeated without a look at the store.
type failure struct {
	err   error
	until time.Time
}

const (
	lookPause  = time.Second      // how often a failing source looks at the store
	failPause  = 30 * time.Second // how long a good token is used on after an early refresh failed
	maxPause   = 5 * time.Minute
	youngToken = time.Minute // a token younger than this is not refreshed because it was rejected
)

var _ oauth2.TokenSource = (*Source)(nil)

// NewSource returns a source of the token that query means, by the rules of tokenkeep.Store. It does no I/O, needs no closing and
// leaves no goroutine behind.
//
// What is spent is always the credential in the store. The query's own only selects, with one exception: it is saved if no
// stored token has it or had it. So the refresh token in a function's environment is saved at the first run, finds its token at all
// later ones, however often the provider has replaced it since, and a new one put into the environment is a new login. The
// same goes for an authorization code in GrantToken, which is exchanged once, and for ClientID and ClientSecret together
// with a UserName or an ID, which get tokens of the client itself (client credentials).
//
// The query's other fields win over the stored ones in requests to the provider, so a client secret need not be stored. Where
// query has no ClientID, Options.Config.ClientID is put there.
//
// Mistakes in o are ErrInvalid, at the first call.
func NewSource(store tokenkeep.Store, query tokenkeep.Token, o Options) *Source {
	settled, err := o.settle()
	if store == nil {
		err = fmt.Errorf("oauth: the store is nil: %w", tokenkeep.ErrInvalid)
	}
	if o.Config != nil && query.ClientID == "" && (query.ID != "" || query.UserName != "" || hasCredential(query)) {
		query.ClientID = o.Config.ClientID
	}
	return &Source{
		store: store, query: &query, settings: &settled, invalid: err,
		share: 0.5 + rand.Float64()/2, now: time.Now,
	}
}

// Token is TokenContext without a context, and without an error where a token comes with it: x/oauth2 drops such a token.
// [Source.Err] has the error then.
func (s *Source) Token() (*oauth2.Token, error) {
	tok, err := s.TokenContext(context.Background())
	if tok != nil {
		return tok, nil
	}
	return nil, err
}

// TokenContext returns a token that is good, and shared: do not change it. It has no refresh token; its Extra has "id",
// "user_name" and "api_domain" of the stored token.
//
// While the token in memory is good there is no I/O. Otherwise one goroutine of the process reads the store and, if the token there
// is no better, refreshes it, with all processes that share the store: see tokenkeep.Refresher. The others wait, each until its own
// ctx ends. Who comes while the token is only about to end takes it without waiting; it is also returned where refreshing it
// early failed.
//
// The errors are those of the store; ErrReauthorize, ErrThrottled and any other *tokenkeep.RefreshError, of which the store
// is asked again at most once a second; and ctx's. A *tokenkeep.UnsavedError comes together with a good token, which the
// store did not take: it is saved again at later calls.
//
// Calls of the store: none from memory. For a cold start with a good token 1, that of FindToken. For a refresh 3; for one that another
// process did 1.
func (s *Source) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	if m := s.memory.Load(); m.fresh(s.now()) {
		return m.tok, m.err
	}
	return s.wait(ctx)
}

// wait returns what a flight brings, one that is under way or a new one.
func (s *Source) wait(ctx context.Context) (*oauth2.Token, error) {
	if s.invalid != nil {
		return nil, s.invalid
	}
	for {
		f, who, tok, err := s.board(ctx)
		if f == nil {
			return tok, err
		}
		select {
		case <-f.done:
			if who == nil || f.ordered {
				continue // it was given up before this caller came, or another one was content with a token that is not good
			}
			return f.tok, f.err
		case <-ctx.Done():
			if who != nil {
				f.crew.leave(who)
			}
			if m := s.memory.Load(); m.usable(s.now()) {
				return m.tok, m.err
			}
			return nil, fmt.Errorf("oauth: waiting for a token: %w", ctx.Err())
		}
	}
}

// board returns the flight that a caller is to wait for, or what it gets without waiting.
func (s *Source) board(ctx context.Context) (*flight, *caller, *oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, m := s.now(), s.memory.Load()
	switch failed := s.failure; {
	case m.fresh(now), m.usable(now) && (s.flight != nil || ctx.Err() != nil):
		return nil, nil, m.tok, m.err
	case ctx.Err() != nil:
		return nil, nil, nil, ctx.Err()
	case failed != nil && now.Before(failed.until) && failed.until.Sub(now) <= lookPause:
		if m.alive(now) {
			return nil, nil, m.tok, m.err
		}
		return nil, nil, nil, failed.err
	}
	start := s.flight == nil
	if start {
		s.flight = s.newFlight(ctx)
	}
	f := s.flight
	who, ok := f.crew.join(ctx)
	if start {
		go s.fly(f)
	}
	if !ok {
		who = nil
	}
	return f, who, nil, nil
}

// fly does the work of a flight, and tells.
func (s *Source) fly(f *flight) {
	t, err := s.work(f)
	f.failed = err
	f.tok, f.err = s.land(f, t, err)
	s.callHooks()
	close(f.done)
}

// Invalidate tells the source that an API rejected an access token. The next call looks at the store, and refreshes the token
// only if it is the rejected one there too and over a minute old. If the source has another token by now, nothing happens.
// Invalidate does no I/O.
func (s *Source) Invalidate(accessToken string) {
	if accessToken == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.memory.Load()
	if m != nil && m.tok.AccessToken != accessToken {
		return
	}
	s.rejected = accessToken
	if m != nil {
		s.memory.Store(&memory{tok: m.tok, err: m.err, rejected: true})
	}
}

// Err returns what went wrong last, also where a token was returned all the same: a *tokenkeep.UnsavedError while a token is not
// stored, or why an early refresh failed. It is nil after a success. It does no I/O.
func (s *Source) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// Format prints no more than the type, since a Source knows credentials.
func (s *Source) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("oauth.Source")) }

// LogValue is the type alone.
func (s *Source) LogValue() slog.Value { return slog.StringValue("oauth.Source") }

// staleAt returns from when on a token is to be refreshed; zero: never.
func (s *Source) staleAt(t tokenkeep.Token) time.Time {
	if t.ExpiresAt.IsZero() {
		return time.Time{}
	}
	margin := s.settings.Margin
	if life := t.ExpiresAt.Sub(t.RefreshedAt); !t.RefreshedAt.IsZero() && life > 0 {
		margin = min(margin, life/4)
	}
	return t.ExpiresAt.Add(-time.Duration(float64(margin) * s.share))
}

// good reports whether a stored token needs no refresh.
func (s *Source) good(t tokenkeep.Token, rejected string) bool {
	now := s.now()
	if stale := s.staleAt(t); t.AccessToken == "" || !stale.IsZero() && !now.Before(stale) {
		return false
	}
	return t.AccessToken != rejected || isYoung(t, now)
}

// isYoung reports whether a token has just been refreshed. One from the future was not: some clock was set.
func isYoung(t tokenkeep.Token, now time.Time) bool {
	return !t.RefreshedAt.IsZero() && now.Sub(t.RefreshedAt).Abs() < youngToken
}

// unexpired reports whether the access token may still be used.
func (s *Source) unexpired(t tokenkeep.Token) bool {
	return t.AccessToken != "" && (t.ExpiresAt.IsZero() || s.now().Before(t.ExpiresAt))
}
