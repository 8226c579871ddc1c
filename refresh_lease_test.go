package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// abandon leaves a lease in the token, as a process does that dies.
func (m *manager) abandon(t *testing.T, id string, at time.Time) {
	t.Helper()
	m.change(t, id, func(r record) record { return r.take("dead", at) })
}

func TestLeaseOfADeadHolderIsTakenOver(t *testing.T) {
	const lease = 25 * time.Second
	for _, tt := range []struct {
		name string
		at   time.Duration // when the lease was taken, by its taker's clock
		skew time.Duration // of the waiter's clock
		want time.Duration // how long the waiter waits
	}{
		{"just taken", 0, 0, lease},
		{"taken by a clock an hour ahead", time.Hour, 0, lease},
		{"taken by a clock a minute behind", -time.Minute, 0, lease},
		{"a whole lease and a minute old", -lease - time.Minute, 0, time.Second}, // it is older at the second look
		{"a little older than that", -lease - time.Minute - 1, 0, 0},
		{"hours old", -5 * time.Hour, 0, 0},
		{"just taken, and the waiter's clock is an hour behind", 0, -time.Hour, lease},
		{"just taken, and the waiter's clock is just under a minute ahead", 0, time.Minute - 1, lease},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				m.abandon(t, id, time.Now().Add(tt.at))
				started := time.Now()
				mustRefresh(t, m.process(tt.skew), id, p.refresh(), "A1")
				latest := tt.want
				if tt.want > 0 {
					latest += time.Second // between two looks
				}
				if waited := p.at[0].Sub(started); waited < min(tt.want, lease) && tt.want != time.Second || waited > latest {
					t.Errorf("the waiter asked after %v, want %v to %v", waited, tt.want, latest)
				}
			})
		})
	}
}

func TestLeaseIsWatchedAsLongAsTheWaiterSays(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.abandon(t, id, time.Now())
		r := p.refresh()
		r.Lease, r.Deadline = 5*time.Second, 4*time.Second
		started := time.Now()
		m.Calls()
		mustRefresh(t, m.process(0), id, r, "A1")
		if waited := p.at[0].Sub(started); waited < 5*time.Second || waited > 6*time.Second {
			t.Errorf("the waiter asked after %v, want 5 to 6 seconds", waited)
		}
		if reads := m.Calls()["Latest"]; reads < 6 || reads > 25 {
			t.Errorf("%d reads in 5 seconds, want about two a second", reads)
		}
	})
}

func TestLeaseThatIsStolenIsWatchedAnew(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		m.abandon(t, id, time.Now())
		p.takes = 15 * time.Second
		var all []<-chan refreshed
		for range 7 {
			all = append(all, goRefresh(t.Context(), m.process(0), id, p.refresh()))
		}
		for _, done := range all {
			if got := <-done; got.err != nil || got.AccessToken != "A1" {
				t.Errorf("RefreshToken = %q, %v; want A1", got.AccessToken, got.err)
			}
		}
		p.check(t, "r0")
	})
}

func TestLeaseIsTakenOverOncePerLease(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = time.Minute // no answer comes in time
		for range 4 {
			s := m.process(0)
			if got := <-goRefresh(t.Context(), s, id, Refresh{Good: func(Token) bool { return true }}); got.err != nil {
				t.Fatal(got.err)
			}
		}
		var all []<-chan refreshed
		for range 4 {
			all = append(all, goRefresh(t.Context(), m.process(0), id, p.refresh()))
		}
		for _, done := range all {
			<-done
		}
		for i := 1; i < len(p.at); i++ {
			if after := p.at[i].Sub(p.at[i-1]); after < 25*time.Second {
				t.Errorf("request %d came %v after the one before it, want a whole lease", i+1, after)
			}
		}
	})
}

func TestLeaseTakenAgainByItsHolderIsNotTakenForItsFirst(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 18 * time.Second
		holder := m.process(0)
		first := goRefresh(t.Context(), holder, id, p.refresh())
		time.Sleep(time.Second)
		waiter := goRefresh(t.Context(), m.process(0), id, p.refresh())
		time.Sleep(9 * time.Second)
		mustSave(t, holder, Token{ID: id, RefreshToken: "login"}) // frees the lease
		second := goRefresh(t.Context(), holder, id, p.refresh())
		for _, done := range []<-chan refreshed{second, waiter} {
			if got := <-done; got.err != nil || got.AccessToken != "A2" {
				t.Errorf("RefreshToken = %q, %v; want A2", got.AccessToken, got.err)
			}
		}
		<-first
		p.check(t, "r0", "login")
	})
}

func TestRefreshWaiterLeavesWithItsContext(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		mustSave(t, m.process(0), Token{ID: id, AccessToken: "A9", ExpiresAt: time.Now().Add(4 * time.Second)})
		m.abandon(t, id, time.Now())
		r := p.refresh()
		r.Good = func(t Token) bool { return t.ExpiresAt.After(time.Now().Add(10 * time.Minute)) }
		for _, tt := range []struct {
			after time.Duration
			want  string
		}{{3 * time.Second, "A9"}, {3 * time.Second, ""}} {
			ctx, cancel := context.WithTimeout(t.Context(), tt.after)
			started := time.Now()
			got, err := m.process(0).RefreshToken(ctx, id, r)
			if !errors.Is(err, context.DeadlineExceeded) || got.AccessToken != tt.want || time.Since(started) != tt.after {
				t.Errorf("after %v, RefreshToken = %q, %v; want %q after %v", time.Since(started), got.AccessToken, err, tt.want, tt.after)
			}
			cancel()
		}
		p.check(t)
	})
}

