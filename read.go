package tokenkeep

import (
	"context"
	"fmt"
	"slices"

	"github.com/tokenkeep/tokenkeep/driver"
)

// get reads a token fast; what it returns may be stale.
func (s *SecretStore) get(ctx context.Context, id string) row {
	r := row{id: id, at: s.now(), tick: s.cache.tick()}
	secret, err := s.secrets.Get(ctx, SecretName(id))
	return s.learn(r, secret, err)
}

// fetch reads tokens as fresh as the manager offers, in as few calls as it allows. A token that cannot be used is a row
// with an error; fetch's own error means that nothing could be read.
func (s *SecretStore) fetch(ctx context.Context, ids []string) (map[string]row, error) {
	rows, _, err := s.fetchWith(ctx, ids, where{}, nil)
	return rows, err
}

// fetchWith reads tokens and a part of the index, with the tokens in the first call. It is its error if the index cannot be
// read. Where the tokens are enough, it does not read on.
func (s *SecretStore) fetchWith(ctx context.Context, ids []string, w where, enough func(map[string]row) bool) (map[string]row, *view, error) {
	rows, index := make(map[string]row, len(ids)), &view{}
	for paths := s.cache.frontier(w, s.fan()); len(ids)+len(paths) > 0; ids = nil {
		at, tick := s.now(), s.cache.tick()
		names := make([]string, 0, len(ids)+len(paths))
		for _, id := range ids {
			names = append(names, SecretName(id))
		}
		for _, path := range paths {
			names = append(names, indexName+path)
		}
		found, err := s.secretsByName(ctx, names)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range ids {
			secret, err := found(SecretName(id))
			rows[id] = s.learn(row{id: id, fresh: true, at: at, tick: tick}, secret, err)
		}
		var deeper []string
		for _, path := range paths {
			secret, err := found(indexName + path)
			n, err := s.learnNode(ctx, &sheet{node: &node{path: path}, rev: secret.Revision, at: at, tick: tick}, secret.Payload, err)
			if err != nil {
				return nil, nil, err
			}
			if n.state == stateLeaf {
				index.add(n)
				continue
			}
			for _, child := range children(path, s.fan()) {
				if w.needs(child) {
					deeper = append(deeper, child)
				}
			}
		}
		if paths = deeper; len(paths) > 0 && enough != nil && enough(rows) {
			return rows, nil, nil
		}
	}
	return rows, index, nil
}

// secretsByName reads secrets strongly, and returns what is known of each: the secret, ErrNotFound or another error.
func (s *SecretStore) secretsByName(ctx context.Context, names []string) (func(name string) (driver.Secret, error), error) {
	if len(names) == 1 {
		secret, err := s.secrets.Latest(ctx, names[0])
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return func(string) (driver.Secret, error) { return secret, err }, nil
	}
	found, err := s.secrets.GetMany(ctx, names)
	failed, err := splitErrors(err)
	if err != nil {
		return nil, err
	}
	return func(name string) (driver.Secret, error) {
		secret, ok := found[name]
		if err := failed[name]; err != nil || ok {
			return secret, err
		}
		return secret, ErrNotFound
	}, nil
}

// splitErrors takes apart what GetMany joined. An error that is not made of errors about single secrets is returned
// whole.
func splitErrors(err error) (map[string]error, error) {
	failed := map[string]error{}
	var split func(error) bool
	split = func(err error) bool {
		if one, ok := err.(*driver.Error); ok && one.Name != "" {
			failed[one.Name] = one
			return true
		}
		joined, ok := err.(interface{ Unwrap() []error })
		return ok && !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !split(err) })
	}
	if err == nil || split(err) {
		return failed, nil
	}
	return nil, err
}

// learn completes a row by what a read of its secret returned, and remembers it.
func (s *SecretStore) learn(r row, secret driver.Secret, err error) row {
	switch {
	case isNotFound(err):
	case err != nil:
		r.err = err
	default:
		r.live, r.rev = true, secret.Revision
		if r.rec, err = decodeRecord(r.id, secret.Payload); err != nil {
			r.live, r.err = false, fmt.Errorf("secret %q: %w", s.fullName(SecretName(r.id)), err)
		}
	}
	if r.err == nil {
		s.cache.setRow(r)
	}
	return r
}

// readIndex reads a part of the index strongly.
func (s *SecretStore) readIndex(ctx context.Context, w where) (*view, error) {
	_, index, err := s.fetchWith(ctx, nil, w, nil)
	return index, err
}

// learnNode completes a sheet by what a read of its secret returned, and remembers it. A first index secret that is absent is
// an empty leaf; another one is what its parent holds for it.
func (s *SecretStore) learnNode(ctx context.Context, n *sheet, payload []byte, err error) (*sheet, error) {
	switch {
	case isNotFound(err) && n.path == "":
		n.state = stateLeaf
	case isNotFound(err):
		parent := s.cache.sheet(n.path[:len(n.path)-1], n.at, maxRevisionAge)
		if parent != nil && parent.state == stateMoved && parent.tick > n.tick {
			return s.readNode(ctx, n.path) // another goroutine has learned, or made, a split that this read came before
		}
		if err := s.unmade(n, parent); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("index: %w", err)
	default:
		decoded, err := decodeNode(n.path, payload)
		if err != nil {
			return nil, fmt.Errorf("index: secret %q: %w; SecretStore.Repair can put it right", s.fullName(indexName+n.path), err)
		}
		n.node = decoded
	}
	s.cache.setSheet(n)
	return n, nil
}

// unmade completes the sheet of an index secret that does not exist by what its parent holds for it.
func (s *SecretStore) unmade(n, parent *sheet) error {
	if parent == nil || parent.state != stateSplit {
		s.cache.dropPath(n.path)
		return fmt.Errorf("index: secret %q is missing, and with it what it lists; SecretStore.Repair can put it right: %w", s.fullName(indexName+n.path), ErrDamaged)
	}
	n.state, n.unmade, n.entries = stateLeaf, true, parent.entries.under(n.path, s.fan())
	return nil
}
