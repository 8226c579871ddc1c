package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// manager is a world in the time of a test's bubble: nobody waits for its clock.
type manager struct {
	*world
	// onRead, if set, is called before a strong read of one secret, which fails with its error.
	onRead func(name string) error
}

func (m *manager) Latest(ctx context.Context, name string) (driver.Secret, error) {
	if m.onRead != nil {
		if err := m.onRead(name); err != nil {
			return driver.Secret{}, &driver.Error{Op: "Latest", Name: name, Err: err}
		}
	}
	return m.world.Latest(ctx, name)
}

// process is the store of another process, whose clock is off by skew.
func (m *manager) process(skew time.Duration) *SecretStore {
	s := NewSecretStore(m, Options{})
	s.seams.now = func() time.Time { return time.Now().Add(skew) }
	return s
}

// record returns what is stored of a token.
func (m *manager) record(t *testing.T, id string) record {
	t.Helper()
	rows, err := m.process(0).fetch(context.WithoutCancel(t.Context()), []string{id})
	if err = errors.Join(err, rows[id].err); err != nil || !rows[id].live {
		t.Fatalf("token %s cannot be read: live %v, %v", id, rows[id].live, err)
	}
	return rows[id].rec
}

// change stores a token as another process left it.
func (m *manager) change(t *testing.T, id string, change func(record) record) {
	t.Helper()
	m.Plant(SecretName(id), encoded(t, change(m.record(t, id))))
}

// check fails the test unless these are the tokens stored.
func (m *manager) check(t *testing.T, id, refresh, access string) record {
	t.Helper()
	r := m.record(t, id)
	if r.RefreshToken != refresh || r.AccessToken != access {
		t.Errorf("stored are %q and %q; want %q and %q", r.RefreshToken, r.AccessToken, refresh, access)
	}
	return r
}

// issuer is a provider in memory: its answer number 1 has the access token A1 and, if it rotates, the refresh token r1.
type issuer struct {
	rotates bool
	takes   time.Duration                            // for an answer; it is deaf to the end of a context
	answers func(n int, stored Token) (Token, error) // instead, if set

	mu    sync.Mutex
	asked []string // the credentials
	at    []time.Time
	late  int // requests after the deadline
}

func (p *issuer) ask(ctx context.Context, stored Token) (Token, error) {
	p.mu.Lock()
	if ends, ok := ctx.Deadline(); !ok || time.Now().After(ends) {
		p.late++
	}
	p.asked = append(p.asked, firstOf(stored.GrantToken, stored.RefreshToken, "client"))
	p.at = append(p.at, time.Now())
	n := len(p.asked)
	p.mu.Unlock()
	time.Sleep(p.takes)
	if p.answers != nil {
		return p.answers(n, stored)
	}
	return p.answer(n)
}

func (p *issuer) answer(n int) (Token, error) {
	t := Token{AccessToken: fmt.Sprint("A", n), ExpiresAt: time.Now().Add(time.Hour)}
	if p.rotates {
		t.RefreshToken = fmt.Sprint("r", n)
	}
	return t, nil
}

// check fails the test unless these credentials were shown to the provider, in this order.
func (p *issuer) check(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.asked, want) {
		t.Errorf("the provider was asked for %q, want %q", p.asked, want)
	}
	if p.late > 0 {
		t.Errorf("%d of %d requests came after the deadline of their holder", p.late, len(p.asked))
	}
}

// refresh is how programs refresh the tokens of a provider.
func (p *issuer) refresh() Refresh {
	return Refresh{Good: func(t Token) bool { return t.ExpiresAt.After(time.Now()) }, Ask: p.ask}
}

// refreshTest runs f in a bubble of time, on a manager with an expired token.
func refreshTest(t *testing.T, f func(t *testing.T, m *manager, p *issuer, id string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := &manager{world: newWorld()}
		m.Now = time.Now
		saved := mustSave(t, m.process(0), Token{UserName: "ann", RefreshToken: "r0", AccessToken: "A0", ExpiresAt: time.Now().Add(-time.Minute)})
		time.Sleep(time.Minute)
		synctest.Wait()
		m.Calls()
		f(t, m, &issuer{rotates: true}, saved.ID)
	})
}