func TestRefreshWaiterWithLittleTimeGetsWhatAnotherBrings(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 3 * time.Second
		holder := goRefresh(t.Context(), m.process(0), id, p.refresh())
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if got, err := m.process(0).RefreshToken(ctx, id, p.refresh()); err != nil || got.AccessToken != "A1" {
			t.Errorf("RefreshToken = %q, %v; want A1", got.AccessToken, err)
		}
		<-holder
		p.check(t, "r0")
	})
}

// afterTake delays the processes behind whose first write of the token the function pauses.
func (m *manager) afterTake(id string, pause func()) {
	taken := make(chan struct{}, 1)
	taken <- struct{}{}
	m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		rev, err := m.Secrets.Put(ctx, name, payload, rev)
		if name == SecretName(id) && err == nil {
			select {
			case <-taken:
				pause()
			default:
			}
		}
		return rev, err
	}
}

func TestRefreshHolderPastItsDeadlineAsksOnlyUnderANewLease(t *testing.T) {
	for _, paused := range []time.Duration{19 * time.Second, 20*time.Second + 1, time.Hour} {
		refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
			m.afterTake(id, func() { time.Sleep(paused) })
			mustRefresh(t, m.process(0), id, p.refresh(), "A1")
			p.check(t, "r0")
			m.check(t, id, "r1", "A1")
		})
	}
}

func TestRefreshHolderPastItsDeadlineLeavesItToTheThief(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 15 * time.Second
		m.afterTake(id, func() { time.Sleep(30 * time.Second) })
		holder := goRefresh(t.Context(), m.process(0), id, p.refresh())
		time.Sleep(time.Second)
		thief := goRefresh(t.Context(), m.process(0), id, p.refresh())
		for _, done := range []<-chan refreshed{holder, thief} {
			if got := <-done; got.err != nil || got.AccessToken != "A1" {
				t.Errorf("RefreshToken = %q, %v; want A1", got.AccessToken, got.err)
			}
		}
		p.check(t, "r0")
	})
}

func TestRefreshHolderPastItsDeadlineDoesNotAskAgain(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 20*time.Second + 1
		p.answers = func(int, Token) (Token, error) { return Token{}, &RefreshError{Failure: Transient} }
		var failure *RefreshError
		if _, err := m.process(0).RefreshToken(t.Context(), id, p.refresh()); !errors.As(err, &failure) || failure.Failure != Transient {
			t.Errorf("RefreshToken: %v, want a transient error", err)
		}
		p.check(t, "r0")
	})
}

func TestRefreshHolderPastItsDeadlineIsNotBelievedThatItWasRefused(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.answers = func(n int, _ Token) (Token, error) {
			if n == 1 {
				time.Sleep(20*time.Second + 1)
				return Token{}, &RefreshError{Failure: Refused}
			}
			return p.answer(n)
		}
		m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if r, err := decodeRecord(id, payload); err == nil && r.Reauthorize != nil {
				t.Error("a holder past its deadline set Reauthorize")
			}
			return m.Secrets.Put(ctx, name, payload, rev)
		}
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
		p.check(t, "r0", "r0")
	})
}

// The holder of a lease may be told by Ask that it was too late to send.
func TestRefreshThatWasTooLateToSendIsNoFailure(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.answers = func(n int, _ Token) (Token, error) {
			if n == 1 {
				time.Sleep(21 * time.Second)
				return Token{}, fmt.Errorf("not sent: %w", ErrTooLate)
			}
			return p.answer(n)
		}
		mustRefresh(t, m.process(0), id, p.refresh(), "A2")
		if r := m.check(t, id, "r2", "A2"); r.refresh.CoolDown != nil {
			t.Errorf("a process that stood still left a cool-down %+v", r.refresh.CoolDown)
		}
	})
}

func TestRefreshHolderPastItsDeadlineStoresTheAnswerThatItHas(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 10 * time.Minute
		mustRefresh(t, m.process(0), id, p.refresh(), "A1")
		m.check(t, id, "r1", "A1")
	})
}

func TestLeaseOnALoginsGrantTokenOutlivesALateCommitOfTheOldCredential(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takesEach(5*time.Second, 10*time.Second, 0)
		r := p.refresh()
		good := r.Good
		r.Good = func(t Token) bool { return good(t) && t.GrantToken == "" } // a login is exchanged at once
		late := goRefresh(t.Context(), m.process(0), id, r)
		time.Sleep(time.Second)
		mustSave(t, m.process(0), Token{ID: id, GrantToken: "grant"})
		holder := goRefresh(t.Context(), m.process(0), id, r)
		time.Sleep(5 * time.Second)
		other := goRefresh(t.Context(), m.process(0), id, r)
		<-late
		for _, done := range []<-chan refreshed{holder, other} {
			if got := <-done; got.err != nil || got.AccessToken != "A2" {
				t.Errorf("RefreshToken = %q, %v; want A2", got.AccessToken, got.err)
			}
		}
		p.check(t, "r0", "grant")
	})
}
