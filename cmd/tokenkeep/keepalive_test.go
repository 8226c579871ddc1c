package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// issuer is a provider that gives tokens for an hour.
type issuer struct {
	before func(id string) error // runs before each answer

	mu    sync.Mutex
	asked []string // IDs
}

func (p *issuer) Traits() oauth.Traits { return oauth.Traits{Rotates: true} }

func (p *issuer) Ask(_ context.Context, t tokenkeep.Token) (tokenkeep.Token, error) {
	p.mu.Lock()
	p.asked = append(p.asked, t.ID)
	n := len(p.asked)
	p.mu.Unlock()
	if p.before != nil {
		if err := p.before(t.ID); err != nil {
			return tokenkeep.Token{}, err
		}
	}
	return tokenkeep.Token{
		AccessToken: fmt.Sprint("canary-access-", n), RefreshToken: fmt.Sprint("canary-refresh-", n), ExpiresAt: time.Now().Add(time.Hour),
	}, nil
}

// wantAsked fails the test unless the provider was asked for these tokens, in this order.
func (p *issuer) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.asked, want) {
		t.Errorf("the provider was asked for %q, want %q", p.asked, want)
	}
}

// ended is a token whose access token ended these hours before the June of a bubble's first year.
func ended(id string, hours int) tokenkeep.Token {
	at := time.Date(2000, 6, 1, -hours, 0, 0, 0, time.UTC)
	return tokenkeep.Token{
		ID: id, ClientID: "web", ClientSecret: "canary-secret", RefreshToken: "canary-" + id, AccessToken: "canary-a-" + id, ExpiresAt: at,
	}
}

// sweepTest runs f in a bubble of time, on a store with some tokens.
func sweepTest(t *testing.T, tokens []tokenkeep.Token, f func(t *testing.T, open func() tokenkeep.Store, p *issuer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(200 * 24 * time.Hour)
		secrets := &memdriver.Secrets{}
		open := func() tokenkeep.Store { return tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}) }
		for _, token := range tokens {
			if _, err := open().SaveToken(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		f(t, open, &issuer{})
	})
}

// runSweep refreshes what is expiring, and returns what was printed.
func runSweep(ctx context.Context, store tokenkeep.Store, p oauth.Provider, o refreshFlags) (string, error) {
	var out strings.Builder
	cmd := &cobra.Command{}
	cmd.SetContext(ctx)
	cmd.SetOut(&out)
	o.expiring = span{time.Minute, true}
	err := new(global).keepAlive(cmd, &refresher{store: store, provider: &counted{Provider: p}}, o)
	return out.String(), err
}

