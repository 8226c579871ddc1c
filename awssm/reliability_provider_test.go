package awssm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// provider replaces the refresh token at every request, and takes no old one. It is safe for concurrent use.
type provider struct {
	mu     sync.Mutex
	asked  int
	newest tokenkeep.Token
}

// newProvider returns one that has given ann the token that is stored.
func newProvider() *provider { return &provider{newest: people()[0]} }

// token returns ann's token, with what the provider gave last.
func (p *provider) token() tokenkeep.Token {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newest
}

// logIn returns ann's token after she has logged in again.
func (p *provider) logIn() tokenkeep.Token {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newest.RefreshToken = fmt.Sprint(canary, "login", p.asked)
	return tokenkeep.Token{ID: p.newest.ID, RefreshToken: p.newest.RefreshToken}
}

func (p *provider) ask(_ context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stored.RefreshToken != p.newest.RefreshToken {
		return tokenkeep.Token{}, &tokenkeep.RefreshError{Failure: tokenkeep.Refused}
	}
	p.asked++
	p.newest.RefreshToken, p.newest.AccessToken = fmt.Sprint(canary, "r", p.asked), fmt.Sprint(canary, "a", p.asked)
	return tokenkeep.Token{
		AccessToken: p.newest.AccessToken, RefreshToken: p.newest.RefreshToken, ExpiresAt: time.Now().Add(40 * time.Hour),
	}, nil
}

// refreshAnn refreshes ann's token, which has expired.
func refreshAnn(ctx context.Context, s *tokenkeep.SecretStore, c *trial) error {
	return refreshAnnBy(ctx, s, c, false)
}

// forceAnn refreshes it by force.
func forceAnn(ctx context.Context, s *tokenkeep.SecretStore, c *trial) error {
	return refreshAnnBy(ctx, s, c, true)
}

func refreshAnnBy(ctx context.Context, s *tokenkeep.SecretStore, c *trial, force bool) error {
	provider := c.provider
	token, err := s.RefreshToken(ctx, "1", tokenkeep.Refresh{
		Good:  func(t tokenkeep.Token) bool { return t.ExpiresAt.After(time.Now()) },
		Force: force,
		Ask:   provider.ask,
	})
	if errors.As(err, &c.unsaved) || err != nil {
		return err
	}
	if look(token) != look(provider.token()) {
		return fmt.Errorf("RefreshToken = %v; want what the provider gave last", token)
	}
	return nil
}
