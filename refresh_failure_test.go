package tokenkeep

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// fails makes the issuer fail the next times with this error.
func (p *issuer) fails(times int, err error) {
	p.mu.Lock()
	last := len(p.asked) + times
	p.mu.Unlock()
	p.answers = func(n int, _ Token) (Token, error) {
		if n <= last {
			return Token{}, err
		}
		return p.answer(n)
	}
}

// coolDownOf fails to refresh, and returns how long nobody will ask again.
func coolDownOf(t *testing.T, s *SecretStore, id string, r Refresh) time.Duration {
	t.Helper()
	_, err := s.RefreshToken(t.Context(), id, r)
	var failure *RefreshError
	if !errors.As(err, &failure) {
		t.Fatalf("RefreshToken: %v, want a *RefreshError", err)
	}
	return failure.RetryAfter
}

func TestRefreshAsksOnceMoreAfterALostReply(t *testing.T) {
	for _, tt := range []struct {
		name     string
		failures int
		err      error
		takes    time.Duration
		want     int // requests
	}{
		{"one reply is lost", 1, &RefreshError{Failure: Transient}, 9 * time.Second, 2},
		{"both are", 5, &RefreshError{Failure: Transient}, 9 * time.Second, 2},
		{"one comes too late to ask again", 1, &RefreshError{Failure: Transient}, 21 * time.Second, 1},
		{"an error of another kind", 1, errors.New("reset by peer"), 0, 2},
		{"an answer without access token", 1, nil, 0, 2},
		{"throttled", 1, &RefreshError{Failure: Throttled}, 0, 1},
		{"a wrong client", 1, &RefreshError{Failure: Misconfigured}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.takes = tt.takes
				p.fails(tt.failures, tt.err)
				started := time.Now()
				got, err := m.process(0).RefreshToken(t.Context(), id, p.refresh())
				if len(p.asked) != tt.want || (err == nil) != (tt.want > tt.failures) || err == nil && got.AccessToken != "A2" {
					t.Errorf("RefreshToken = %q, %v after %d requests; want %d", got.AccessToken, err, len(p.asked), tt.want)
				}
				for _, at := range p.at {
					if at.Sub(started) > 20*time.Second {
						t.Errorf("a request came after %v", at.Sub(started))
					}
				}
			})
		})
	}
}

func TestRefreshCoolsDownForLongerAndLonger(t *testing.T) {
	for writesPerDay, last := range map[int]time.Duration{0: 15 * time.Minute, 100: 57*time.Minute + 36*time.Second} {
		refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
			m.Bounds = driver.Limits{WritesPerDay: writesPerDay}
			p.fails(1000, &RefreshError{Failure: Misconfigured})
			s := m.process(0)
			for i, want := range []time.Duration{1, 2, 4, 8, 15, 0, 0} {
				if want *= time.Minute; want == 0 {
					want = last
				}
				if got := coolDownOf(t, s, id, p.refresh()); got != want {
					t.Errorf("%d writes a day: cool-down %d is %v, want %v", writesPerDay, i+1, got, want)
				}
				time.Sleep(want - time.Second)
				for _, other := range []*SecretStore{s, m.process(0)} {
					if left := coolDownOf(t, other, id, p.refresh()); left != time.Second {
						t.Errorf("a second before the end %v are left", left)
					}
				}
				if len(p.asked) != i+1 {
					t.Fatalf("%d requests in %d cool-downs", len(p.asked), i+1)
				}
				time.Sleep(time.Second)
			}
		})
	}
}

func TestRefreshFailuresTakeNoMoreThanHalfOfADaysWrites(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.Bounds = driver.Limits{WritesPerDay: 100}
		p.fails(10000, &RefreshError{Failure: Transient})
		s := m.process(0)
		for day := range 3 {
			m.Calls()
			for range 24 * 60 {
				coolDownOf(t, s, id, p.refresh())
				time.Sleep(time.Minute)
			}
			if writes := m.Calls()["Put"]; day > 0 && writes > 50 || day == 0 && writes > 60 {
				t.Errorf("%d writes on day %d", writes, day+1)
			}
		}
	})
}

func TestRefreshThatIsThrottledWaitsAsTheProviderSays(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.fails(1, &RefreshError{Failure: Throttled, RetryAfter: 10 * time.Minute})
		for _, s := range []*SecretStore{m.process(0), m.process(0)} {
			err := failsToRefresh(t, s, id, p.refresh(), ErrThrottled, "")
			var failure *RefreshError
			if !errors.As(err, &failure) || failure.RetryAfter > 10*time.Minute || failure.RetryAfter < 9*time.Minute {
				t.Errorf("the error is %v, want one that says 10 minutes", err)
			}
			time.Sleep(30 * time.Second)
		}
		p.check(t, "r0")
		time.Sleep(9 * time.Minute)
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
	})
}

func TestRefreshCoolDownIsNoLongerThanItsLengthWhateverTheClocks(t *testing.T) {
	for _, tt := range []struct {
		name           string
		writer, reader time.Duration // by how much their clocks are off
		least, most    time.Duration // how long the reader waits from when it first looks, at once
	}{
		{"both are right", 0, 0, time.Minute, time.Minute},
		{"the writer's clock is an hour ahead", time.Hour, 0, time.Minute, time.Minute},
		{"the writer's clock is an hour behind", -time.Hour, 0, 0, time.Minute},
		{"the reader's clock is an hour behind", 0, -time.Hour, time.Minute, time.Minute},
		{"the reader's clock is an hour ahead", 0, time.Hour, 0, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.fails(1, &RefreshError{Failure: Misconfigured})
				coolDownOf(t, m.process(tt.writer), id, p.refresh())
				reader, started := m.process(tt.reader), time.Now()
				for len(p.asked) == 1 && time.Since(started) < 2*time.Hour {
					if _, err := reader.RefreshToken(t.Context(), id, p.refresh()); err != nil {
						time.Sleep(time.Second)
					}
				}
				if waited := time.Since(started); waited < tt.least || waited > tt.most {
					t.Errorf("the reader waited %v, want %v to %v", waited, tt.least, tt.most)
				}
			})
		})
	}
}

