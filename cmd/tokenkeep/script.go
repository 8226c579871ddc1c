package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokenkeep/tokenkeep"
)

// expiry is that of the access tokens that are good; past is that of one that is not.
var (
	expiry = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	past   = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
)

// login is the token of a user who has logged in with a client, for the first time or again.
func login(user, client, time string) tokenkeep.Token {
	credential := user + "-" + client + "-" + time + "-not-to-be-shown"
	return tokenkeep.Token{
		UserName: user + "@example.com", ClientID: client, ClientSecret: client + "-not-to-be-shown",
		RefreshToken: "refresh-" + credential, AccessToken: "access-" + credential, ExpiresAt: expiry,
	}
}

// The names that tokens have in the demo.
const (
	ann       = "ann"
	annsPhone = "ann, on her phone"
	bob       = "bob"
	cid       = "cid"
	dan       = "dan"
)

// firstLogins returns the tokens that are saved at first. Bob's grant token has not been exchanged yet,
// and Cid's access token has expired.
func firstLogins() map[string]tokenkeep.Token {
	cids := login("cid", "web", "first")
	cids.ExpiresAt = past
	return map[string]tokenkeep.Token{
		ann:       login("ann", "web", "first"),
		annsPhone: login("ann", "mobile", "first"),
		bob:       {UserName: "bob@example.com", ClientID: "web", GrantToken: "grant-bob-not-to-be-shown"},
		cid:       cids,
		dan:       login("dan", "web", "first"),
	}
}

// label is how a token is shown: nothing of it is secret.
func label(t tokenkeep.Token) string {
	return fmt.Sprintf("%-16s %-7s ID %s", t.UserName, t.ClientID, t.ID)
}

func labels(tokens []tokenkeep.Token) []string {
	var lines []string
	for _, t := range tokens {
		lines = append(lines, label(t))
	}
	return lines
}

// expected is the error of a step that came out otherwise.
func expected(what string, err error) error {
	if err == nil {
		return fmt.Errorf("expected %s", what)
	}
	return fmt.Errorf("expected %s: %w", what, err)
}

// same checks that two tokens are equal, credentials included.
func same(got, want tokenkeep.Token) error {
	g, errG := tokenkeep.EncodeToken(got)
	w, errW := tokenkeep.EncodeToken(want)
	if err := errors.Join(errG, errW); err != nil {
		return err
	}
	if !bytes.Equal(g, w) {
		return fmt.Errorf("expected %v with the credentials that were saved, got %v", want, got)
	}
	return nil
}

// script returns the steps of the demo.
func (d *demo) script() []step {
	return []step{
		d.saveAtOnce(),
		d.find("ID", bob, func(t tokenkeep.Token) tokenkeep.Token { return tokenkeep.Token{ID: t.ID} }),
		d.find("user and client", ann, func(t tokenkeep.Token) tokenkeep.Token {
			return tokenkeep.Token{UserName: t.UserName, ClientID: t.ClientID}
		}),
		d.find("user", cid, func(t tokenkeep.Token) tokenkeep.Token { return tokenkeep.Token{UserName: t.UserName} }),
		d.find("refresh token", cid, func(t tokenkeep.Token) tokenkeep.Token { return tokenkeep.Token{RefreshToken: t.RefreshToken} }),
		d.find("access token", annsPhone, func(t tokenkeep.Token) tokenkeep.Token { return tokenkeep.Token{AccessToken: t.AccessToken} }),
		d.find("grant token", bob, func(t tokenkeep.Token) tokenkeep.Token { return tokenkeep.Token{GrantToken: t.GrantToken} }),
		d.findTwo(),
		d.loginAgain(),
		d.saveOldCopy(),
		d.refreshOnce(),
		d.list(),
		d.showSecrets(),
		d.deleteOne(),
		d.deleteAll(),
	}
}

// saveAtOnce saves all tokens from two handles at once, and Dan's from both.
func (d *demo) saveAtOnce() step {
	return step{
		title: "two programs save the tokens of 4 users at once, and both of them dan's",
		do: func(ctx context.Context) error {
			one, err := d.handle()
			if err != nil {
				return err
			}
			two, err := d.handle()
			if err != nil {
				return err
			}
			tokens := firstLogins()
			var group errgroup.Group
			for _, save := range []struct {
				by   *tokenkeep.SecretStore
				name string
			}{{one, ann}, {two, annsPhone}, {one, bob}, {two, cid}, {one, dan}, {two, dan}} {
				group.Go(func() error {
					_, err := save.by.SaveToken(ctx, tokens[save.name])
					return err
				})
			}
			if err := group.Wait(); err != nil {
				return expected("6 saves to succeed", err)
			}
			return nil
		},
		check: d.meet,
	}
}

// meet checks that the first logins are stored, each once, and learns their IDs.
func (d *demo) meet(ctx context.Context) ([]string, error) {
	logins := firstLogins()
	stored, err := d.count(ctx, len(logins))
	if err != nil {
		return nil, err
	}
	for name, want := range logins {
		i := slices.IndexFunc(stored, func(t tokenkeep.Token) bool { return t.UserName == want.UserName && t.ClientID == want.ClientID })
		if i < 0 {
			return nil, expected("a token of "+name, nil)
		}
		want.ID = stored[i].ID
		if err := same(stored[i], want); err != nil {
			return nil, err
		}
		d.saved[name] = want
	}
	d.reader, err = d.handle()
	return slices.Sorted(slices.Values(labels(stored))), err
}

