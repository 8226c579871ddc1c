package tokenkeep

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// plan is what a save or update is about to do.
type plan struct {
	stored  row    // what is there: a live token, or none
	next    record // what shall be there
	derived bool   // the ID of a new token was derived, and may be another
	// fits reports whether the plan knew all tokens that matter to it of those an index lists.
	fits func(*sheet) bool
}

func always(*sheet) bool { return true }

// gainsKeys reports whether the put gives the token keys that it did not have.
func (p plan) gainsKeys() bool {
	return !p.stored.live || !entryOf(p.stored.rec).covers(entryOf(p.next))
}

// planSave chooses the token that a save means, and what becomes of it.
func (s *SecretStore) planSave(ctx context.Context, op *operation, t Token) (plan, error) {
	if t.ID == "" {
		return s.planMatch(ctx, op, t)
	}
	stored, err := s.rowForWrite(ctx, op, t.ID)
	if err != nil {
		return plan{}, err
	}
	if stored.live {
		return s.planUpdate(ctx, op, stored, stored.rec.save(t))
	}
	next, err := newRecord(t)
	if err != nil {
		return plan{}, err
	}
	known, err := s.checkHolders(ctx, op, next)
	if err != nil {
		return plan{}, err
	}
	return plan{stored: stored, next: next, fits: knowsHolders(known, next)}, nil
}

// planUpdate plans to put next in the place of a live token, unless it takes the identity of another one.
func (s *SecretStore) planUpdate(ctx context.Context, op *operation, stored row, next record) (plan, error) {
	p := plan{stored: stored, next: next, fits: always}
	if stored.rec.identity() == next.identity() {
		return p, nil
	}
	known, err := s.checkHolders(ctx, op, next)
	p.fits = knowsHolders(known, next)
	return p, err
}

// checkHolders refuses a record whose identity another live token has. It returns the tokens it looked at.
func (s *SecretStore) checkHolders(ctx context.Context, op *operation, next record) (map[string]row, error) {
	index, err := s.indexForWrite(ctx, op, s.whereIs(next))
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(index.holders(next), func(id string) bool { return id == next.ID })
	known, err := s.rowsForWrite(ctx, op, others, false)
	if err != nil {
		return nil, err
	}
	live, err := usable(known)
	if err == nil {
		err = checkIdentity(live, next)
	}
	known[next.ID] = row{}
	return known, err
}

func knowsHolders(known map[string]row, next record) func(*sheet) bool {
	return func(now *sheet) bool { return covers(known, now.entries.holders(next)) }
}

// planMatch plans a save without an ID: it updates the token that t means, or creates one.
func (s *SecretStore) planMatch(ctx context.Context, op *operation, t Token) (plan, error) {
	byName, index, err := s.lookByName(ctx, op, t)
	if err != nil {
		return plan{}, err
	}
	if byName.live {
		return s.planUpdate(ctx, op, byName, byName.rec.save(t))
	}
	ids := slices.Sorted(maps.Keys(op.occupied))
	ids = slices.Compact(slices.Sorted(slices.Values(append(ids, index.candidates(t)...))))
	// Of a single candidate the remembered state will do, since the swap checks it. Whether several fit, or none, only
	// reading tells.
	known, err := s.rowsForWrite(ctx, op, ids, op.first && len(ids) == 1)
	if err != nil {
		return plan{}, err
	}
	live, err := usable(known)
	if err != nil {
		return plan{}, err
	}
	i, err := match(live, t)
	switch {
	case err == nil:
		p, err := s.planUpdate(ctx, op, known[live[i].ID], live[i].save(t))
		fits := p.fits
		p.fits = func(now *sheet) bool {
			return fits(now) && (t.byAccessToken() || covers(known, now.entries.candidates(t)))
		}
		return p, err
	case !isNotFound(err):
		return plan{}, err
	case op.first && len(ids) == 1 && known[ids[0]].tick < op.since:
		return plan{}, errAgain // it was only remembered
	}
	return s.planCreate(ctx, op, t, index, known)
}

// lookByName returns the token on the ID that is derived from t, if it is the one that t means for certain, and the index. What is
// not remembered of the two is read in one call.
func (s *SecretStore) lookByName(ctx context.Context, op *operation, t Token) (row, *view, error) {
	id, ok := t.derivedID()
	if ok && op.first {
		if r, ok := s.cache.row(id, s.now()); ok && r.live && r.rec.isMeantBy(t) {
			return r, nil, nil
		}
	}
	w := s.whereOf(t)
	if index := s.remembered(op, w); index != nil {
		return row{}, index, nil
	}
	var ids []string
	if ok {
		ids = []string{id}
	}
	isMeant := func(rows map[string]row) bool { return rows[id].live && rows[id].rec.isMeantBy(t) }
	rows, index, err := s.fetchWith(ctx, ids, w, isMeant)
	if err == nil && isMeant(rows) {
		return rows[id], index, nil
	}
	return row{}, index, err
}

