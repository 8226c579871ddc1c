package tokenkeep

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// get reads a token fast; what it returns may be stale.
func (s *SecretStore) get(ctx context.Context, id string) row {
	r := row{id: id, at: s.now(), tick: s.cache.tick()}
	secret, err := s.secrets.Get(ctx, secretName(id))
	return s.learn(r, secret, err)
}

// fetch reads tokens, and the index with them if withIndex is set, as fresh as the manager offers and in as few calls
// as it allows. A token that cannot be used is a row with an error; if nothing can be read, or not the index, that is
// fetch's error.
func (s *SecretStore) fetch(ctx context.Context, ids []string, withIndex bool) (map[string]row, *sheet, error) {
	at, tick := s.now(), s.cache.tick()
	names := make([]string, 0, len(ids)+1)
	for _, id := range ids {
		names = append(names, secretName(id))
	}
	if withIndex {
		names = append(names, indexName)
	}
	secrets, failed, err := s.secretsByName(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	result := func(name string) (driver.Secret, error) {
		secret, ok := secrets[name]
		if err := failed[name]; err != nil || ok {
			return secret, err
		}
		return secret, ErrNotFound
	}
	rows := make(map[string]row, len(ids))
	for _, id := range ids {
		secret, err := result(secretName(id))
		rows[id] = s.learn(row{id: id, fresh: true, at: at, tick: tick}, secret, err)
	}
	if !withIndex {
		return rows, nil, nil
	}
	secret, err := result(indexName)
	index, err := s.learnIndex(secret, err, at, tick)
	return rows, index, err
}

// secretsByName reads secrets strongly. An error about one of them is in failed.
func (s *SecretStore) secretsByName(ctx context.Context, names []string) (found map[string]driver.Secret, failed map[string]error, err error) {
	if len(names) == 0 {
		return nil, nil, nil
	}
	if len(names) > 1 {
		found, err = s.secrets.GetMany(ctx, names)
		failed, err = splitErrors(err)
		return found, failed, err
	}
	secret, err := s.secrets.Latest(ctx, names[0])
	if err != nil {
		return nil, map[string]error{names[0]: err}, ctx.Err()
	}
	return map[string]driver.Secret{names[0]: secret}, nil, nil
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
			r.live, r.err = false, fmt.Errorf("secret %q: %w", s.fullName(secretName(r.id)), err)
		}
	}
	if r.err == nil {
		s.cache.setRow(r)
	}
	return r
}

// readIndex reads the index strongly.
func (s *SecretStore) readIndex(ctx context.Context) (*sheet, error) {
	_, index, err := s.fetch(ctx, nil, true)
	return index, err
}

// learnIndex decodes what a read of the index returned, and remembers it. An absent index is an empty one.
func (s *SecretStore) learnIndex(secret driver.Secret, err error, at time.Time, tick tick) (*sheet, error) {
	index := &sheet{leaf: &leaf{}, rev: secret.Revision, at: at, tick: tick}
	switch {
	case isNotFound(err):
	case err != nil:
		return nil, fmt.Errorf("index: %w", err)
	default:
		if index.leaf, err = decodeLeaf(secret.Payload); err != nil {
			return nil, fmt.Errorf("index: secret %q: %w; put back the text of an earlier version of it", s.fullName(indexName), err)
		}
	}
	s.cache.setSheet(index)
	return index, nil
}
