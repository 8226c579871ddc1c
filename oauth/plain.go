package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// plain is one refresh over a store that is no tokenkeep.Refresher. The sources of this process take turns; other processes are not
// kept from refreshing the token too.
type plain struct {
	*Source
	flight *flight
	id     string
	ask    func(context.Context, tokenkeep.Token) (tokenkeep.Token, error)
}

// cooling is the wait after a failure. Such a store has no place for it.
type cooling struct {
	credential string
	until      time.Time
	err        *tokenkeep.RefreshError
}

// credential returns what is spent for a token.
func credential(t tokenkeep.Token) string {
	if t.GrantToken != "" {
		return t.GrantToken
	}
	return t.RefreshToken
}

func (p *plain) refresh() (tokenkeep.Token, error) {
	stored, err := p.store.FindTokenByID(p.flight.crew, p.id)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	stored = p.withoutSpentGrant(stored)
	if p.flight.good(stored) {
		return stored, nil
	}
	if err := p.blocked(stored); err != nil {
		return p.whileUnexpired(stored), err
	}
	if until, ok := p.flight.crew.Deadline(); ok && until.Sub(p.now()) < p.settings.Deadline {
		return p.whileUnexpired(stored), fmt.Errorf("oauth: a refresh may take %v, and less is left of the context; give it more, or set a shorter Options.Deadline: %w",
			p.settings.Deadline, context.DeadlineExceeded)
	}
	answer, err := p.askTwice(stored)
	if errors.Is(err, ErrReauthorize) && stored.GrantToken != "" && stored.RefreshToken != "" {
		p.spendGrant(stored.GrantToken)
		stored.GrantToken = ""
		answer, err = p.askTwice(stored)
	}
	if err != nil {
		return p.whileUnexpired(stored), p.failed(stored, err)
	}
	return p.keepAnswer(context.WithoutCancel(p.flight.crew), stored, answer)
}

func (p *plain) whileUnexpired(t tokenkeep.Token) tokenkeep.Token {
	if p.unexpired(t) {
		return t
	}
	return tokenkeep.Token{}
}

// withoutSpentGrant hides an authorization code that was used up: without UpdateToken it cannot be cleared.
func (p *plain) withoutSpentGrant(t tokenkeep.Token) tokenkeep.Token {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.GrantToken == p.spentGrant {
		t.GrantToken = ""
	}
	return t
}

func (p *plain) spendGrant(grant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spentGrant = grant
}

