package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// copyPlan is what a copy has to do.
type copyPlan struct {
	todo      []tokenkeep.Token
	present   []string // IDs
	conflicts []string
}

// planCopy compares two stores. A target that cannot be read whole is not written to; unread are the errors of tokens of
// the source that cannot be copied.
func planCopy(ctx context.Context, source, target tokenkeep.Store, drop []string) (plan copyPlan, unread, err error) {
	want, unread, err := read(ctx, source, drop)
	if err != nil {
		return plan, nil, fmt.Errorf("--from: %w", err)
	}
	have, damaged, err := read(ctx, target, nil)
	if err := errors.Join(err, damaged); err != nil {
		return plan, nil, fmt.Errorf("--to: %w", err)
	}
	return planTokens(want, have), unread, nil
}

// read returns the tokens of a store without some fields, and the errors of those that cannot be used.
func read(ctx context.Context, store tokenkeep.Store, drop []string) (tokens []tokenkeep.Token, unread, err error) {
	var errs []error
	for t, err := range all(ctx, store) {
		switch {
		case err != nil && t.ID == "":
			return nil, nil, err
		case err != nil:
			errs = append(errs, err)
		default:
			for _, field := range drop {
				droppable[field](&t)
			}
			tokens = append(tokens, t)
		}
	}
	return tokens, errors.Join(errs...), nil
}

func planTokens(want, have []tokenkeep.Token) copyPlan {
	p := copyPlan{present: []string{}, conflicts: []string{}}
	twins := map[identity]int{}
	for _, t := range want {
		twins[identityOf(t)]++
	}
	ids, identities := map[string]tokenkeep.Token{}, map[identity]tokenkeep.Token{}
	for _, t := range have {
		ids[t.ID], identities[identityOf(t)] = t, t
	}
	for _, t := range want {
		there, sameID := ids[t.ID]
		other, sameIdentity := identities[identityOf(t)]
		switch {
		case sameID && equal(t, there):
			p.present = append(p.present, t.ID)
		case sameID:
			p.conflicts = append(p.conflicts, fmt.Sprintf("token %q: the target has another token with this ID", t.ID))
		case twins[identityOf(t)] > 1:
			p.conflicts = append(p.conflicts, fmt.Sprintf("token %q: the source has several tokens of this user, client and API domain", t.ID))
		case sameIdentity:
			p.conflicts = append(p.conflicts, fmt.Sprintf("token %q: the target has a token of this user, client and API domain, with the ID %q",
				t.ID, other.ID))
		default:
			p.todo = append(p.todo, t)
		}
	}
	return p
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

// equal reports whether two tokens are the same, credentials included.
func equal(a, b tokenkeep.Token) bool {
	x, errX := tokenkeep.EncodeToken(a)
	y, errY := tokenkeep.EncodeToken(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// compare reads two stores and tells which tokens of the first are not the same in the second.
func compare(ctx context.Context, source, target tokenkeep.Store, drop []string) error {
	want, _, err := read(ctx, source, drop)
	if err != nil {
		return fmt.Errorf("--verify: --from: %w", err)
	}
	have, _, err := read(ctx, target, nil)
	if err != nil {
		return fmt.Errorf("--verify: --to: %w", err)
	}
	stored := map[string]tokenkeep.Token{}
	for _, t := range have {
		stored[t.ID] = t
	}
	var errs []error
	for _, t := range want {
		if there, ok := stored[t.ID]; !ok {
			errs = append(errs, fmt.Errorf("--verify: token %q is not in the target: %w", t.ID, errProblems))
		} else if !equal(t, there) {
			errs = append(errs, fmt.Errorf("--verify: token %q is another one in the target: %w", t.ID, errProblems))
		}
	}
	return errors.Join(errs...)
}

// droppable are the fields that a token is still one without.
var droppable = map[string]func(*tokenkeep.Token){
	"access_token":        func(t *tokenkeep.Token) { t.AccessToken, t.ExpiresAt = "", time.Time{} },
	"accounts_url":        func(t *tokenkeep.Token) { t.AccountsURL = "" },
	"extra":               func(t *tokenkeep.Token) { t.Extra = nil },
	"reauthorize":         func(t *tokenkeep.Token) { t.Reauthorize = nil },
	"redirect_url":        func(t *tokenkeep.Token) { t.RedirectURL = "" },
	"refresh_expiry_time": func(t *tokenkeep.Token) { t.RefreshExpiresAt = time.Time{} },
	"refreshed_at":        func(t *tokenkeep.Token) { t.RefreshedAt = time.Time{} },
	"scopes":              func(t *tokenkeep.Token) { t.Scopes = nil },
}

func droppableNames() string { return strings.Join(slices.Sorted(maps.Keys(droppable)), ", ") }

func checkDrop(fields []string) error {
	for _, field := range fields {
		if droppable[field] == nil {
			return usage("--drop-fields: %q is none of %s", field, droppableNames())
		}
	}
	return nil
}