// count checks how many tokens a new handle lists, and returns them.
func (d *demo) count(ctx context.Context, want int) ([]tokenkeep.Token, error) {
	reader, err := d.handle()
	if err != nil {
		return nil, err
	}
	tokens, err := reader.GetTokens(ctx)
	if err != nil || len(tokens) != want {
		return nil, expected(fmt.Sprintf("%d tokens, got %d", want, len(tokens)), err)
	}
	return tokens, nil
}

// find looks for a token by one of its keys.
func (d *demo) find(key, name string, query func(tokenkeep.Token) tokenkeep.Token) step {
	var got tokenkeep.Token
	return step{
		title: "a third program finds a token by its " + key,
		do: func(ctx context.Context) (err error) {
			if got, err = d.reader.FindToken(ctx, query(d.saved[name])); err != nil {
				return expected("the token of "+name, err)
			}
			return nil
		},
		check: func(context.Context) ([]string, error) { return []string{label(got)}, same(got, d.saved[name]) },
	}
}

// findTwo asks for a user who has two tokens.
func (d *demo) findTwo() step {
	var answer error
	return step{
		title: "it asks for the token of ann, who has two",
		do: func(ctx context.Context) error {
			_, answer = d.reader.FindToken(ctx, tokenkeep.Token{UserName: d.saved[ann].UserName})
			return ctx.Err()
		},
		check: func(context.Context) ([]string, error) {
			if !errors.Is(answer, tokenkeep.ErrAmbiguous) {
				return nil, expected("the error ErrAmbiguous", answer)
			}
			return []string{"the answer is ErrAmbiguous, and names both IDs"}, nil
		},
	}
}

// loginAgain saves new credentials for Ann.
func (d *demo) loginAgain() step {
	return step{
		title: "ann logs in again: her new refresh and access token are saved",
		do: func(ctx context.Context) error {
			if _, err := d.reader.SaveToken(ctx, login("ann", "web", "second")); err != nil {
				return expected("the save to succeed", err)
			}
			return nil
		},
		check: func(ctx context.Context) ([]string, error) {
			next := login("ann", "web", "second")
			next.ID = d.saved[ann].ID
			d.saved[ann] = next
			return []string{label(next)}, d.stored(ctx, ann)
		},
	}
}

// stored checks through a new handle that a token is stored as it must be.
func (d *demo) stored(ctx context.Context, name string) error {
	reader, err := d.handle()
	if err != nil {
		return err
	}
	got, err := reader.FindTokenByID(ctx, d.saved[name].ID)
	if err != nil {
		return expected("the token of "+name, err)
	}
	return same(got, d.saved[name])
}

// saveOldCopy saves Ann's token as it was before she logged in again.
func (d *demo) saveOldCopy() step {
	return step{
		title: "a program that still has ann's old tokens saves them again",
		do: func(ctx context.Context) error {
			handle, err := d.handle()
			if err != nil {
				return err
			}
			if _, err := handle.SaveToken(ctx, firstLogins()[ann]); err != nil {
				return expected("the save to succeed", err)
			}
			return nil
		},
		check: func(ctx context.Context) ([]string, error) {
			return []string{"nothing changes: her new ones stay"}, d.stored(ctx, ann)
		},
	}
}

func (d *demo) list() step {
	var got []tokenkeep.Token
	return step{
		title: "all tokens are listed",
		do: func(ctx context.Context) (err error) {
			if got, err = d.reader.GetTokens(ctx); err != nil || len(got) != len(d.saved) {
				return expected(fmt.Sprintf("%d tokens, got %d", len(d.saved), len(got)), err)
			}
			return nil
		},
		check: func(context.Context) ([]string, error) {
			for _, name := range slices.Sorted(maps.Keys(d.saved)) {
				if !slices.ContainsFunc(got, func(t tokenkeep.Token) bool { return same(t, d.saved[name]) == nil }) {
					return nil, expected("the token of "+name, nil)
				}
			}
			return labels(got), nil
		},
	}
}

// showSecrets lists the secrets as Secrets Manager does: without their values.
func (d *demo) showSecrets() step {
	var names []string
	return step{
		title: "this is where they lie: a secret for each token, and the index",
		do: func(ctx context.Context) (err error) {
			if names, err = d.secrets(ctx, d.client()); err != nil || len(names) != len(d.saved)+1 {
				return expected(fmt.Sprintf("%d secrets, got %q", len(d.saved)+1, names), err)
			}
			return nil
		},
		check: func(context.Context) ([]string, error) { return slices.Sorted(slices.Values(names)), nil },
	}
}

func (d *demo) deleteOne() step {
	return step{
		title: "dan's token is deleted, with all its versions",
		do: func(ctx context.Context) error {
			if err := d.reader.DeleteToken(ctx, d.saved[dan].ID); err != nil {
				return expected("the delete to succeed", err)
			}
			return nil
		},
		check: func(ctx context.Context) ([]string, error) {
			if _, err := d.reader.FindTokenByID(ctx, d.saved[dan].ID); !errors.Is(err, tokenkeep.ErrNotFound) {
				return nil, expected("the error ErrNotFound for dan", err)
			}
			delete(d.saved, dan)
			_, err := d.count(ctx, len(d.saved))
			return []string{fmt.Sprintf("%d tokens are left", len(d.saved))}, err
		},
	}
}

func (d *demo) deleteAll() step {
	return step{
		title: "all tokens are deleted",
		do: func(ctx context.Context) error {
			if err := d.reader.DeleteTokens(ctx); err != nil {
				return expected("the deletes to succeed", err)
			}
			return nil
		},
		check: func(ctx context.Context) ([]string, error) {
			_, err := d.count(ctx, 0)
			return []string{"no token is left"}, err
		},
	}
}