func TestASweepTakesWhatIsDueInTheOrderOfItsEnd(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ago := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	store := memstore.New()
	for _, token := range []tokenkeep.Token{
		{ID: "ends soon", RefreshToken: "r", ExpiresAt: ago(-1)},
		{ID: "has ended", RefreshToken: "r", ExpiresAt: ago(9)},
		{ID: "idle", RefreshToken: "r", RefreshedAt: ago(100)},
		{ID: "good", RefreshToken: "r", ExpiresAt: ago(-100)},
		{ID: "refreshed lately", RefreshToken: "r", RefreshedAt: ago(1)},
		{ID: "without refresh token", ClientID: "c", ClientSecret: "s", ExpiresAt: ago(9)},
		{ID: "nothing is known", RefreshToken: "r"},
		{ID: "the refresh token ends", RefreshToken: "r", RefreshExpiresAt: ago(-1), ExpiresAt: ago(-200)},
		{ID: "another client's", ClientID: "other", RefreshToken: "r", ExpiresAt: ago(8)},
	} {
		if token.RefreshToken != "" {
			token.RefreshToken = "canary-" + token.ID
		}
		if !token.ExpiresAt.IsZero() {
			token.AccessToken = "canary-access-" + token.ID
		}
		if _, err := store.SaveToken(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	day, days := span{24 * time.Hour, true}, span{72 * time.Hour, true}
	for _, tt := range []struct {
		name  string
		flags refreshFlags
		want  []string
	}{
		{"expiring", refreshFlags{expiring: day}, []string{"has ended", "another client's", "ends soon", "the refresh token ends"}},
		{"idle", refreshFlags{idle: days}, []string{"idle"}},
		{"either", refreshFlags{expiring: day, idle: days}, []string{"idle", "has ended", "another client's", "ends soon", "the refresh token ends"}},
		{"of one client", refreshFlags{expiring: day, client: "other"}, []string{"another client's"}},
	} {
		tokens, err := tt.flags.due(t.Context(), store, now)
		var got []string
		for _, token := range tokens {
			got = append(got, token.ID)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestASweepSkipsWhatAnotherProgramHasRefreshedSinceItWasListed(t *testing.T) {
	sweepTest(t, []tokenkeep.Token{ended("a", 2), ended("b", 1)}, func(t *testing.T, open func() tokenkeep.Store, p *issuer) {
		p.before = func(id string) error {
			if id != "a" {
				return nil
			}
			p.before = nil
			_, err := oauth.NewSource(open(), tokenkeep.Token{ID: "b"}, oauth.Options{Provider: p}).Token()
			return err
		}
		out, err := runSweep(t.Context(), open(), p, refreshFlags{})
		if err != nil || !strings.Contains(out, "b  -  refreshed by another program until 2000-07-") {
			t.Errorf("printed was %q, error %v", out, err)
		}
		p.wantAsked(t, "a", "b")
	})
}

func TestSweepsAtOnceMakeOneRequestForEachToken(t *testing.T) {
	tokens := []tokenkeep.Token{ended("a", 3), ended("b", 2), ended("c", 1)}
	sweepTest(t, tokens, func(t *testing.T, open func() tokenkeep.Store, p *issuer) {
		p.before = func(string) error { time.Sleep(time.Second); return nil }
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if out, err := runSweep(t.Context(), open(), p, refreshFlags{}); err != nil || strings.Count(out, "until") != 3 {
					t.Errorf("printed was %q, error %v", out, err)
				}
			})
		}
		all.Wait()
		slices.Sort(p.asked) // who waits for one token may overtake at the next
		p.wantAsked(t, "a", "b", "c")
	})
}

func TestASweepGoesOnPastATokenThatIsDeletedMeanwhile(t *testing.T) {
	sweepTest(t, []tokenkeep.Token{ended("a", 2), ended("b", 1)}, func(t *testing.T, open func() tokenkeep.Store, p *issuer) {
		p.before = func(string) error { return open().DeleteToken(context.Background(), "b") }
		out, err := runSweep(t.Context(), open(), p, refreshFlags{})
		if err != nil || !strings.Contains(out, "b  -  deleted meanwhile\n") {
			t.Errorf("printed was %q, error %v", out, err)
		}
	})
}

func TestASweepLeavesAClientAloneOnlyWhereItWasThrottledItself(t *testing.T) {
	tokens := []tokenkeep.Token{ended("a", 3), ended("b", 2), ended("c", 1)}
	sweepTest(t, tokens, func(t *testing.T, open func() tokenkeep.Store, p *issuer) {
		p.before = func(id string) error {
			if id == "a" {
				return &tokenkeep.RefreshError{Failure: tokenkeep.Throttled, RetryAfter: 10 * time.Minute}
			}
			return nil
		}
		out, err := runSweep(t.Context(), open(), p, refreshFlags{})
		if err == nil || !strings.HasSuffix(out, "failed 1, left for the next run 2\n") {
			t.Errorf("printed was %q, error %v", out, err)
		}
		p.wantAsked(t, "a")
		// In the next run the cool-down of one token holds up no other, nor does it count for the limit.
		out, err = runSweep(t.Context(), open(), p, refreshFlags{limit: 1})
		if err == nil || !strings.HasSuffix(out, "failed 1, left for the next run 1\n") {
			t.Errorf("printed was %q, error %v", out, err)
		}
		p.wantAsked(t, "a", "b")
	})
}

func TestASweepTellsOfLoginsWhateverTheLimit(t *testing.T) {
	refused := ended("b", 1)
	refused.Reauthorize = &tokenkeep.Reauthorize{Since: time.Date(2000, 5, 1, 0, 0, 0, 0, time.UTC), Reason: "refused"}
	sweepTest(t, []tokenkeep.Token{ended("a", 2), refused}, func(t *testing.T, open func() tokenkeep.Store, p *issuer) {
		out, err := runSweep(t.Context(), open(), p, refreshFlags{limit: 1})
		if !errors.Is(err, oauth.ErrReauthorize) || !strings.Contains(out, "b  -  login needed since 2000-05-01T00:00:00Z\n") {
			t.Errorf("printed was %q, error %v", out, err)
		}
		p.wantAsked(t, "a")
	})
}

func TestASweepThatIsInterruptedFinishesTheTokenUnderWay(t *testing.T) {
	sweepTest(t, []tokenkeep.Token{ended("a", 2), ended("b", 1)}, func(t *testing.T, open func() tokenkeep.Store, p *issuer) {
		ctx, interrupt := context.WithCancel(t.Context())
		p.before = func(string) error { interrupt(); time.Sleep(time.Second); return nil }
		out, err := runSweep(ctx, open(), p, refreshFlags{})
		if !errors.Is(err, context.Canceled) || !strings.HasSuffix(out, "refreshed 1, by another program 0, login needed 0, failed 0, left for the next run 1\n") {
			t.Errorf("printed was %q, error %v", out, err)
		}
		p.wantAsked(t, "a")
		if a, err := open().FindTokenByID(t.Context(), "a"); err != nil || a.RefreshToken != "canary-refresh-1" {
			t.Errorf("the new refresh token is not stored, error %v", err)
		}
		time.Sleep(finishTime) // withPatience's timer ends
	})
}

// reluctant is a store that refuses some updates.
type reluctant struct {
	*memstore.Store
	refuses int
}

func (s *reluctant) UpdateToken(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	if s.refuses--; s.refuses >= 0 {
		return tokenkeep.Token{}, tokenkeep.ErrUnavailable
	}
	return s.Store.UpdateToken(ctx, id, f)
}

func TestARefreshedTokenThatTheStoreDoesNotTakeIsSavedAgain(t *testing.T) {
	for refuses, want := range map[int]string{saveAttempts: byThis, saveAttempts + 1: failed} {
		synctest.Test(t, func(t *testing.T) {
			store, p := &reluctant{memstore.New(), refuses}, &issuer{}
			token, err := store.SaveToken(t.Context(), ended("a", 1))
			if err != nil {
				t.Fatal(err)
			}
			done := (&refresher{store: store, provider: &counted{Provider: p}}).renew(t.Context(), token, oauth.RefreshOptions{})
			if done.Result != want || (done.err == nil) != (want == byThis) {
				t.Errorf("after %d refusals: %q, %v; want %q", refuses, done.Result, done.err, want)
			}
			p.wantAsked(t, "a")
			if stored, err := store.FindTokenByID(t.Context(), "a"); err != nil || (stored.RefreshToken == "canary-refresh-1") != (want == byThis) {
				t.Errorf("after %d refusals: error %v, or the wrong refresh token is stored", refuses, err)
			}
		})
	}
}

func TestTheExitStatusOfASweepIsForLoginsOnlyWhereNothingElseFailed(t *testing.T) {
	sweepTest(t, []tokenkeep.Token{ended("a", 2), ended("b", 1)}, func(t *testing.T, open func() tokenkeep.Store, p *issuer) {
		answers := map[string]error{"a": &tokenkeep.RefreshError{Failure: tokenkeep.Refused}}
		p.before = func(id string) error { return answers[id] }
		for _, tt := range []struct {
			b    error
			want int
		}{{&tokenkeep.RefreshError{Failure: tokenkeep.Misconfigured}, 1}, {nil, 5}} {
			answers["b"] = tt.b
			out, err := runSweep(t.Context(), open(), p, refreshFlags{})
			if got := exitStatus(failure{err}); got != tt.want {
				t.Errorf("exit status %d, want %d; error %v after %q", got, tt.want, err, out)
			}
			time.Sleep(2 * time.Minute)
		}
	})
}

func TestAnEndpointMustBeHTTPS(t *testing.T) {
	for _, good := range []string{"", "https://login.example.com/token", "http://localhost:8080/token", "http://127.0.0.1/token", "http://[::1]:80/token"} {
		if err := checkEndpoint(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"http://login.example.com/token", "https://canary@login.example.com", "login.example.com/token", "https://", "ftp://localhost/", "https://h/#f", "%",
		"http://localhost.example.com/",
	} {
		if err := checkEndpoint(bad); !errors.Is(err, errUsage) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v; want a usage error that does not quote it", bad, err)
		}
	}
}
