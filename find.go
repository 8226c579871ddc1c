package tokenkeep

import (
	"context"
)

// FindToken returns the token that query means, by the rules of [Store].
//
// The errors are [ErrNotFound], [ErrAmbiguous] and [ErrInvalid]; [ErrForeign], [ErrDamaged] and [ErrPermission] where a token that may be
// the one cannot be used; and those of the manager. An ambiguity that another process made is noticed after
// Options.IndexMaxAge.
//
// AWS Secrets Manager: 1 call by ID, by user and client, or by the refresh or grant token that a token without a user was
// created with; by user alone 1, or 2 at a handle's first; docs/operations.md has the rest.
func (s *SecretStore) FindToken(ctx context.Context, query Token) (Token, error) {
	found, err := s.findToken(ctx, query)
	if err != nil {
		return Token{}, s.fail("find token", query.ID, err)
	}
	return found, nil
}

func (s *SecretStore) findToken(ctx context.Context, q Token) (Token, error) {
	if err := s.check(q); err != nil {
		return Token{}, err
	}
	id, byName := q.derivedID()
	if q.ID != "" {
		id, byName = q.ID, true
	}
	if byName {
		r := s.get(ctx, id)
		switch {
		case r.err != nil:
			return Token{}, r.err
		case r.live && (q.ID != "" || r.rec.isMeantBy(q)):
			return r.rec.fill(q), nil
		case q.ID != "":
			return Token{}, ErrNotFound
		}
	}
	if q.UserName == "" && q.AccessToken == "" && q.GrantToken == "" && q.RefreshToken == "" {
		return Token{}, ErrNotFound
	}
	w := s.whereOf(q)
	if index := s.cache.view(w, s.fan(), s.now(), s.options.IndexMaxAge); index != nil {
		if t, err := s.findListed(ctx, index, q); err == nil || !isNotFound(err) && !isAmbiguous(err) {
			return t, err
		}
	}
	index, err := s.readIndex(ctx, w)
	if err != nil {
		return Token{}, err
	}
	return s.findListed(ctx, index, q)
}

// findListed answers a query by what the index lists.
func (s *SecretStore) findListed(ctx context.Context, index *view, q Token) (Token, error) {
	ids := index.candidates(q)
	rows := map[string]row{}
	var err error
	if len(ids) == 1 {
		rows[ids[0]] = s.get(ctx, ids[0])
	} else if rows, err = s.fetch(ctx, ids); err != nil {
		return Token{}, err
	}
	live, unusable := usable(rows)
	i, err := match(live, q)
	if unusable != nil && (err != nil || !q.byAccessToken()) {
		return Token{}, unusable
	}
	if err != nil {
		return Token{}, err
	}
	return live[i].fill(q), nil
}

// FindTokenByID returns the token with this ID, or [ErrNotFound]. It makes 1 call.
func (s *SecretStore) FindTokenByID(ctx context.Context, id string) (Token, error) {
	if id == "" {
		return Token{}, s.fail("find token", "", ErrNotFound)
	}
	return s.FindToken(ctx, Token{ID: id})
}
