package oauth

import (
	"errors"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// queue holds what is to be told: to the log and to hooks, one at a time and with no lock held.
type queue struct {
	queueMu sync.Mutex
	news    []func()
	telling bool
}

// note adds something to be told.
func (q *queue) note(tell func()) {
	q.queueMu.Lock()
	defer q.queueMu.Unlock()
	q.news = append(q.news, tell)
}

// callHooks tells what is noted. If somebody is telling already (perhaps a hook that uses the source), that one goes on.
func (q *queue) callHooks() {
	for {
		q.queueMu.Lock()
		if q.telling || len(q.news) == 0 {
			q.queueMu.Unlock()
			return
		}
		tell := q.news[0]
		q.news, q.telling = q.news[1:], true
		q.queueMu.Unlock()
		q.tell(tell)
	}
}

func (q *queue) tell(tell func()) {
	defer func() {
		q.queueMu.Lock()
		defer q.queueMu.Unlock()
		q.telling = false
	}()
	tell()
}

// bare returns a token without anything secret.
func bare(t tokenkeep.Token) tokenkeep.Token {
	t.ClientSecret, t.RedirectURL, t.GrantToken, t.RefreshToken, t.AccessToken, t.Extra = "", "", "", "", "", nil
	return t
}

// about returns what hooks are told of the token; s.mu is held.
func (s *Source) about() tokenkeep.Token {
	switch {
	case s.unsaved != nil:
		return bare(s.unsaved.token)
	case s.known != nil:
		return bare(*s.known)
	}
	return bare(*s.query)
}

func (s *Source) tellRefreshed(t tokenkeep.Token) {
	t = bare(t)
	s.note(func() {
		s.settings.Logger.Info("oauth: token refreshed", "token", t)
		if s.settings.OnRefresh != nil {
			s.settings.OnRefresh(t)
		}
	})
}

// tellUnsaved is told with the one refresh token that is nowhere else, if there is one.
func (s *Source) tellUnsaved(err error) {
	t := s.about()
	if s.unsaved != nil && s.unsaved.rotated {
		t.RefreshToken, t.RefreshExpiresAt = s.unsaved.token.RefreshToken, s.unsaved.token.RefreshExpiresAt
	}
	s.notePersistError(t, err)
}

// tellHeldUp is about a store that stands in the way of an early refresh.
func (s *Source) tellHeldUp(err error) {
	if s.unsaved == nil { // else it has been told
		s.notePersistError(s.about(), err)
	}
}

func (s *Source) notePersistError(t tokenkeep.Token, err error) {
	s.note(func() {
		s.settings.Logger.Error("oauth: the store does not take the token", "token", t, "error", err)
		if s.settings.OnPersistError != nil {
			s.settings.OnPersistError(t, err)
		}
	})
}

// lose is told of a new refresh token that is not stored, because somebody logged in meanwhile.
func (s *Source) lose(answer tokenkeep.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.about()
	t.RefreshToken, t.RefreshExpiresAt = answer.RefreshToken, answer.RefreshExpiresAt
	s.notePersistError(t, errLost)
}

var errLost = errors.New("oauth: somebody logged in during the refresh; the refresh token that it brought is not stored")

func (s *Source) tellFailed(err error) {
	t := s.about()
	if s.unsaved != nil {
		s.tellUnsaved(err)
	}
	if !errors.Is(err, ErrReauthorize) {
		s.note(func() { s.settings.Logger.Warn("oauth: no new token", "token", t, "error", err) })
		return
	}
	if s.reported {
		return
	}
	s.reported = true
	if t.Reauthorize == nil {
		t.Reauthorize = &tokenkeep.Reauthorize{Since: s.now().Round(0).UTC().Truncate(time.Second), Reason: string(tokenkeep.Refused)}
	}
	s.note(func() {
		s.settings.Logger.Error("oauth: log in again: the provider refused the credential for good", "token", t)
		if s.settings.OnReauthorize != nil {
			s.settings.OnReauthorize(t)
		}
	})
}
