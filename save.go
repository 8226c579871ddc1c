package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// SaveToken stores token and returns it as stored, with its ID. The rules of [Store] choose the stored token that it
// updates; where none fits, it creates one.
//
// A token that is found by its access token alone is a trap for programs that save what a refresh brought: give the ID, the
// user, or the client with the refresh token.
//
// Nothing is written after [ErrInvalid], [ErrIncomplete], [ErrAmbiguous], [ErrTooLarge] and [ErrForeign]. [ErrConflict] means that
// another token has this identity, or that other writers won every attempt. After any other error the token may have been
// stored; saving it again is safe. A save whose reply was lost on the network may take effect twice, or before one of these errors.
//
// Two saves at the same moment whose identities are compatible, but not equal, may make two tokens.
//
// AWS Secrets Manager: 1 call for a token that this handle has read or written, 2 for a new one, 3 at a handle's first; a save
// that changes nothing writes nothing.
func (s *SecretStore) SaveToken(ctx context.Context, token Token) (Token, error) {
	saved, err := s.saveToken(ctx, token)
	if err != nil {
		return Token{}, s.fail("save token", token.ID, err)
	}
	return saved, nil
}

func (s *SecretStore) saveToken(ctx context.Context, t Token) (Token, error) {
	if err := s.check(t); err != nil {
		return Token{}, err
	}
	return s.retry(ctx, func(op *operation) (Token, error) {
		p, err := s.planSave(ctx, op, t)
		if err != nil {
			return Token{}, err
		}
		return s.carryOut(ctx, op, p)
	})
}

// check refuses a token or query that no secret can hold.
func (s *SecretStore) check(t Token) error {
	if err := t.validate(); err != nil {
		return err
	}
	return checkName(t.ID, s.secrets.Limits().Name)
}

// UpdateToken replaces the token with this ID by what f makes of it; see [Updater].
//
// AWS Secrets Manager: 1 call for a token that this handle has read or written, else 2; 1 or 2 more where f
// changes the identity, or brings a grant or refresh token.
func (s *SecretStore) UpdateToken(ctx context.Context, id string, f func(Token) (Token, error)) (Token, error) {
	updated, err := s.updateToken(ctx, id, f)
	if err != nil {
		return Token{}, s.fail("update token", id, err)
	}
	return updated, nil
}

func (s *SecretStore) updateToken(ctx context.Context, id string, f func(Token) (Token, error)) (Token, error) {
	if id == "" {
		return Token{}, ErrNotFound
	}
	if err := s.check(Token{ID: id}); err != nil {
		return Token{}, err
	}
	return s.retry(ctx, func(op *operation) (Token, error) {
		stored, err := s.rowForWrite(ctx, op, id)
		if err != nil {
			return Token{}, err
		}
		if !stored.live {
			return Token{}, ErrNotFound
		}
		next, err := stored.rec.applied(f)
		if err != nil {
			return Token{}, err
		}
		p, err := s.planUpdate(ctx, op, stored, next)
		if err != nil {
			return Token{}, err
		}
		return s.carryOut(ctx, op, p)
	})
}

// carryOut does what was planned: it lists the keys that the token gains, and then puts it.
func (s *SecretStore) carryOut(ctx context.Context, op *operation, p plan) (Token, error) {
	payload, err := p.next.encode(s.seams.nonce())
	if err != nil {
		return Token{}, err
	}
	if limit := s.secrets.Limits().Payload; limit > 0 && len(payload) > limit {
		return Token{}, fmt.Errorf("the token is %d bytes, the manager takes %d; shorten Extra or Scopes: %w", len(payload), limit, ErrTooLarge)
	}
	if p.stored.live && p.stored.rec.same(p.next) {
		return s.confirm(ctx, op, p)
	}
	notAfter, err := s.stamp(ctx, op, p)
	if err != nil {
		return Token{}, err
	}
	at, tick := s.now(), s.cache.tick()
	rev, err := s.put(ctx, SecretName(p.next.ID), payload, p.stored.rev, notAfter)
	if err != nil {
		s.cache.dropRow(p.next.ID)
		return s.lost(ctx, op, p, err)
	}
	s.cache.setRow(row{id: p.next.ID, live: true, rec: p.next, rev: rev, fresh: true, at: at, tick: tick})
	return p.next.shown(), nil
}

