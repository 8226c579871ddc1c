package tokenkeep

import (
	"context"
	"errors"
	"slices"
	"time"
)

// How the index forgets. An entry may go only if its stamp is older than sweepAge, and after that the secret was strongly read as
// absent or as without the entry's keys, and the index is still the one that was aged when the entry goes. A put
// that relies on a stamp s is sent before s + stampAge + putWindow, on any clock within 23 hours of ours, and so before
// that read: the read saw it, or the delete that followed.
const (
	// sweepAge is the age of an entry that may be removed.
	sweepAge = 24 * time.Hour
	// stampAge is the age up to which a stamp that was found, not written, is good for a put.
	stampAge = 10 * time.Minute
	// putWindow is how long after writing or finding a stamp the put that relies on it may be sent.
	putWindow = 5 * time.Minute
)

// sweepBatch is how many of the oldest entries a write of an index over half full reads to see what may go.
const sweepBatch = 20

func (s *SecretStore) sweepAge() time.Duration {
	if s.seams.grace > 0 {
		return s.seams.grace
	}
	return sweepAge
}

// aged reports whether an entry is old enough to be removed.
func (s *SecretStore) aged(e entry) bool { return s.now().Sub(e.Stamp) > s.sweepAge() }

// evidence returns what a strong read since an entry came of age told about its token, if there was one.
func (s *SecretStore) evidence(e entry) (row, bool) {
	r, ok := s.cache.row(e.ID, s.now())
	return r, ok && r.fresh && r.at.After(e.Stamp.Add(s.sweepAge()))
}

// sweep removes what may go of an index secret, and returns how much it was.
func (s *SecretStore) sweep(l *node) int {
	removed := 0
	kept := l.entries[:0]
	for _, e := range l.entries {
		r, ok := s.evidence(e)
		if !ok {
			kept = append(kept, e)
			continue
		}
		if !r.live || !entryOf(r.rec).sameIdentity(e) {
			removed++
			continue
		}
		has := r.rec.keys()
		before := len(e.Keys)
		e.Keys = slices.DeleteFunc(e.Keys, func(d digest) bool { return !slices.Contains(has, d) })
		removed += before - len(e.Keys)
		kept = append(kept, e)
	}
	l.entries = kept
	return removed
}

// logSwept tells how much a write has removed from an index secret.
func (s *SecretStore) logSwept(path string, removed int) {
	if removed > 0 {
		s.options.Logger.Debug("tokenkeep: removed old entries from the index", "secret", s.fullName(indexName+path), "count", removed)
	}
}

// sweepOldest makes room in an index secret over half full: it reads the tokens of the oldest entries that may go, and sweeps.
func (s *SecretStore) sweepOldest(ctx context.Context, l *node) (int, error) {
	payload, err := l.encode("")
	if err != nil || len(payload) <= maxLeaf/2 {
		return 0, err
	}
	var old []entry
	for _, e := range l.entries {
		if _, seen := s.evidence(e); s.aged(e) && !seen {
			old = append(old, e)
		}
	}
	slices.SortFunc(old, func(a, b entry) int { return a.Stamp.Compare(b.Stamp) })
	var ids []string
	for _, e := range old[:min(len(old), sweepBatch)] {
		if !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	if _, err := s.fetch(ctx, ids); err != nil {
		return 0, err
	}
	return s.sweep(l), nil
}

// sweepLeaf writes an index secret without the entries that may go, if there are any. Losing to another writer is no error:
// the entries go some other time.
func (s *SecretStore) sweepLeaf(ctx context.Context, leaf *sheet) error {
	swept := leaf.clone()
	removed := s.sweep(swept)
	if leaf.unmade || removed == 0 {
		return nil
	}
	s.noteWrite(swept)
	_, err := s.putNode(ctx, leaf, swept)
	if errors.Is(err, ErrConflict) {
		return nil
	}
	if err == nil {
		s.logSwept(leaf.path, removed)
	}
	return err
}
