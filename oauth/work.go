package oauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// work comes by a good token: that of the store, else a refreshed one.
func (s *Source) work(f *flight) (tokenkeep.Token, error) {
	if t, done, err := s.saveAgain(f); done {
		return t, err
	}
	s.mu.Lock()
	id := s.id
	s.mu.Unlock()
	t, err := s.refreshFound(f, id)
	if id != "" && errors.Is(err, tokenkeep.ErrNotFound) { // it was deleted; there may be another one by now
		t, err = s.refreshFound(f, "")
	}
	if err != nil && !f.ordered && s.mayGoAlone(t, err) {
		return s.refreshAlone(f, err)
	}
	return t, err
}

// refreshFound refreshes the token with this ID, or the one that the query means.
func (s *Source) refreshFound(f *flight, id string) (tokenkeep.Token, error) {
	if id == "" {
		t, err := s.find(f.crew)
		if err != nil || f.good(t) {
			return t, err
		}
		id = t.ID
	}
	leased, ok := s.store.(tokenkeep.Refresher)
	switch {
	case ok && f.ordered:
		return s.refreshLeased(f, leased, id) // its turn is the lease, which tells what has been refreshed since this call
	case f.ordered:
		before, err := s.store.FindTokenByID(f.crew, id)
		if err != nil {
			return tokenkeep.Token{}, err
		}
		enough := f.good
		f.good = func(t tokenkeep.Token) bool { return t.AccessToken != before.AccessToken || enough(t) }
	}
	unlock, err := refreshing.lock(f.crew, s.keyOf(id))
	if err != nil {
		return tokenkeep.Token{}, fmt.Errorf("oauth: another source of this process is refreshing the token: %w", err)
	}
	defer unlock()
	if ok {
		return s.refreshLeased(f, leased, id)
	}
	return (&plain{Source: s, flight: f, id: id, ask: s.asker(f)}).refresh()
}

// refreshLeased refreshes a token with all processes that share the store.
func (s *Source) refreshLeased(f *flight, store tokenkeep.Refresher, id string) (tokenkeep.Token, error) {
	return store.RefreshToken(f.crew, id, tokenkeep.Refresh{
		Good:  f.good,
		Force: f.force,
		Ask:   s.asker(f),
		Lost:  s.lose,

		Deadline: s.settings.Deadline,
		Lease:    s.settings.Lease,
		Grace:    s.settings.traits.Grace,
	})
}

// asker returns how a flight asks the provider.
func (s *Source) asker(f *flight) func(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
	tries := 0
	return func(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
		f.crew.hold()
		s.mu.Lock()
		s.known = &stored
		s.mu.Unlock()
		if s.settings.HTTPClient != nil {
			ctx = context.WithValue(ctx, oauth2.HTTPClient, s.settings.HTTPClient)
		}
		// Of a reply that does not come, half of the time is left for the repetition; but not where the first request may have
		// been heard, and a second one would end the login.
		if until, ok := driver.NotAfter(ctx); ok && tries == 0 && s.repeatable() {
			short, cancel := context.WithTimeout(ctx, until.Sub(s.now())/2)
			defer cancel()
			ctx = short
		}
		tries++
		t, err := s.settings.provider.Ask(ctx, s.overlaid(stored))
		if err == nil {
			f.answer.Store(&t.AccessToken)
		}
		return t, err
	}
}

// repeatable reports whether the provider may be asked twice with one refresh token.
func (s *Source) repeatable() bool { return !s.settings.traits.Rotates || s.settings.traits.Grace > 0 }

// overlaid returns a stored token as the provider sees it: the query's fields win, but for the credentials.
func (s *Source) overlaid(t tokenkeep.Token) tokenkeep.Token {
	q := s.query
	set := func(dst *string, src string) {
		if src != "" {
			*dst = src
		}
	}
	if t.ClientID == "" {
		t.ClientID = q.ClientID
	}
	if t.ClientID == q.ClientID || q.ClientID == "" {
		set(&t.ClientSecret, q.ClientSecret)
	}
	set(&t.RedirectURL, q.RedirectURL)
	set(&t.AccountsURL, q.AccountsURL)
	if len(q.Scopes) > 0 {
		t.Scopes = q.Scopes
	}
	if len(q.Extra) > 0 {
		extra := maps.Clone(t.Extra)
		if extra == nil {
			extra = map[string]string{}
		}
		maps.Copy(extra, q.Extra)
		t.Extra = extra
	}
	return t
}