// put writes a secret unless the time to do so has passed.
func (s *SecretStore) put(ctx context.Context, name string, payload []byte, rev driver.Revision, notAfter time.Time) (driver.Revision, error) {
	return s.secrets.Put(driver.WithNotAfter(ctx, notAfter), name, payload, rev)
}

// confirm ends a save that changes nothing: no write, but a read where the stored token is only remembered.
func (s *SecretStore) confirm(ctx context.Context, op *operation, p plan) (Token, error) {
	if p.stored.fresh && p.stored.tick > op.since {
		return p.stored.rec.shown(), nil
	}
	rows, err := s.fetch(ctx, []string{p.next.ID})
	if err != nil {
		return Token{}, err
	}
	if now := rows[p.next.ID]; now.err != nil {
		return Token{}, now.err
	} else if !now.live || now.rev != p.stored.rev {
		return Token{}, errAgain
	}
	return p.stored.rec.shown(), nil
}

// stamp makes sure that the index lists the token under all keys that the put gives it, and returns until when the
// put may be sent.
func (s *SecretStore) stamp(ctx context.Context, op *operation, p plan) (time.Time, error) {
	now := s.now()
	limit := now.Add(maxRevisionAge)
	if p.stored.live {
		limit = p.stored.at.Add(maxRevisionAge)
	}
	if !p.gainsKeys() {
		return limit, nil
	}
	want := entryOf(p.next)
	stamped, ok := s.stamped(op, p, want)
	if !ok {
		var err error
		if stamped, err = s.list(ctx, op.listing, p); err != nil {
			return time.Time{}, err
		}
	}
	if window := stamped.Add(putWindow); window.Before(limit) {
		return window, nil
	}
	return limit, nil
}

// stamped returns when this attempt read that the index lists a token under all keys of an entry, with stamps that are good for
// a put, if it did. A put that creates a token does not rely on it: savers of one identity who disagree on the ID, since one
// of them saw a stranger there, only find out by a swap.
func (s *SecretStore) stamped(op *operation, p plan, want entry) (time.Time, bool) {
	now := s.now()
	index := s.cache.view(s.whereListed(want), s.fan(), now, time.Minute)
	if index == nil || !s.seams.trustCache && (!p.stored.live || index.tick <= op.since) {
		return time.Time{}, false
	}
	for _, leaf := range index.sheets {
		if e, ok := want.under(leaf.path, s.fan()); ok && !leaf.entries.listed(e, now.Add(-stampAge)) || !p.fits(leaf) {
			return time.Time{}, false
		}
	}
	return index.at, true
}

// lost decides what a put means that failed.
func (s *SecretStore) lost(ctx context.Context, op *operation, p plan, err error) (Token, error) {
	var cause *driver.Error
	switch {
	case errors.Is(err, driver.ErrNameHeld) && p.derived:
		op.held[p.next.ID] = true
		return Token{}, errAgain
	case !errors.Is(err, ErrConflict):
		return Token{}, err
	case p.stored.live && p.stored.tick > op.start && errors.As(err, &cause) && cause.Resent:
		// The put was sent twice. If the token is gone now, it was deleted after this operation read it, perhaps after the
		// first put: then the update came before the delete.
		rows, err := s.fetch(ctx, []string{p.next.ID})
		if now := rows[p.next.ID]; err == nil && now.err == nil && !now.live {
			return p.next.shown(), nil
		}
	}
	if s.seams.createConflict != nil && !p.stored.live {
		return s.seams.createConflict(ctx, op, p)
	}
	op.occupied[p.next.ID] = true
	return Token{}, errAgain
}