// remembered returns a part of the index that an attempt may go by without reading it: after a conflict, as read since.
func (s *SecretStore) remembered(op *operation, w where) *view {
	now := s.now()
	index := s.cache.view(w, s.fan(), now, maxRevisionAge)
	if index != nil && (index.tick > op.since || op.first && young(index.at, now, s.options.IndexMaxAge)) {
		return index
	}
	return nil
}

// indexForWrite returns a part of the index, remembered or read.
func (s *SecretStore) indexForWrite(ctx context.Context, op *operation, w where) (*view, error) {
	if index := s.remembered(op, w); index != nil {
		return index, nil
	}
	return s.readIndex(ctx, w)
}

// rowForWrite returns a token to write on: remembered at the first attempt, else as freshly read.
func (s *SecretStore) rowForWrite(ctx context.Context, op *operation, id string) (row, error) {
	rows, err := s.rowsForWrite(ctx, op, []string{id}, op.first)
	if err != nil {
		return row{}, err
	}
	return rows[id], rows[id].err
}

// rowsForWrite returns tokens as read by this attempt or, if remembered ones will do and are live, from memory.
func (s *SecretStore) rowsForWrite(ctx context.Context, op *operation, ids []string, remembered bool) (map[string]row, error) {
	known := make(map[string]row, len(ids)+1)
	var unread []string
	for _, id := range ids {
		r, ok := s.cache.row(id, s.now())
		if ok && (r.fresh && r.tick > op.since || remembered && r.live) {
			known[id] = r
			continue
		}
		unread = append(unread, id)
	}
	read, err := s.fetch(ctx, unread)
	maps.Copy(known, read)
	return known, err
}

// usable returns the live records of rows, in the order of their IDs. One that cannot be used may be the one that is
// meant, so it is an error.
func usable(rows map[string]row) ([]record, error) {
	var live []record
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if err := rows[id].err; err != nil {
			return nil, err
		}
		if rows[id].live {
			live = append(live, rows[id].rec)
		}
	}
	return live, nil
}

// planCreate plans to create a token for t, which none of known is.
func (s *SecretStore) planCreate(ctx context.Context, op *operation, t Token, index *view, known map[string]row) (plan, error) {
	next, err := newRecord(t)
	if err != nil {
		if index.tick > op.since {
			return plan{}, err
		}
		return plan{}, errAgain // the remembered index may be too old to know what t fits
	}
	if index, err = s.lookElsewhere(ctx, op, t, next, index); err != nil {
		return plan{}, err
	}
	if !t.byAccessToken() && !covers(known, index.candidates(t)) {
		return plan{}, errAgain
	}
	for slot := index.slot(next); slot < maxSlots; slot++ {
		next.ID = next.identity().derivedID(slot)
		at := known[next.ID]
		switch {
		case at.live && at.rec.identity().equal(next.identity()):
			return s.planUpdate(ctx, op, at, at.rec.save(t)) // an old copy, which matches nothing
		case at.live || op.held[next.ID]:
			continue
		}
		known[next.ID] = row{}
		// Who passed over an earlier slot must not do so by an old look at it: its stranger may be gone, and others meet there.
		fits := func(now *sheet) bool {
			return (slot == 0 || index.has(now)) &&
				covers(known, now.entries.holders(next)) && (t.byAccessToken() || covers(known, now.entries.candidates(t)))
		}
		return plan{stored: row{id: next.ID}, next: next, derived: true, fits: fits}, nil
	}
	return plan{}, fmt.Errorf("%d tokens of other identities, or deleted secrets, hold the names that this one could have; save it with an ID: %w",
		maxSlots, ErrConflict)
}

// lookElsewhere reads the index again if part of it is only remembered and no compare-and-swap will tell that it has
// changed: that of next lies in another leaf. Else a token without a user that holds the credential of t would be missed, and
// two tokens would spend it.
func (s *SecretStore) lookElsewhere(ctx context.Context, op *operation, t Token, next record, index *view) (*view, error) {
	meets := s.whereIs(next)
	for _, leaf := range index.sheets {
		if leaf.tick <= op.since && !meets.needs(leaf.path) {
			return s.readIndex(ctx, s.whereOf(t))
		}
	}
	return index, nil
}

// covers reports whether every one of ids is in known.
func covers(known map[string]row, ids ...[]string) bool {
	for _, list := range ids {
		for _, id := range list {
			if _, ok := known[id]; !ok {
				return false
			}
		}
	}
	return true
}
