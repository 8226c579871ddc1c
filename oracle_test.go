//go:build !race

package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What the explorer checks. In every state, each live token is listed under its keys, and saves without an ID have
// not made two tokens of one identity, but for one case: a token of another identity had the first ID derived from theirs and
// was deleted while a put that creates a token there was under way, and others had agreed on the next ID. At the end, some order of the operations explains what is stored.

// observe notes which operation gave a token its identity, and which IDs lost a token of another identity than they are
// derived from.
func (r *run) observe(id string, c *call, res *result, indexed int) {
	if c.verb != "put" {
		if r.strangers[id] {
			r.vacated[id] = len(r.trace)
		}
		delete(r.strangers, id)
		return
	}
	rec, err := once(records, c.payload, func() (record, error) { return decodeRecord(id, c.payload) })
	if err != nil {
		return // checkState reports it
	}
	known, live := r.known[id]
	if !live || known != rec.identity() {
		r.blame[id] = res
		res.renamed = res.renamed || live
	}
	r.late[id] = !live && r.vacated[id] > indexed || live && r.late[id]
	r.strangers[id] = !slices.ContainsFunc(slots(rec.identity()), func(slot string) bool { return slot == id })
}

// slots returns the IDs that are derived from an identity.
func slots(id identity) []string {
	var ids []string
	for slot := range maxSlots {
		ids = append(ids, id.derivedID(slot))
	}
	return ids
}

// named reports whether an operation may make a second token of an identity when another one does so at the same moment: it
// gives an ID, or changes the identity of a token.
func (res *result) named() bool {
	return res != nil && (res.verb == "update" || res.token.ID != "" || res.renamed)
}

// checkState checks what must hold in every state.
func (r *run) checkState() error {
	live, err := r.live()
	if err != nil {
		return err
	}
	index, err := r.leaves("", nil)
	if err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(live))
	for i, id := range ids {
		want := entryOf(live[id])
		if !r.listed(index, want) {
			return fmt.Errorf("token %s is live and not listed under all its keys", id)
		}
		for _, other := range ids[:i] {
			if !live[id].identity().equal(live[other].identity()) {
				continue
			}
			if !r.blame[id].named() && !r.blame[other].named() && !r.late[id] && !r.late[other] {
				return fmt.Errorf("saves without an ID made two tokens of one identity, %s and %s", other, id)
			}
			r.excused = true
		}
	}
	r.known = map[string]identity{}
	for id, rec := range live {
		r.known[id] = rec.identity()
	}
	for id := range r.blame {
		if _, ok := live[id]; !ok {
			delete(r.blame, id)
		}
	}
	return nil
}

// listed reports whether an entry lies wherever it must.
func (w *sim) listed(leaves []*node, want entry) bool {
	return !slices.ContainsFunc(leaves, func(leaf *node) bool {
		part, ok := want.under(leaf.path, w.fan)
		return ok && !leaf.entries.listed(part, time.Time{})
	})
}

// checkEnd checks that some order of the operations explains what is stored.
func (r *run) checkEnd() error {
	r.direct = true
	reader := r.newActor("reader", nil).store
	tokens, err := reader.GetTokens(context.Background())
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if err := sameAnswer(reader, tokens, Token{UserName: t.UserName}); err != nil {
			return err
		}
	}
	for _, res := range r.results {
		if err := res.err; res.ended && err != nil && !errors.Is(err, ErrConflict) && !isAmbiguous(err) &&
			!isNotFound(err) && !errors.Is(err, ErrIncomplete) {
			return fmt.Errorf("%v failed: %w", res.act, err)
		}
	}
	m := newModel(r)
	if m.explains(tokens) {
		return nil
	}
	if len(m.tried) > maxTried {
		return errUndecided
	}
	return fmt.Errorf("no order of the operations explains what is stored: %s; the operations went: %s", m.text(tokens), r.outcomes())
}

// sameAnswer checks that a look-up finds, misses or calls ambiguous what the rules say of these tokens.
func sameAnswer(s *SecretStore, tokens []Token, q Token) error {
	list, err := NewList(tokens)
	if err != nil {
		return err
	}
	want, wantErr := list.Find(q)
	got, err := s.FindToken(context.Background(), q)
	if got.ID != want.ID || isAmbiguous(err) != isAmbiguous(wantErr) || isNotFound(err) != isNotFound(wantErr) {
		return fmt.Errorf("a look-up of user %q answers %q, %v; want %q, %w", q.UserName, got.ID, err, want.ID, wantErr)
	}
	return nil
}

func (r *run) outcomes() string {
	var all []string
	for _, res := range r.results {
		state := "did not end"
		if res.ended {
			state = fmt.Sprint(res.err)
		}
		all = append(all, fmt.Sprintf("%s %v: %s", res.by.name, res.act, state))
	}
	return strings.Join(all, "; ")
}