// refreshed is what a call of RefreshToken returned.
type refreshed struct {
	Token
	err error
}

// goRefresh calls RefreshToken in a goroutine.
func goRefresh(ctx context.Context, s *SecretStore, id string, r Refresh) <-chan refreshed {
	done := make(chan refreshed, 1)
	go func() {
		t, err := s.RefreshToken(ctx, id, r)
		done <- refreshed{t, err}
	}()
	return done
}

// mustRefresh refreshes a token in a process of its own, and wants this access token.
func mustRefresh(t *testing.T, s *SecretStore, id string, r Refresh, want string) Token {
	t.Helper()
	got, err := s.RefreshToken(t.Context(), id, r)
	if err != nil || got.AccessToken != want {
		t.Errorf("RefreshToken = %q, %v; want %q", got.AccessToken, err, want)
	}
	return got
}

// failsTo refresh a token, and wants an error of this kind and, with it, this access token.
func failsToRefresh(t *testing.T, s *SecretStore, id string, r Refresh, want error, access string) error {
	t.Helper()
	got, err := s.RefreshToken(t.Context(), id, r)
	if !errors.Is(err, want) || got.AccessToken != access {
		t.Errorf("RefreshToken = %q, %v; want %q and %v", got.AccessToken, err, access, want)
	}
	return err
}

func TestRefreshIsReadLeaseAndCommit(t *testing.T) {
	for _, tt := range []struct {
		name string
		idle time.Duration // since the process read the token; 0: it has not
		want map[string]int
	}{
		{"cold", 0, map[string]int{"Latest": 1, "Put": 2}},
		{"after a read just now", time.Nanosecond, map[string]int{"Put": 2}},
		{"after a read nearly a second ago", time.Second - 1, map[string]int{"Put": 2}},
		{"after a read a second ago", time.Second, map[string]int{"Latest": 1, "Put": 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
				s := m.process(0)
				if tt.idle > 0 {
					if _, err := s.FindTokenByID(t.Context(), id); err != nil {
						t.Fatal(err)
					}
					time.Sleep(tt.idle)
				}
				m.Calls()
				mustRefresh(t, s, id, p.refresh(), "A1")
				if got := m.Calls(); !maps.Equal(got, tt.want) {
					t.Errorf("calls %v, want %v", got, tt.want)
				}
				m.check(t, id, "r1", "A1")
			})
		})
	}
}

func TestRefreshReturnsTheTokenWhole(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		got := mustRefresh(t, m.process(0), id, p.refresh(), "A1")
		found, err := m.process(0).FindTokenByID(t.Context(), id)
		if err != nil || !found.RefreshedAt.Equal(time.Now()) {
			t.Errorf("FindTokenByID: refreshed at %v, %v; want now", found.RefreshedAt, err)
		}
		if fmt.Sprint(readable(got)) != fmt.Sprint(readable(found)) {
			t.Errorf("RefreshToken = %v, and stored is %v", readable(got), readable(found))
		}
	})
}

func TestRefreshReturnsAGoodTokenWithoutAsking(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		mustSave(t, m.process(0), Token{ID: id, AccessToken: "A9", ExpiresAt: time.Now().Add(time.Minute)})
		m.Calls()
		mustRefresh(t, m.process(0), id, p.refresh(), "A9")
		if got, want := m.Calls(), map[string]int{"Latest": 1}; !maps.Equal(got, want) {
			t.Errorf("calls %v, want %v", got, want)
		}
		p.check(t)
	})
}

