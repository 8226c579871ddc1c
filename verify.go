package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Verify compares the index with the secrets that are there, and changes nothing. Writers may run beside it: what it reports is
// true at the time, or became so by hand. Where the manager's list lags, secrets younger than the lag may be missed.
//
// The error is one of the manager, [ErrPermission] above all: listing the secrets is a right of its own. Problems are no errors but
// findings of the report.
//
// It makes a call for each index secret, those of the manager's list, a read of every token (on AWS 20 in a call) and, where
// a person can put back a version, a check of every secret.
func (s *SecretStore) Verify(ctx context.Context) (Report, error) {
	found, err := s.inspect(ctx)
	if err != nil {
		return Report{}, s.fail("verify", "", err)
	}
	return found.report(), nil
}

// inspection is what Verify has found so far.
type inspection struct {
	*SecretStore
	scanned  bool
	names    map[string]bool // what the manager lists
	leaves   []*sheet
	nodes    map[string]bool // paths of the index secrets
	tokens   []string        // IDs of the live tokens
	known    map[string]bool // IDs of all that is listed or was scanned
	twins    map[identity][]string
	findings []finding
}

// finding is a Finding and how it is put right; nil: not by us.
type finding struct {
	Finding
	fix func(ctx context.Context) error
}

func (s *SecretStore) inspect(ctx context.Context) (*inspection, error) {
	v := &inspection{SecretStore: s, names: map[string]bool{}, nodes: map[string]bool{}, twins: map[identity][]string{}}
	s.cache.dropIndex()
	// The scan comes first: a child that it has seen proves that the parent, which is read later, was split.
	if err := v.scan(ctx); err != nil {
		return nil, err
	}
	if err := v.visit(ctx, ""); err != nil {
		return nil, err
	}
	if err := v.readTokens(ctx); err != nil {
		return nil, err
	}
	for _, ids := range v.twins {
		if len(ids) > 1 {
			slices.Sort(ids)
			v.add(Twins, ids[0], fmt.Errorf("tokens %q have the same user, client and API domain; delete all but one: %w", ids, ErrAmbiguous), nil)
		}
	}
	return v, v.checkRollbacks(ctx)
}

func (v *inspection) report() Report {
	r := Report{Tokens: len(v.tokens), IndexSecrets: len(v.nodes), Scanned: v.scanned}
	for _, f := range v.findings {
		r.Findings = append(r.Findings, f.Finding)
	}
	return r
}

// add notes what is wrong with a token.
func (v *inspection) add(p Problem, id string, err error, fix func(context.Context) error) {
	v.findings = append(v.findings, finding{Finding{Problem: p, ID: id, Secret: v.fullName(SecretName(id)), Err: err}, fix})
}

// addSecret notes what is wrong with a secret that is not a token.
func (v *inspection) addSecret(p Problem, name string, err error, fix func(context.Context) error) {
	v.findings = append(v.findings, finding{Finding{Problem: p, Secret: v.fullName(name), Err: err}, fix})
}

// scan asks the manager which secrets there are.
func (v *inspection) scan(ctx context.Context) error {
	lister, ok := v.secrets.(driver.Lister)
	if !ok {
		return nil
	}
	for name, err := range lister.List(ctx) {
		if err != nil {
			return err
		}
		_, isToken := tokenID(name)
		_, isNode := v.nodePath(name)
		if !isToken && !isNode {
			v.addSecret(Stranger, name, fmt.Errorf("the name is none of ours; move it elsewhere: %w", ErrForeign), nil)
			continue
		}
		v.names[name] = true
	}
	v.scanned = true
	return nil
}

// nodePath returns the path of the index secret with this name.
func (s *SecretStore) nodePath(name string) (string, bool) {
	path, ok := strings.CutPrefix(name, indexName)
	digits := strings.Join(children("", s.fan()), "")
	return path, ok && strings.Trim(path, digits) == ""
}

// visit reads the index from path on.
func (v *inspection) visit(ctx context.Context, path string) error {
	n, err := v.readNode(ctx, path)
	switch {
	case errors.Is(err, ErrDamaged):
		v.addSecret(BrokenIndex, indexName+path, err, func(ctx context.Context) error { return v.rebuild(ctx, path) })
		v.nodes[path] = true
		return nil
	case errors.Is(err, ErrForeign):
		v.addSecret(Unusable, indexName+path, err, nil)
		return nil
	case err != nil:
		return err
	}
	if n.rev != "" {
		v.nodes[path] = true
	}
	below := children(path, v.fan())
	switch {
	case n.state == stateLeaf && slices.ContainsFunc(below, func(child string) bool { return v.names[indexName+child] }):
		v.addSecret(BrokenIndex, indexName+path, fmt.Errorf("it was put back to a time before it was split: %w", ErrDamaged),
			func(ctx context.Context) error { return v.splitAgain(ctx, path) })
	case n.state == stateLeaf:
		v.leaves = append(v.leaves, n)
		return nil
	case n.state == stateSplit:
		v.addSecret(Unfinished, indexName+path, nil, func(ctx context.Context) error { return v.finishSplit(ctx, n) })
	}
	for _, child := range below {
		if n.state == stateLeaf && !v.names[indexName+child] {
			continue
		}
		if err := v.visit(ctx, child); err != nil {
			return err
		}
	}
	return nil
}

