package oauth

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
)

// land ends a flight: it decides what its callers get and what the source keeps.
func (s *Source) land(f *flight, t tokenkeep.Token, err error) (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	if f.crew.Err() != nil && isContext(err) {
		return nil, err // nobody waits for it
	}
	var again saver
	switch refreshed := s.refreshedBy(f, t); {
	case err == nil:
		s.unsaved, s.problem, s.reported = nil, nil, false
		s.keep(f, t, nil, s.staleAt(t))
		if refreshed {
			s.tellRefreshed(t)
		}
	case t.AccessToken != "" && errors.As(err, &again):
		s.problem, s.reported = err, false
		s.keepUnsaved(f, t, err, again)
		if refreshed {
			s.tellRefreshed(t)
		}
	default:
		return s.fail(f, t, err)
	}
	s.failure = nil
	m := s.memory.Load()
	return m.tok, m.err
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// refreshedBy reports whether this process got the token from the provider.
func (s *Source) refreshedBy(f *flight, t tokenkeep.Token) bool {
	answer := f.answer.Load()
	return answer != nil && *answer == t.AccessToken
}

// keep puts a token into memory.
func (s *Source) keep(f *flight, t tokenkeep.Token, err error, until time.Time) {
	s.known = &t
	tok := &oauth2.Token{AccessToken: t.AccessToken, TokenType: s.settings.traits.Scheme, Expiry: t.ExpiresAt}
	tok = tok.WithExtra(map[string]any{"id": t.ID, "user_name": t.UserName, "api_domain": t.APIDomain})
	s.hand(f, &memory{tok: tok, err: err, until: until})
}

// hand makes m the token that is handed out, unless it was rejected during the flight.
func (s *Source) hand(f *flight, m *memory) {
	if s.rejected == f.rejected {
		s.rejected = ""
	}
	m.rejected = m.tok.AccessToken == s.rejected
	if end := m.tok.Expiry; !end.IsZero() && (m.until.IsZero() || m.until.After(end)) {
		m.until = end
	}
	s.memory.Store(m)
}

func (s *Source) keepUnsaved(f *flight, t tokenkeep.Token, err error, again saver) {
	u := &unsaved{token: t, err: err, save: again.Save}
	var detail *tokenkeep.UnsavedError
	if errors.As(err, &detail) {
		u.rotated = detail.Rotated
	}
	if s.unsaved != nil {
		u.tries = s.unsaved.tries + 1
	}
	s.unsaved = u
	pause := savePause << min(u.tries, 4)
	s.keep(f, t, err, s.now().Add(pause))
	s.tellUnsaved(err)
}

// fail ends a flight without a new token. The old one is good for as long as it lives, unless it has been deleted.
func (s *Source) fail(f *flight, t tokenkeep.Token, err error) (*oauth2.Token, error) {
	now := s.now()
	s.problem = err
	s.tellFailed(err)
	var provider *tokenkeep.RefreshError
	if errors.As(err, &provider) {
		s.failure = &failure{err: err, until: now.Add(lookPause)}
	}
	until := now.Add(pauseAfter(err))
	old := s.memory.Load()
	switch gone := errors.Is(err, tokenkeep.ErrNotFound); {
	case gone:
		s.memory.Store(nil)
		s.id, s.known = "", nil
		return nil, err
	case s.unexpired(t):
		s.keep(f, t, nil, until)
	case old.alive(now):
		s.hand(f, &memory{tok: old.tok, err: old.err, until: until})
	default:
		return nil, err
	}
	m := s.memory.Load()
	if provider == nil && !isContext(err) {
		s.tellHeldUp(err)
	}
	return m.tok, m.err
}
