package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

func hasCredential(t tokenkeep.Token) bool { return t.GrantToken != "" || t.RefreshToken != "" }

// find returns the token that the query means, and saves the query where its credential is new to the store.
func (s *Source) find(ctx context.Context) (tokenkeep.Token, error) {
	s.mu.Lock()
	first := !s.found
	s.mu.Unlock()
	q := *s.query
	_, remembers := s.store.(tokenkeep.Refresher) // what is used up; another store may not, and would take an old token for a new one
	t, err := s.store.FindToken(ctx, probe(q))
	switch {
	case err == nil && !(first && remembers && isNews(q, t)):
		t = withoutProbe(q, t)
	case err == nil, first && errors.Is(err, tokenkeep.ErrNotFound) && canStart(q):
		t, err = s.store.SaveToken(ctx, q)
	case errors.Is(err, tokenkeep.ErrNotFound):
		err = fmt.Errorf("oauth: no stored token is the one that the query means; log in and save one, or put a refresh token, "+
			"or client ID and secret with a user name, into the query: %w", err)
	}
	if err != nil {
		return tokenkeep.Token{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.found, s.known = t.ID, true, &t
	return t, nil
}

// canStart reports whether a query holds enough to begin a token with.
func canStart(q tokenkeep.Token) bool {
	client := q.ClientID != "" && q.ClientSecret != "" && (q.ID != "" || q.UserName != "")
	return hasCredential(q) || q.AccessToken != "" || client
}

// selects reports whether a query goes by its ID or user, and so finds a token that its credential may be new to.
func selects(q tokenkeep.Token) bool { return q.ID != "" || q.UserName != "" }

// probe returns the query with which the token is looked for.
//
// FindToken answers with the query's credential unless that is used up, and so hides whether the stored one is the same. Therefore
// the credential is asked for in the other one's field: a store keeps one list of what is used up for both, and the answer has the stored
// one in its own field. One call tells whether it is stored, used up, or perhaps new.
func probe(q tokenkeep.Token) tokenkeep.Token {
	q.ExpiresAt, q.RefreshExpiresAt = time.Time{}, time.Time{}
	if selects(q) || hasCredential(q) {
		q.AccessToken = ""
	}
	if selects(q) {
		q.GrantToken, q.RefreshToken = q.RefreshToken, q.GrantToken
	}
	return q
}

// isNews reports whether the query's credential may be new to the token that the probe found. A save decides: it ignores those
// that a login has replaced.
func isNews(q, found tokenkeep.Token) bool {
	switch {
	case !hasCredential(q):
		return false
	case q.GrantToken != "" && q.RefreshToken != "":
		return true
	case !selects(q):
		return false // it was found by the credential
	case q.RefreshToken != "":
		return found.GrantToken == q.RefreshToken && found.RefreshToken != q.RefreshToken
	}
	return found.RefreshToken == q.GrantToken && found.GrantToken != q.GrantToken
}

// withoutProbe takes the query's credential out of the field where the probe put it.
func withoutProbe(q, t tokenkeep.Token) tokenkeep.Token {
	if selects(q) && q.RefreshToken != "" && t.GrantToken == q.RefreshToken {
		t.GrantToken = ""
	}
	if selects(q) && q.GrantToken != "" && t.RefreshToken == q.GrantToken {
		t.RefreshToken, t.RefreshExpiresAt = "", time.Time{}
	}
	return t
}
