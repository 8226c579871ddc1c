package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/zoho"
)

const revokeHelp = `

With --revoke the refresh token, or the access token where there is none, is revoked at Zoho first. A token whose revocation
fails stays in the store, with exit status 1, so that it can be tried again; one that Zoho does not know any more is as
good as revoked. A grant token cannot be revoked: it ends by itself within minutes. A token that names no data center of Zoho, by
accounts_url or api_domain, stays too, for its credential is sent to no server that is a guess.`

// revocation is what became of the credential of a token.
type revocation string

const (
	revoked         revocation = "revoked"
	alreadyInvalid  revocation = "already invalid"
	nothingToRevoke revocation = "nothing to revoke"
)

var (
	errNoServer = errors.New(`it names no data center of Zoho; save it with its accounts_url or api_domain first, by "tokenkeep put"`)
	errReplaced = errors.New("the stored credential is another one by now")
)

// keptError is why a token was not deleted.
type keptError struct {
	id  string
	how revocation // empty: it was not revoked
	err error
}

func (e *keptError) Error() string {
	how := e.how
	if how == "" {
		how = "not revoked"
	}
	return fmt.Sprintf("token %q stays in the store (%s): %v", e.id, how, e.err)
}

func (e *keptError) Unwrap() error { return e.err }

// updating is a store that can confirm what it holds.
type updating interface {
	tokenkeep.Store
	tokenkeep.Updater
}

// revoker revokes tokens before it deletes them.
type revoker struct {
	store    updating
	provider *zoho.Provider
}

func newRevoker(store tokenkeep.Store) (*revoker, error) {
	able, ok := store.(updating)
	if !ok {
		return nil, errors.New("a store without updates cannot tell whether what was revoked is still what it holds")
	}
	return &revoker{able, zoho.NewProvider(zoho.DataCenter{}, nil)}, nil
}

// remove revokes and deletes the token with an ID. It is tokenkeep.ErrNotFound if there is none, else a keptError.
func (r *revoker) remove(ctx context.Context, id string) (revocation, error) {
	t, err := r.store.FindTokenByID(ctx, id)
	if errors.Is(err, tokenkeep.ErrNotFound) {
		return "", err
	}
	if err != nil {
		return "", &keptError{id, "", err}
	}
	how, err := r.revoke(ctx, t)
	if err == nil {
		err = r.store.DeleteToken(ctx, id)
	}
	if err != nil {
		return "", &keptError{id, how, err}
	}
	return how, nil
}

// revoke revokes a token, and what a login or a refresh puts into its place meanwhile. At the end the store has confirmed, by a
// write, that it holds what was revoked; a login in the moment between that and a delete is not seen.
func (r *revoker) revoke(ctx context.Context, t tokenkeep.Token) (revocation, error) {
	for {
		how, err := r.end(ctx, t)
		if err != nil {
			return "", err
		}
		ended := credentialOf(t)
		_, err = r.store.UpdateToken(ctx, t.ID, func(stored tokenkeep.Token) (tokenkeep.Token, error) {
			if t = stored; credentialOf(t) != ended {
				return t, errReplaced
			}
			return t, nil
		})
		if err == nil || errors.Is(err, tokenkeep.ErrNotFound) {
			return how, nil
		}
		if !errors.Is(err, errReplaced) {
			return how, fmt.Errorf("whether another login came between cannot be told: %w", err)
		}
	}
}

// end revokes one credential.
func (r *revoker) end(ctx context.Context, t tokenkeep.Token) (revocation, error) {
	if credentialOf(t) == "" {
		return nothingToRevoke, nil
	}
	if _, isKnown := zoho.DataCenterByAPIDomain(t.APIDomain); !isKnown && t.AccountsURL == "" {
		return "", errNoServer
	}
	switch err := r.provider.Revoke(ctx, t); {
	case errors.Is(err, zoho.ErrAlreadyInvalid):
		return alreadyInvalid, nil
	case err != nil:
		return "", err
	}
	return revoked, nil
}

// credentialOf returns what a revocation ends.
func credentialOf(t tokenkeep.Token) string {
	if t.RefreshToken != "" {
		return t.RefreshToken
	}
	return t.AccessToken
}