func TestRefreshOfATokenThatJustWasIsNotRepeatedHoweverShortItLives(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 2 * time.Second
		r := p.refresh()
		r.Good = func(t Token) bool { return t.ExpiresAt.After(time.Now().Add(2 * time.Hour)) } // longer than the tokens live
		mine, theirs := goRefresh(t.Context(), m.process(0), id, r), goRefresh(t.Context(), m.process(0), id, r)
		for _, got := range []refreshed{<-mine, <-theirs} {
			if got.AccessToken != "A1" || got.err != nil {
				t.Errorf("RefreshToken = %q, %v; want A1", got.AccessToken, got.err)
			}
		}
		p.check(t, "r0")
	})
}

func TestRefreshAtTheMomentOfExpiryAsksOnce(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		p.takes = 2 * time.Second
		var all []<-chan refreshed
		for range 20 {
			s := m.process(0)
			for range 5 {
				all = append(all, goRefresh(t.Context(), s, id, p.refresh()))
			}
		}
		for _, done := range all {
			if got := <-done; got.err != nil || got.AccessToken != "A1" || got.RefreshToken != "r1" {
				t.Errorf("RefreshToken = %q, %q, %v; want A1 and r1", got.AccessToken, got.RefreshToken, got.err)
			}
		}
		p.check(t, "r0")
	})
}

func TestRefreshSendsNothingAfterItsDeadline(t *testing.T) {
	for _, tt := range []struct{ deadline, lease, want time.Duration }{
		{0, 0, 20 * time.Second}, {5 * time.Second, 6 * time.Second, 5 * time.Second}, {100 * time.Second, 2 * time.Minute, 100 * time.Second},
	} {
		refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
			started := time.Now()
			m.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
				time.Sleep(time.Second) // counts: the deadline counts from before the take
				return m.Secrets.Put(ctx, name, payload, rev)
			}
			r := p.refresh()
			r.Deadline, r.Lease = tt.deadline, tt.lease
			r.Ask = func(ctx context.Context, stored Token) (Token, error) {
				until, _ := driver.NotAfter(ctx)
				ends, _ := ctx.Deadline()
				if until.Sub(started) != tt.want || ends.Sub(started) != tt.want {
					t.Errorf("Deadline %v: nothing is sent after %v and the context ends after %v; want %v", tt.deadline, until.Sub(started), ends.Sub(started), tt.want)
				}
				return p.ask(ctx, stored)
			}
			mustRefresh(t, m.process(0), id, r, "A1")
		})
	}
}

func TestRefreshOfWhatIsNotThere(t *testing.T) {
	refreshTest(t, func(t *testing.T, m *manager, p *issuer, id string) {
		short := p.refresh()
		short.Deadline, short.Lease = 10*time.Second, 10*time.Second
		long := p.refresh()
		long.Deadline = 26 * time.Second
		m.Plant(SecretName("foreign"), []byte(`{"somebody": "else"}`))
		m.Plant(SecretName("damaged"), []byte(`{"tokenkeep": 1, "kind": "token", "id": `))
		m.Calls()
		for _, tt := range []struct {
			name string
			id   string
			r    Refresh
			want error
		}{
			{"no ID", "", p.refresh(), ErrNotFound}, {"an unknown ID", "unknown", p.refresh(), ErrNotFound},
			{"an ID that is too long", strings.Repeat("x", 129), p.refresh(), ErrInvalid}, {"an ID that is no UTF-8", "\xff", p.refresh(), ErrInvalid},
			{"a lease as short as the deadline", id, short, ErrInvalid}, {"a deadline longer than the usual lease", id, long, ErrInvalid},
			{"a foreign secret", "foreign", p.refresh(), ErrForeign}, {"a damaged secret", "damaged", p.refresh(), ErrDamaged},
		} {
			err := failsToRefresh(t, m.process(0), tt.id, tt.r, tt.want, "")
			var detail *Error
			if !errors.As(err, &detail) || detail.Op != "refresh token" || detail.ID != tt.id {
				t.Errorf("%s: the error is %v, want one of operation and token", tt.name, err)
			}
		}
		if calls := m.Calls(); calls["Put"] > 0 {
			t.Errorf("calls %v; nothing may be written", calls)
		}
		p.check(t)
	})
}
