package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxLeaf is the size in bytes beyond which an index secret is split. What is between that and what the manager takes is for
// those that cannot be split: new keys of the tokens that are listed go there.
const maxLeaf = 56 << 10

// part is what of a change is listed in one index secret.
type part struct {
	*change
	entry entry
}

// settle ends the changes of parts.
func settle(parts []part, err error) {
	for _, p := range parts {
		p.settle(outcome{err: err})
	}
}

// writeUnder writes parts into the leaves below path.
func (s *SecretStore) writeUnder(ctx context.Context, path string, parts []part) {
	n := s.cache.sheet(path, s.now(), 0)
	if n == nil {
		s.writeLeaf(ctx, path, parts)
		return
	}
	if n.state == stateSplit {
		if err := s.finishSplit(ctx, n); err != nil {
			settle(parts, err)
			return
		}
	}
	for _, child := range children(path, s.fan()) {
		var below []part
		for _, p := range parts {
			if e, ok := p.entry.under(child, s.fan()); ok && !p.over {
				below = append(below, part{p.change, e})
			}
		}
		if len(below) > 0 {
			s.writeUnder(ctx, child, below)
		}
	}
}

// writeLeaf writes parts into an index secret with one compare-and-swap, as often as it takes, or below it if it is no leaf.
func (s *SecretStore) writeLeaf(ctx context.Context, path string, parts []part) {
	base := s.cache.sheet(path, s.now(), time.Minute)
	for attempt := range maxAttempts {
		var err error
		if base == nil {
			base, err = s.readNode(ctx, path)
		}
		if err == nil && base.unmade {
			err = s.finishSplit(ctx, s.cache.sheet(path[:len(path)-1], s.now(), 0))
			base = nil
			if err == nil {
				continue
			}
		}
		if err != nil {
			settle(parts, err)
			return
		}
		if base.state != stateLeaf {
			s.writeUnder(ctx, path, parts)
			return
		}
		if parts = settleUnfit(parts, base); len(parts) == 0 {
			return
		}
		base, err = s.swapLeaf(ctx, base, parts)
		switch {
		case err == nil && base == nil:
			return
		case errors.Is(err, ErrConflict):
			err = s.pause(ctx, attempt)
		case err != nil:
			err = fmt.Errorf("index: %w", err)
		}
		if err != nil {
			settle(parts, err)
			return
		}
	}
	settle(parts, fmt.Errorf("index: other writers won %d attempts in a row; try again: %w", maxAttempts, ErrUnavailable))
}

// readNode reads an index secret strongly.
func (s *SecretStore) readNode(ctx context.Context, path string) (*sheet, error) {
	n := &sheet{node: &node{path: path}, at: s.now(), tick: s.cache.tick()}
	secret, err := s.secrets.Latest(ctx, indexName+path)
	n.rev = secret.Revision
	return s.learnNode(ctx, n, secret.Payload, err)
}

// settleUnfit sends the writers back that must match again, and returns the parts of the others.
func settleUnfit(parts []part, base *sheet) []part {
	var fit []part
	for _, p := range parts {
		if p.over {
			continue
		}
		if p.fits(base) {
			fit = append(fit, p)
			continue
		}
		p.settle(outcome{err: errAgain})
	}
	return fit
}

// swapLeaf writes parts onto a leaf as it was read, and sweeps it on the way. If it has to grow instead, it is frozen, and
// returned as it is then. New tokens that fit in nowhere are refused.
func (s *SecretStore) swapLeaf(ctx context.Context, base *sheet, parts []part) (*sheet, error) {
	swept := base.clone()
	removed := s.sweep(swept)
	oldest, err := s.sweepOldest(ctx, swept)
	if err != nil {
		return nil, err
	}
	stamp := s.now().UTC().Truncate(time.Second)
	next, size, err := s.extend(swept, parts, stamp)
	if err == nil && s.mustGrow(next, size) {
		return s.freeze(ctx, base, swept)
	}
	for err == nil && size > maxLeaf {
		last := lastNew(parts)
		if last < 0 {
			break
		}
		parts[last].settle(outcome{err: fmt.Errorf("the index would be %d bytes, it takes new tokens of one user up to %d; delete some "+
			"(their entries go within a day or two), or keep them under another prefix: %w", size, maxLeaf, ErrTooLarge)})
		if parts = slices.Delete(parts, last, last+1); len(parts) == 0 {
			return nil, nil
		}
		next, size, err = s.extend(swept, parts, stamp)
	}
	if err != nil {
		return nil, err
	}
	if _, err := s.putNode(ctx, base, next); err != nil {
		return nil, err
	}
	s.logSwept(base.path, removed+oldest)
	for _, p := range parts {
		if p.stamp.IsZero() {
			p.stamp = stamp
		}
	}
	return nil, nil
}

// putNode writes an index secret in the place of base, and remembers it.
func (s *SecretStore) putNode(ctx context.Context, base *sheet, next *node) (*sheet, error) {
	payload, err := next.encode(s.seams.nonce())
	if err != nil {
		return nil, err
	}
	n := &sheet{node: next, at: s.now(), tick: s.cache.tick()}
	if n.rev, err = s.put(ctx, indexName+next.path, payload, base.rev, base.at.Add(maxRevisionAge)); err != nil {
		s.cache.dropSheet(next.path)
		return nil, err
	}
	s.cache.setSheet(n)
	return n, nil
}

// extend returns an index secret with the entries of parts, and its size.
func (s *SecretStore) extend(base *node, parts []part, stamp time.Time) (*node, int, error) {
	next := base.clone()
	for _, p := range parts {
		p.entry.Stamp = stamp
		next.entries = next.entries.with(p.entry)
	}
	s.noteWrite(next)
	payload, err := next.encode("")
	return next, len(payload), err
}

// lastNew returns the last part that is of a new token.
func lastNew(parts []part) int {
	last := len(parts) - 1
	for last >= 0 && !parts[last].isNew {
		last--
	}
	return last
}
