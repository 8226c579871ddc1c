package tokenkeep

import (
	"context"
	"maps"
	"testing"
	"time"
)

// forced is how a person refreshes a token.
func (p *issuer) forced() Refresh {
	r := p.refresh()
	r.Force = true
	return r
}

// stillGood gives the token an access token A9 that lives for an hour.
func (m *manager) stillGood(t *testing.T, id string) {
	t.Helper()
	mustSave(t, m.process(0), Token{ID: id, AccessToken: "A9", ExpiresAt: time.Now().Add(time.Hour)})
	m.Calls()
}

func TestForceAsksAlthoughTheTokenIsGoodByNoMoreCalls(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.stillGood(t, id)
		mustRefresh(t, m.process(0), id, p.forced(), "A1")
		if got, want := m.Calls(), map[string]int{"Latest": 1, "Put": 2}; !maps.Equal(got, want) {
			t.Errorf("calls %v, want %v", got, want)
		}
		m.check(t, id, "r1", "A1")
		p.check(t, "r0")
	})
}

func TestForceClearsWithItsLeaseWhatKeptEverybodyFromAsking(t *testing.T) {
	for failure, want := range map[*RefreshError]error{
		{Failure: Refused}: ErrReauthorize, {Failure: Throttled, RetryAfter: 10 * time.Minute}: ErrThrottled,
	} {
		for _, who := range []string{"the process that failed", "another process"} {
			t.Run(string(failure.Failure)+", by "+who, func(t *testing.T) {
				refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
					p.fails(1, failure)
					s := m.process(0)
					failsToRefresh(t, s, id, p.refresh(), want, "")
					failsToRefresh(t, s, id, p.refresh(), want, "")
					if who == "another process" {
						s = m.process(0)
					}
					time.Sleep(time.Minute)
					r := p.forced()
					r.Ask = func(ctx context.Context, stored Token) (Token, error) {
						if now := m.record(t, id); now.Reauthorize != nil || now.refresh.Refused != "" || now.refresh.CoolDown != nil || now.refresh.Lease == nil {
							t.Errorf("beside the lease are Reauthorize %v and %+v", now.Reauthorize, now.refresh)
						}
						m.Calls()
						return p.ask(ctx, stored)
					}
					m.Calls()
					mustRefresh(t, s, id, r, "A2")
					if got, want := m.Calls(), map[string]int{"Put": 1}; !maps.Equal(got, want) {
						t.Errorf("calls after the provider was asked %v, want %v", got, want)
					}
					p.check(t, "r0", "r0")
				})
			})
		}
	}
}

func TestForceThatFailsCoolsDownAsAFirstFailure(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.fails(10, &RefreshError{Failure: Misconfigured})
		s := m.process(0)
		for range 3 {
			time.Sleep(coolDownOf(t, s, id, p.refresh()))
		}
		if got := coolDownOf(t, s, id, p.forced()); got != time.Minute {
			t.Errorf("the cool-down is %v, want a minute", got)
		}
		if got := coolDownOf(t, s, id, p.refresh()); got != time.Minute || len(p.asked) != 4 {
			t.Errorf("who comes next waits %v after %d requests, want a minute after 4", got, len(p.asked))
		}
	})
}

func TestForceIsFollowedByAWholeCoolDownWhereTheLastEndsAtTheSameTime(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		p.fails(1, &RefreshError{Failure: Throttled, RetryAfter: 10 * time.Minute})
		s, other := m.process(0), m.process(0)
		coolDownOf(t, s, id, p.refresh())
		coolDownOf(t, s, id, p.refresh())
		coolDownOf(t, other, id, p.refresh())
		time.Sleep(9 * time.Minute)
		p.fails(1, &RefreshError{Failure: Misconfigured})
		coolDownOf(t, s, id, p.forced())
		for _, s := range []*SecretStore{s, other} {
			if got := coolDownOf(t, s, id, p.refresh()); got != time.Minute {
				t.Errorf("%v are left, want a minute", got)
			}
		}
		p.check(t, "r0", "r0")
	})
}