func TestRefreshThatSucceedsResetsTheCoolDowns(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		s := m.process(0)
		wrong := &RefreshError{Failure: Misconfigured}
		p.fails(3, wrong)
		for range 3 {
			time.Sleep(coolDownOf(t, s, id, p.refresh()))
		}
		mustRefresh(t, s, id, p.refresh(), "A4")
		time.Sleep(2 * time.Hour)
		p.fails(1, wrong)
		if got := coolDownOf(t, s, id, p.refresh()); got != time.Minute {
			t.Errorf("the first cool-down after a success is %v, want a minute", got)
		}
	})
}

func TestRefreshAfterALoginDoesNotCoolDown(t *testing.T) {
	for name, credential := range map[string]Token{"a refresh token": {RefreshToken: "login"}, "a grant token": {GrantToken: "login"}} {
		t.Run(name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				p.fails(1, &RefreshError{Failure: Misconfigured})
				coolDownOf(t, m.process(0), id, p.refresh())
				credential.ID = id
				mustSave(t, m.process(0), Token{ID: id, RedirectURL: "u"})
				coolDownOf(t, m.process(0), id, p.refresh())
				mustSave(t, m.process(0), credential)
				mustRefresh(t, m.process(0), id, p.refresh(), "A2")
				p.check(t, "r0", "login")
			})
		})
	}
}

func TestRefreshIsNotHeldUpByAnotherCredentialsCoolDown(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.change(t, id, func(r record) record {
			next := r.cool(&RefreshError{Failure: Transient}, time.Now(), 0)
			next.refresh.CoolDown.Credential = digestOf("another")
			return next
		})
		mustRefresh(t, m.process(0), id, p.refresh(), "A1")
	})
}

func TestRefreshThatIsRefusedAfterACoolDownPromisesNoOtherTry(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		s := m.process(0)
		p.fails(1, &RefreshError{Failure: Misconfigured})
		time.Sleep(coolDownOf(t, s, id, p.refresh()))
		p.refuses()
		for range 2 {
			if got := coolDownOf(t, s, id, p.refresh()); got != 0 {
				t.Errorf("the provider refused for good, and the error says to come again after %v", got)
			}
		}
	})
}

func TestRefreshThatFailsWhereAnotherHasTheLeaseWaitsForIt(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.answers = func(n int, _ Token) (Token, error) {
			if n == 1 {
				time.Sleep(30 * time.Second)
				return Token{}, &RefreshError{Failure: Throttled}
			}
			time.Sleep(15 * time.Second)
			return p.answer(n)
		}
		first, second := refreshTwice(t, m, p, id)
		if first.AccessToken != "A2" || second.AccessToken != "A2" {
			t.Errorf("the processes got %q and %q, want A2", first.AccessToken, second.AccessToken)
		}
		p.check(t, "r0", "r0")
	})
}

func TestRefreshWithoutAWorkingStoreAsksNobody(t *testing.T) {
	for _, cause := range []error{ErrQuota, ErrPermission, ErrUnavailable} {
		refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
			mustSave(t, m.process(0), Token{ID: id, AccessToken: "A9", ExpiresAt: time.Now().Add(time.Minute)})
			r := p.refresh()
			r.Good = func(Token) bool { return false }
			m.refuses(cause)
			failsToRefresh(t, m.process(0), id, r, cause, "A9")
			m.onRead = func(string) error { return cause }
			failsToRefresh(t, m.process(0), id, r, cause, "")
			p.check(t)
		})
	}
}

func TestRefreshGivesUpWhereOthersWinEveryTime(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		conflicts := 0
		m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if conflicts++; conflicts > 1000 {
				return m.Secrets.Put(ctx, name, payload, rev)
			}
			return "", &driver.Error{Op: "Put", Name: name, Err: ErrConflict}
		}
		failsToRefresh(t, m.process(0), id, p.refresh(), ErrConflict, "")
		if conflicts > 2*maxAttempts {
			t.Errorf("it gave up after %d conflicts, want about %d", conflicts, maxAttempts)
		}
	})
}

func TestLostRepliesAreFollowedByATryWithinTheGrace(t *testing.T) {
	r := rowOf(t, login1)
	transient := &RefreshError{Failure: Transient}
	for _, tt := range []struct {
		name    string
		failure *RefreshError
		grace   time.Duration
		want    []time.Duration // of failures in a row
	}{
		{"without a grace", transient, 0, []time.Duration{time.Minute, 2 * time.Minute}},
		{"a grace of 30 seconds", transient, 30 * time.Second, []time.Duration{10 * time.Second, 2 * time.Minute}},
		{"a grace of 10 minutes", transient, 10 * time.Minute, []time.Duration{time.Minute, 2 * time.Minute}},
		{"a throttling provider", &RefreshError{Failure: Throttled}, 30 * time.Second, []time.Duration{time.Minute, 2 * time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			failed := r
			for i, want := range tt.want {
				failed = failed.cool(tt.failure, t1, 0).within(tt.grace)
				c := failed.refresh.CoolDown
				if c.length() != want || !c.Until.Equal(t1.Add(want)) {
					t.Errorf("failure %d: a cool-down of %v until %v, want %v", i+1, c.length(), c.Until, want)
				}
			}
		})
	}
}