// readTokens reads all tokens that are listed or were scanned.
func (v *inspection) readTokens(ctx context.Context) error {
	var unlisted []string
	known := map[string]bool{}
	v.known = known
	for _, leaf := range v.leaves {
		fresh := slices.DeleteFunc(leaf.entries.ids(), func(id string) bool { return known[id] })
		if err := v.readRows(ctx, fresh, known, &unlisted); err != nil {
			return err
		}
		swept := leaf.clone()
		if err := v.look(ctx, swept); err != nil {
			return err
		}
		if v.sweep(swept) > 0 {
			v.addSecret(Stale, indexName+leaf.path, nil, func(ctx context.Context) error { return v.tidy(ctx, leaf.path) })
		}
	}
	var rest []string
	for name := range v.names {
		if id, ok := tokenID(name); ok && !known[id] {
			rest = append(rest, id)
		}
	}
	slices.Sort(rest)
	if err := v.readRows(ctx, rest, known, &unlisted); err != nil {
		return err
	}
	return v.confirmUnlisted(ctx, unlisted)
}

// readRows reads tokens, and collects the IDs of those that the index, as it was read, does not list.
func (v *inspection) readRows(ctx context.Context, ids []string, known map[string]bool, unlisted *[]string) error {
	for ids := range slices.Chunk(ids, listBatch) {
		rows, err := v.fetch(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			known[id] = true
			switch r := rows[id]; {
			case errors.Is(r.err, ErrUnavailable), errors.Is(r.err, ErrQuota):
				return r.err
			case r.err != nil:
				v.add(Unusable, id, r.err, nil)
			case r.live:
				v.tokens = append(v.tokens, id)
				if key := r.rec.identity(); key.equal(key) {
					v.twins[key] = append(v.twins[key], id)
				}
				if !v.listed(v.leaves, r.rec) {
					*unlisted = append(*unlisted, id)
				}
			}
		}
	}
	return nil
}

// look reads the tokens of the entries that a sweep may remove, if it has no evidence about them.
func (v *inspection) look(ctx context.Context, n *node) error {
	var ids []string
	for _, e := range n.entries {
		if _, seen := v.evidence(e); v.aged(e) && !seen {
			ids = append(ids, e.ID)
		}
	}
	slices.Sort(ids)
	_, err := v.fetch(ctx, slices.Compact(ids))
	return err
}

// listed reports whether leaves list a token under all its keys, each where it belongs.
func (v *inspection) listed(leaves []*sheet, r record) bool {
	want, places := entryOf(r), 0
	for _, leaf := range leaves {
		part, ok := want.under(leaf.path, v.fan())
		if ok && !slices.ContainsFunc(leaf.entries, func(e entry) bool { return e.covers(part) }) {
			return false
		}
		if ok {
			places++
		}
	}
	return places > 0
}

// confirmUnlisted reads the tokens that seemed unlisted again, and then the index: a token that is still there and was
// being saved is listed now.
func (v *inspection) confirmUnlisted(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	again := &inspection{SecretStore: v.SecretStore, names: v.names, nodes: map[string]bool{}, twins: map[identity][]string{}}
	rows := map[string]row{}
	for ids := range slices.Chunk(ids, listBatch) {
		some, err := v.fetch(ctx, ids)
		if err != nil {
			return err
		}
		for id, r := range some {
			rows[id] = r
		}
	}
	if err := again.visit(ctx, ""); err != nil {
		return err
	}
	for _, id := range ids {
		if r := rows[id]; r.live && !v.listed(again.leaves, r.rec) {
			v.add(Unlisted, id, nil, func(ctx context.Context) error { return v.listAgain(ctx, id) })
		}
	}
	return nil
}

// checkRollbacks asks the manager which secrets were put back by hand.
func (v *inspection) checkRollbacks(ctx context.Context) error {
	checker, ok := v.secrets.(driver.RollbackChecker)
	if !ok {
		return nil
	}
	for path := range v.nodes {
		back, err := checker.RolledBack(ctx, indexName+path)
		if err != nil && !isNotFound(err) {
			return err
		}
		if back {
			v.addSecret(RolledBack, indexName+path, nil, func(ctx context.Context) error { return v.rewriteNode(ctx, path) })
		}
	}
	for _, id := range v.tokens {
		back, err := checker.RolledBack(ctx, SecretName(id))
		if err != nil && !isNotFound(err) {
			return err
		}
		if back {
			v.add(RolledBack, id, nil, func(ctx context.Context) error { return v.rewrite(ctx, id) })
		}
	}
	return nil
}