// unsaved is a token that the store did not take.
type unsaved struct {
	token   tokenkeep.Token
	rotated bool
	tries   int
	err     error // why
	save    func(context.Context) (tokenkeep.Token, error)
}

const (
	saveTime  = 2 * time.Second // how long a call may be held up by a token that is saved again
	savePause = 5 * time.Second // the first pause between two attempts; each doubles it
)

// saver is what errors about an unsaved token can do.
type saver interface {
	error
	Save(context.Context) (tokenkeep.Token, error)
}

// saveAgain saves a token that the store did not take before. done tells that there is nothing else to do.
func (s *Source) saveAgain(f *flight) (t tokenkeep.Token, done bool, err error) {
	s.mu.Lock()
	u := s.unsaved
	s.mu.Unlock()
	if u == nil {
		return tokenkeep.Token{}, false, nil
	}
	ctx, cancel := context.WithTimeout(f.crew, saveTime)
	defer cancel()
	t, err = u.save(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil && f.crew.Err() == nil {
		err = u.err // the store says no for longer than a caller is held up
	}
	switch {
	case err == nil:
		s.dropUnsaved()
		return t, f.good(t) || !f.ordered && s.unexpired(t) && t.AccessToken != f.rejected, nil
	case errors.Is(err, tokenkeep.ErrNotFound):
		s.dropUnsaved() // deleted: it stays so
		return tokenkeep.Token{}, true, err
	case s.unexpired(u.token):
		return u.token, true, err
	case u.rotated: // what is stored is used up; to spend it again may end the login
		return tokenkeep.Token{}, true, fmt.Errorf("oauth: the new refresh token must be stored before it is spent: %w", err)
	}
	s.dropUnsaved()
	return tokenkeep.Token{}, false, nil
}

func (s *Source) dropUnsaved() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved = nil
}

// mayGoAlone reports whether the provider is to be asked although the store cannot be.
func (s *Source) mayGoAlone(t tokenkeep.Token, err error) bool {
	var failure *tokenkeep.RefreshError
	var unsaved *tokenkeep.UnsavedError
	if !s.settings.RefreshAlone || s.settings.traits.Rotates || s.unexpired(t) || errors.As(err, &failure) || errors.As(err, &unsaved) {
		return false
	}
	for _, answered := range []error{
		tokenkeep.ErrNotFound, tokenkeep.ErrAmbiguous, tokenkeep.ErrInvalid, tokenkeep.ErrIncomplete, tokenkeep.ErrConflict,
		tokenkeep.ErrTooLarge, context.Canceled,
	} {
		if errors.Is(err, answered) {
			return false
		}
	}
	late := errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, tokenkeep.ErrUnavailable)
	return !late && !s.memory.Load().usable(s.now())
}

// refreshAlone asks the provider with the credential at hand, and tells nobody.
func (s *Source) refreshAlone(f *flight, unread error) (tokenkeep.Token, error) {
	s.mu.Lock()
	t, pause := s.known, s.aloneUntil
	s.mu.Unlock()
	if t == nil {
		t = s.query
	}
	own := t.ClientID != "" && t.ClientSecret != "" && t.GrantToken == ""
	if now := s.now(); t.RefreshToken == "" && !own || now.Before(pause) && pause.Sub(now) <= maxPause {
		return tokenkeep.Token{}, unread
	}
	alone := *t
	alone.GrantToken = "" // an exchange must be stored
	deadline := s.now().Add(s.settings.Deadline)
	ctx, cancel := context.WithTimeout(driver.WithNotAfter(context.WithoutCancel(f.crew), deadline), s.settings.Deadline)
	defer cancel()
	answer, err := s.asker(f)(ctx, alone)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.aloneUntil = s.now().Add(pauseAfter(err))
		return tokenkeep.Token{}, fmt.Errorf("oauth: refresh by this process alone: %w; because of the store: %w", err, unread)
	}
	s.note(func() {
		s.settings.Logger.Warn("oauth: the store cannot be read; token refreshed for this process alone", "id", alone.ID, "error", unread)
	})
	alone.AccessToken, alone.ExpiresAt, alone.RefreshedAt = answer.AccessToken, answer.ExpiresAt, s.now().Round(0)
	return alone, nil
}

// pauseAfter is for how long a good token is used on after its refresh failed.
func pauseAfter(err error) time.Duration {
	pause := failPause
	var failure *tokenkeep.RefreshError
	if errors.As(err, &failure) {
		pause = min(max(pause, failure.RetryAfter), maxPause)
	}
	return pause
}
