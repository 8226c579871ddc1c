package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
)

const (
	instances = 20
	// patience is for how long the instances go on after the demo was interrupted. What is under way ends by itself, and then
	// leaves nothing behind.
	patience = 5 * time.Second
)

// refreshOnce lets many instances need Cid's expired token at once, each with a store and a source of its own.
func (d *demo) refreshOnce() step {
	var writes int
	return step{
		title: fmt.Sprintf("cid's access token has expired, and %d instances of a function need it at the same moment", instances),
		do: func(ctx context.Context) error {
			server, err := startProvider(d.saved[cid].RefreshToken)
			if err != nil {
				return err
			}
			defer server.close()
			ctx, cancel := withPatience(ctx, patience)
			defer cancel()
			tokens, err := d.expireAtOnce(ctx, server.url)
			if n := server.asked(); n != 1 && ctx.Err() == nil {
				return expected(fmt.Sprintf("1 refresh, got %d", n), err)
			}
			if err != nil {
				return expected(fmt.Sprintf("%d instances to get the new token", instances), err)
			}
			for i, token := range tokens {
				if token != accessToken(1) {
					return expected(fmt.Sprintf("the same new token for all, got another one for instance %d", i+1), nil)
				}
			}
			if writes = d.wire.written(); writes != 2 {
				return expected(fmt.Sprintf("2 versions to be written, got %d", writes), nil)
			}
			return nil
		},
		check: func(ctx context.Context) ([]string, error) {
			return []string{
				label(d.saved[cid]),
				fmt.Sprintf("%d instances, 1 refresh: all of them have the same new token", instances),
				fmt.Sprintf("%d PutSecretValue took effect, the lease and the new token; any other came too late", writes),
			}, d.refreshed(ctx)
		},
	}
}

// withPatience returns a context that ends some time after ctx.
func withPatience(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(patience):
			cancel()
		case <-patient.Done():
		}
	})
	return patient, func() { stop(); cancel() }
}

// expireAtOnce returns the access tokens that the instances get.
func (d *demo) expireAtOnce(ctx context.Context, tokenURL string) ([]string, error) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	options := oauth.Options{
		Config:     &oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: tokenURL, AuthStyle: oauth2.AuthStyleInHeader}},
		HTTPClient: &http.Client{Transport: transport},
	}
	query := tokenkeep.Token{UserName: d.saved[cid].UserName, ClientID: d.saved[cid].ClientID}
	tokens, errs := make([]string, instances), make([]error, instances)
	sources := make([]*oauth.Source, instances)
	for i := range sources {
		store, err := d.handle()
		if err != nil {
			return nil, err
		}
		sources[i] = oauth.NewSource(store, query, options)
	}
	var group sync.WaitGroup
	for i, source := range sources {
		group.Go(func() {
			token, err := source.TokenContext(ctx)
			if errs[i] = err; err == nil {
				tokens[i] = token.AccessToken
			}
		})
	}
	group.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i] // one says enough
	}
	return tokens, nil
}

// refreshed checks that what the provider gave is stored, and nothing else has changed.
func (d *demo) refreshed(ctx context.Context) error {
	reader, err := d.handle()
	if err != nil {
		return err
	}
	got, err := reader.FindTokenByID(ctx, d.saved[cid].ID)
	if err != nil {
		return expected("the token of "+cid, err)
	}
	if !got.ExpiresAt.After(time.Now()) {
		return expected("an expiry in the future", nil)
	}
	next := d.saved[cid]
	next.AccessToken, next.RefreshToken = accessToken(1), refreshToken(1)
	next.ExpiresAt, next.RefreshedAt = got.ExpiresAt, got.RefreshedAt // as the clock had it
	d.saved[cid] = next
	return same(got, next)
}