func TestForceDoesNotAskBesideAnotherProcess(t *testing.T) {
	for name, r := range map[string]func(*issuer) Refresh{"that is forced": (*issuer).forced, "that is not": (*issuer).refresh} {
		t.Run(name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.fails(1, &RefreshError{Failure: Misconfigured})
				time.Sleep(coolDownOf(t, m.process(0), id, p.refresh()))
				p.takes = 2 * time.Second
				theirs := goRefresh(t.Context(), m.process(0), id, r(p))
				time.Sleep(time.Second)
				mustRefresh(t, m.process(0), id, p.forced(), "A2")
				<-theirs
				p.check(t, "r0", "r0")
			})
		})
	}
}

func TestForceOfManyAtOnceAsksOnce(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.fails(1, &RefreshError{Failure: Throttled, RetryAfter: 10 * time.Minute})
		coolDownOf(t, m.process(0), id, p.refresh())
		m.stillGood(t, id)
		p.takes = 2 * time.Second
		var all []<-chan refreshed
		for range 10 {
			all = append(all, goRefresh(t.Context(), m.process(0), id, p.forced()))
		}
		for _, done := range all {
			if got := <-done; got.err != nil || got.AccessToken != "A2" {
				t.Errorf("RefreshToken = %q, %v; want A2", got.AccessToken, got.err)
			}
		}
		p.check(t, "r0", "r0")
	})
}

func TestForceHoldsWhileAHolderThatDiedIsWaitedFor(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.stillGood(t, id)
		m.abandon(t, id, time.Now())
		started := time.Now()
		mustRefresh(t, m.process(0), id, p.forced(), "A1")
		if waited := time.Since(started); waited < 25*time.Second {
			t.Errorf("it asked after %v, beside a living lease", waited)
		}
	})
}

func TestForceDoesNotOverrideAFailureSinceTheFirstLook(t *testing.T) {
	for _, failure := range []*RefreshError{{Failure: Refused}, {Failure: Misconfigured}} {
		t.Run(string(failure.Failure), func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.fails(2, failure)
				s := m.process(0)
				_, _ = s.RefreshToken(t.Context(), id, p.refresh())
				time.Sleep(10 * time.Second)
				p.takes = 2 * time.Second
				theirs := goRefresh(t.Context(), s, id, p.forced())
				time.Sleep(time.Second)
				if got, err := m.process(0).RefreshToken(t.Context(), id, p.forced()); err == nil {
					t.Errorf("RefreshToken = %q; want the other one's error", got.AccessToken)
				}
				<-theirs
				p.check(t, "r0", "r0")
			})
		})
	}
}

func TestForceDoesNotOverrideAFailureSinceTheFirstLookThatLooksTheSame(t *testing.T) {
	for _, failure := range []*RefreshError{{Failure: Misconfigured}, {Failure: Throttled, RetryAfter: 10 * time.Minute}} {
		t.Run(string(failure.Failure), func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
				p.fails(10, failure)
				var processes []*SecretStore
				for range 5 {
					processes = append(processes, m.process(0))
					coolDownOf(t, processes[len(processes)-1], id, p.refresh()) // it has looked
				}
				p.takes = 100 * time.Millisecond // so the next failure is within the second: its cool-down ends as this one's
				var all []<-chan refreshed
				for _, s := range processes {
					all = append(all, goRefresh(t.Context(), s, id, p.forced()))
				}
				for _, done := range all {
					if got := <-done; got.err == nil {
						t.Errorf("RefreshToken = %q; want the other one's error", got.AccessToken)
					}
				}
				p.check(t, "r0", "r0")
			})
		})
	}
}

func TestForceIsContentWithALoginMeanwhile(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.stillGood(t, id)
		m.abandon(t, id, time.Now())
		theirs := goRefresh(t.Context(), m.process(0), id, p.forced())
		time.Sleep(time.Second)
		mustSave(t, m.process(0), Token{ID: id, RefreshToken: "login", AccessToken: "B0", ExpiresAt: time.Now().Add(time.Hour)})
		if got := <-theirs; got.err != nil || got.AccessToken != "B0" {
			t.Errorf("RefreshToken = %q, %v; want B0", got.AccessToken, got.err)
		}
		p.check(t)
	})
}
