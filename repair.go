package tokenkeep

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tokenkeep/tokenkeep/driver"
)

// repairRounds is how often Repair looks again after it has put the index itself right, since only then it can see what
// that does not list.
const repairRounds = 4

// Repair does what Verify does, and puts right what it can; see [Problem]. Writers may run beside it: it only adds to the index, or
// removes what the store's own sweep may. What could not be put right is a finding that is not Repaired, with the reason.
//
// It makes the calls of Verify, and about one for each thing that it puts right; again after each repair of the index
// itself.
func (s *SecretStore) Repair(ctx context.Context) (Report, error) {
	report, found, err := s.repairFound(ctx)
	if err != nil {
		return Report{}, s.fail("repair", "", err)
	}
	return report, found.clean(ctx, &report)
}

// repairFound puts right what Verify finds.
func (s *SecretStore) repairFound(ctx context.Context) (Report, *inspection, error) {
	var repaired []Finding
	for round := 1; ; round++ {
		found, err := s.inspect(ctx)
		if err != nil {
			return Report{}, nil, err
		}
		again := found.fix(ctx)
		report := found.report()
		if !again || round == repairRounds {
			report.Findings = append(repaired, report.Findings...)
			return report, found, nil
		}
		repaired = append(repaired, slices.DeleteFunc(report.Findings, func(f Finding) bool { return !f.Repaired })...)
	}
}

// fix puts right what it can, and reports whether that was the index itself, so that there may be more to see.
func (v *inspection) fix(ctx context.Context) (again bool) {
	for i := range v.findings {
		f := &v.findings[i]
		if f.fix == nil {
			continue
		}
		if err := f.fix(ctx); err != nil {
			f.Err = errors.Join(f.Err, err)
			continue
		}
		f.Repaired = true
		again = again || f.Problem == BrokenIndex || f.Problem == RolledBack
	}
	return again
}

// clean destroys versions that nobody reads, where the manager keeps such.
func (v *inspection) clean(ctx context.Context, report *Report) error {
	cleaner, ok := v.secrets.(driver.Cleaner)
	if !ok {
		return nil
	}
	for path := range v.nodes {
		v.names[indexName+path] = true
	}
	for id := range v.known {
		v.names[SecretName(id)] = true // a create that ended halfway may be listed in the index alone
	}
	for _, name := range slices.Sorted(maps.Keys(v.names)) {
		n, err := cleaner.Clean(ctx, name)
		if ctx.Err() != nil {
			return v.fail("repair", "", ctx.Err())
		}
		if n > 0 || err != nil {
			f := Finding{Problem: Leftovers, Secret: v.fullName(name), Err: err, Repaired: err == nil}
			f.ID, _ = tokenID(name)
			report.Findings = append(report.Findings, f)
		}
	}
	return nil
}

// listAgain lists a token under its keys.
func (s *SecretStore) listAgain(ctx context.Context, id string) error {
	rows, err := s.fetch(ctx, []string{id})
	if r := rows[id]; err != nil || !r.live {
		return errors.Join(err, r.err)
	}
	_, err = s.list(ctx, nil, plan{stored: rows[id], next: rows[id].rec, fits: always})
	return err
}

// tidy removes the entries of an index secret that may go.
func (s *SecretStore) tidy(ctx context.Context, path string) error {
	n, err := s.readNode(ctx, path)
	if err != nil || n.state != stateLeaf {
		return err
	}
	v := &inspection{SecretStore: s}
	if err := v.look(ctx, n.node); err != nil {
		return err
	}
	return s.sweepLeaf(ctx, n)
}

// rebuild makes an index secret that is missing or cannot be understood an empty leaf; what it listed is unlisted then, and
// listed again. If it has children, it is put back as split, which splitAgain sees to.
func (s *SecretStore) rebuild(ctx context.Context, path string) error {
	n := &sheet{node: &node{path: path}, at: s.now(), tick: s.cache.tick()}
	secret, err := s.secrets.Latest(ctx, indexName+path)
	if err != nil && !isNotFound(err) {
		return err
	}
	if err == nil {
		if _, err := decodeNode(path, secret.Payload); !errors.Is(err, ErrDamaged) {
			return err // somebody else has put it right
		}
	}
	n.rev = secret.Revision
	_, err = s.putNode(ctx, n, &node{path: path, state: stateLeaf})
	return err
}

// splitAgain splits an index secret that has children although it is a leaf.
func (s *SecretStore) splitAgain(ctx context.Context, path string) error {
	n, err := s.readNode(ctx, path)
	if err != nil {
		return err
	}
	if n.state == stateLeaf {
		frozen := n.clone()
		frozen.state = stateSplit
		if n, err = s.putNode(ctx, n, frozen); err != nil {
			return err
		}
	}
	return s.finishSplit(ctx, n)
}

// rewrite makes what a token's secret holds its newest version.
func (s *SecretStore) rewrite(ctx context.Context, id string) error {
	rows, err := s.fetch(ctx, []string{id})
	r := rows[id]
	if err != nil || !r.live {
		return errors.Join(err, r.err)
	}
	payload, err := r.rec.encode(s.seams.nonce())
	if err != nil {
		return err
	}
	s.cache.dropRow(id)
	_, err = s.put(ctx, SecretName(id), payload, r.rev, r.at.Add(maxRevisionAge))
	return err
}

// rewriteNode makes what an index secret holds its newest version.
func (s *SecretStore) rewriteNode(ctx context.Context, path string) error {
	n, err := s.readNode(ctx, path)
	if err != nil {
		return err
	}
	_, err = s.putNode(ctx, n, n.clone())
	return err
}
