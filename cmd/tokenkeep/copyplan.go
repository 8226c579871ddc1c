package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tokenkeep/tokenkeep"
)

// copyPlan is what a copy has to do.
type copyPlan struct {
	todo      []tokenkeep.Token // whole
	present   []string          // IDs
	different []difference
	conflicts []string
	misfits   misfits
}

// empty reports whether the source has no tokens.
func (p copyPlan) empty() bool {
	return len(p.todo)+len(p.present)+len(p.different)+len(p.conflicts)+len(p.misfits.ids) == 0
}

// difference is a token that the source and the target have with other contents.
type difference struct {
	ID     string   `json:"id"`
	Fields []string `json:"fields"`
}

func (d difference) String() string {
	return fmt.Sprintf("token %q: %s", d.ID, strings.Join(d.Fields, ", "))
}

// planCopy compares two stores. A target that cannot be read whole is not written to; unread are the errors of tokens of
// the source that cannot be copied.
func planCopy(ctx context.Context, source, target tokenkeep.Store, r room) (plan copyPlan, unread, err error) {
	want, unread, err := read(ctx, source)
	if err != nil {
		return plan, nil, fmt.Errorf("--from: %w", err)
	}
	have, damaged, err := read(ctx, target)
	if err := errors.Join(err, damaged); err != nil {
		return plan, nil, fmt.Errorf("--to: %w", err)
	}
	return planTokens(want, have, r), unread, nil
}

// read returns the tokens of a store, and the errors of those that cannot be used.
func read(ctx context.Context, store tokenkeep.Store) (tokens []tokenkeep.Token, unread, err error) {
	var errs []error
	for t, err := range all(ctx, store) {
		switch {
		case err == nil:
			tokens = append(tokens, t)
		case t.ID != "", len(tokens) > 0 && errors.Is(err, tokenkeep.ErrDamaged): // of one token, or of some rows of a table
			errs = append(errs, err)
		default:
			return nil, nil, err
		}
	}
	return tokens, errors.Join(errs...), nil
}

func planTokens(want, have []tokenkeep.Token, r room) copyPlan {
	p := copyPlan{present: []string{}, different: []difference{}, conflicts: []string{}, misfits: misfits{fields: map[string]bool{}}}
	twins, namesakes := map[identity]int{}, map[string]int{}
	for _, t := range want {
		twins[identityOf(r.cut(t))]++
		namesakes[t.ID]++
	}
	found, identities := map[any]tokenkeep.Token{}, map[identity]tokenkeep.Token{}
	for _, t := range have {
		found[r.key(t)], identities[identityOf(t)] = t, t
	}
	for _, t := range want {
		cut := r.cut(t)
		there, isThere := found[r.key(t)]
		other, sameIdentity := identities[identityOf(cut)]
		hasTwin := twins[identityOf(cut)] > 1
		switch {
		case namesakes[t.ID] > 1 && !r.newIDs():
			p.conflict(t, "the source has several tokens with this ID")
		case isThere && hasTwin && r.newIDs():
			p.conflict(t, "the source has several tokens of this user, client and API domain, and the target has one")
		case isThere && equal(cut, r.cut(there)):
			p.present = append(p.present, t.ID)
		case isThere && sameUser(t, there):
			p.different = append(p.different, difference{t.ID, differing(cut, r.cut(there))})
		case isThere:
			p.conflict(t, "the target has another token with this ID")
		case hasTwin:
			p.conflict(t, "the source has several tokens of this user, client and API domain")
		case sameIdentity:
			p.conflict(t, "the target has a token of this user, client and API domain, with the ID %q", other.ID)
		case p.misfits.take(r, t):
		default:
			p.todo = append(p.todo, t)
		}
	}
	return p
}

func (p *copyPlan) conflict(t tokenkeep.Token, format string, args ...any) {
	p.conflicts = append(p.conflicts, fmt.Sprintf("token %q: %s", t.ID, fmt.Sprintf(format, args...)))
}

// identity is what makes two tokens the same one, by the rules of tokenkeep.Store.
type identity struct{ user, client, domain, credential string }

func identityOf(t tokenkeep.Token) identity {
	id := identity{user: t.UserName, client: t.ClientID, domain: t.APIDomain}
	if t.UserName != "" {
		return id
	}
	for _, credential := range []string{t.GrantToken, t.RefreshToken, t.AccessToken, "ID " + t.ID} {
		if id.credential == "" {
			id.credential = credential
		}
	}
	return id
}

// sameUser reports whether two tokens with one ID are of the same user, client and API domain, whatever their credentials.
func sameUser(a, b tokenkeep.Token) bool {
	return a.UserName == b.UserName && a.ClientID == b.ClientID && a.APIDomain == b.APIDomain
}

// compare reads two stores and tells which tokens of the first are not the same in the second.
func compare(ctx context.Context, source, target tokenkeep.Store, r room) error {
	want, unread, err := read(ctx, source)
	if err != nil {
		return fmt.Errorf("--verify: --from: %w", err)
	}
	have, _, err := read(ctx, target)
	if err != nil {
		return fmt.Errorf("--verify: --to: %w", err)
	}
	stored := map[any]tokenkeep.Token{}
	for _, t := range have {
		stored[r.key(t)] = t
	}
	var errs []error
	if unread != nil {
		errs = append(errs, fmt.Errorf("--verify: the source has tokens that cannot be read: %w", errProblems))
	}
	for _, t := range want {
		there, ok := stored[r.key(t)]
		cut, there := r.cut(t), r.cut(there)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("--verify: token %q is not in the target: %w", t.ID, errProblems))
		case !equal(cut, there):
			errs = append(errs, fmt.Errorf("--verify: token %q has other contents in the target: %s: %w",
				t.ID, strings.Join(differing(cut, there), ", "), errProblems))
		}
	}
	return atMost(maxErrors, errs)
}