// blocked tells why the provider is not to be asked now.
func (p *plain) blocked(stored tokenkeep.Token) error {
	if p.flight.force {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cool = cooling{}
		return nil
	}
	if stored.Reauthorize != nil {
		return &tokenkeep.RefreshError{Failure: tokenkeep.Refused, Err: fmt.Errorf("since %s", stored.Reauthorize.Since.Format(time.RFC3339))}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left := p.cool.until.Sub(p.now())
	if p.cool.err == nil || p.cool.credential != credential(stored) || left <= 0 {
		return nil
	}
	return &tokenkeep.RefreshError{Failure: p.cool.err.Failure, RetryAfter: left, Err: p.cool.err.Err}
}

// askTwice asks the provider, once more where the reply was lost.
func (p *plain) askTwice(stored tokenkeep.Token) (tokenkeep.Token, error) {
	deadline := p.now().Add(p.settings.Deadline)
	ctx, cancel := context.WithTimeout(driver.WithNotAfter(context.WithoutCancel(p.flight.crew), deadline), p.settings.Deadline)
	defer cancel()
	var failure *tokenkeep.RefreshError
	for range 2 {
		answer, err := p.ask(ctx, stored)
		if err == nil && answer.AccessToken != "" {
			return answer, nil
		}
		if err == nil {
			err = errors.New("the answer has no access token")
		}
		if !errors.As(err, &failure) {
			failure = &tokenkeep.RefreshError{Failure: tokenkeep.Transient, Err: err}
		}
		if failure.Failure != tokenkeep.Transient || p.now().After(deadline) {
			break
		}
	}
	return tokenkeep.Token{}, failure
}

// failed remembers a failure: a refusal in the store where that can update tokens, anything else in this source.
func (p *plain) failed(stored tokenkeep.Token, err error) error {
	var failure *tokenkeep.RefreshError
	if !errors.As(err, &failure) {
		return err
	}
	wait := failure.RetryAfter
	if wait <= 0 {
		wait = time.Minute
	}
	p.mu.Lock()
	p.cool = cooling{credential(stored), p.now().Add(wait), failure}
	p.mu.Unlock()
	u, ok := p.store.(tokenkeep.Updater)
	if failure.Failure != tokenkeep.Refused || !ok {
		return &tokenkeep.RefreshError{Failure: failure.Failure, RetryAfter: wait, Err: failure.Err}
	}
	_, storeErr := u.UpdateToken(context.WithoutCancel(p.flight.crew), p.id, func(t tokenkeep.Token) (tokenkeep.Token, error) {
		if credential(p.withoutSpentGrant(t)) == credential(stored) {
			t.Reauthorize = &tokenkeep.Reauthorize{Since: p.now().Round(0).UTC(), Reason: string(tokenkeep.Refused)}
		}
		return t, nil
	})
	if storeErr != nil {
		return fmt.Errorf("%w; and the refusal could not be stored: %w", failure, storeErr)
	}
	return failure
}

// errOvertaken ends an update: the credential that was spent is not the stored one any more.
var errOvertaken = errors.New("oauth: somebody logged in during the refresh")

// keepAnswer stores what the provider gave, unless somebody has logged in meanwhile.
func (p *plain) keepAnswer(ctx context.Context, stored, answer tokenkeep.Token) (tokenkeep.Token, error) {
	now := p.now().Round(0).UTC()
	kept, err := p.put(ctx, stored, answer, now)
	if errors.Is(err, tokenkeep.ErrInvalid) && !answer.RefreshExpiresAt.IsZero() {
		answer.RefreshExpiresAt = time.Time{} // some stores have no place for it, and the token itself must not be lost
		kept, err = p.put(ctx, stored, answer, now)
	}
	if err == nil || errors.Is(err, tokenkeep.ErrNotFound) {
		return kept, err
	}
	t := answered(stored, answer, now)
	return t, &unsavedPlain{
		UnsavedError: &tokenkeep.UnsavedError{Rotated: t.RefreshToken != stored.RefreshToken, Err: err},
		save:         func(ctx context.Context) (tokenkeep.Token, error) { return p.keepAnswer(ctx, stored, answer) },
	}
}

func (p *plain) put(ctx context.Context, stored, answer tokenkeep.Token, now time.Time) (tokenkeep.Token, error) {
	u, ok := p.store.(tokenkeep.Updater)
	if !ok {
		t := tokenkeep.Token{ID: p.id, AccessToken: answer.AccessToken, ExpiresAt: answer.ExpiresAt}
		if answer.RefreshToken != stored.RefreshToken {
			t.GrantToken, t.RefreshToken, t.RefreshExpiresAt = stored.GrantToken, answer.RefreshToken, answer.RefreshExpiresAt
		}
		kept, err := p.store.SaveToken(ctx, t)
		if err == nil && stored.GrantToken != "" {
			p.spendGrant(stored.GrantToken) // it cannot be cleared
		}
		return p.withoutSpentGrant(kept), err
	}
	kept, err := u.UpdateToken(ctx, p.id, func(t tokenkeep.Token) (tokenkeep.Token, error) {
		if credential(p.withoutSpentGrant(t)) != credential(stored) {
			return t, errOvertaken
		}
		return answered(t, answer, now), nil
	})
	if !errors.Is(err, errOvertaken) {
		return kept, err
	}
	if answer.RefreshToken != "" && answer.RefreshToken != stored.RefreshToken {
		p.lose(answer)
	}
	return p.store.FindTokenByID(ctx, p.id)
}

// answered returns a token with what the provider gave for it.
func answered(t, answer tokenkeep.Token, now time.Time) tokenkeep.Token {
	t.GrantToken = ""
	if answer.RefreshToken != "" {
		t.RefreshToken, t.RefreshExpiresAt = answer.RefreshToken, answer.RefreshExpiresAt
	}
	if t.APIDomain == "" {
		t.APIDomain = answer.APIDomain
	}
	t.AccessToken, t.ExpiresAt, t.RefreshedAt, t.Reauthorize = answer.AccessToken, answer.ExpiresAt, now, nil
	return t
}

// unsavedPlain is an UnsavedError that can save by itself.
type unsavedPlain struct {
	*tokenkeep.UnsavedError
	save func(context.Context) (tokenkeep.Token, error)
}

// Save tries again to store the token.
func (e *unsavedPlain) Save(ctx context.Context) (tokenkeep.Token, error) { return e.save(ctx) }

// Unwrap makes errors.As find the UnsavedError.
func (e *unsavedPlain) Unwrap() error { return e.UnsavedError }
