package gcpsm

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// Each handle has a client of its own, as a process has.
func TestOfTwelveProcessesOneRefreshes(t *testing.T) {
	server := startServer(t)
	saved, err := newStore(t, clientOf(t, server), regional, Options{Prefix: "crm"}).SaveToken(t.Context(), secretOf("ann"))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	refresh := tokenkeep.Refresh{
		Good: func(stored tokenkeep.Token) bool { return stored.AccessToken == "refreshed" },
		Ask: func(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
			asked.Add(1)
			return tokenkeep.Token{AccessToken: "refreshed", RefreshToken: "rotated", ExpiresAt: time.Now().Add(time.Hour)}, nil
		},
	}
	var done sync.WaitGroup
	for range 12 {
		store := newStore(t, clientOf(t, server), regional, Options{Prefix: "crm"})
		done.Go(func() {
			token, err := store.RefreshToken(t.Context(), saved.ID, refresh)
			if err != nil || token.AccessToken != "refreshed" || token.RefreshToken != "rotated" {
				t.Errorf("RefreshToken = %v, %v; want the refreshed token", token, err)
			}
		})
	}
	done.Wait()
	if asked.Load() != 1 {
		t.Errorf("the provider was asked %d times; want once", asked.Load())
	}
	if got := server.LiveVersions(regional + "/secrets/crm-t_p" + saved.ID); len(got) != 1 {
		t.Errorf("the token has the versions %v; want one", got)
	}
}

func TestNoSignUpIsLost(t *testing.T) {
	for name, opts := range map[string][]gcpsmtest.Option{"fresh": nil, "reads are late": {stale()}} {
		t.Run(name, func(t *testing.T) {
			const handles, writersEach, users = 4, 4, 20
			server := startServer(t, opts...)
			var done sync.WaitGroup
			for h := range handles {
				store := newStore(t, clientOf(t, server), regional, Options{Prefix: "crm"})
				for w := range writersEach {
					done.Go(func() {
						for u := range users {
							saveUntilDone(t, store, secretOf(fmt.Sprintf("user %d of %d of %d", u, w, h)))
						}
					})
				}
			}
			done.Wait()
			d := newDriver(t, clientOf(t, server), regional, Options{Prefix: "crm"})
			tokens, err := tokenkeep.NewSecretStore(patient{d}, tokenkeep.Options{}).GetTokens(t.Context())
			if want := handles * writersEach * users; err != nil || len(tokens) != want {
				t.Errorf("%d tokens, error %v; want %d", len(tokens), err, want)
			}
			d.now = func() time.Time { return time.Now().Add(youngest) }
			names := []string{"i_r"}
			for _, token := range tokens {
				names = append(names, "t_p"+token.ID)
			}
			for _, name := range names {
				for live := 0; live != 1; { // one pass, but for reads that are late
					if _, err := d.Clean(t.Context(), name); err != nil && opts == nil {
						t.Fatal(err)
					}
					live = len(server.LiveVersions(d.FullName(name)))
					if live != 1 && opts == nil || t.Context().Err() != nil {
						t.Fatalf("%s has %d versions after Clean; want 1", name, live)
					}
				}
			}
		})
	}
}

// saveUntilDone saves a token as a program does that tries again when the service cannot be reached.
func saveUntilDone(t *testing.T, store *tokenkeep.SecretStore, token tokenkeep.Token) {
	var err error
	for range patience {
		if _, err = store.SaveToken(t.Context(), token); err == nil {
			return
		}
	}
	t.Errorf("SaveToken = %v; want success", err)
}

func TestAStoreInUseHasOneVersionOfEachSecret(t *testing.T) {
	const tokens, updates = 50, 2000
	server := startServer(t)
	d := newDriver(t, clientOf(t, server), regional, Options{Prefix: "crm"})
	store := tokenkeep.NewSecretStore(d, tokenkeep.Options{})
	var ids []string
	for i := range tokens {
		saved, err := store.SaveToken(t.Context(), secretOf(fmt.Sprint("user", i)))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, saved.ID)
	}
	other := newStore(t, clientOf(t, server), regional, Options{Prefix: "crm"})
	for i := range updates {
		s := store
		if i%7 == 0 {
			s = other
		}
		if _, err := s.UpdateToken(t.Context(), ids[i%tokens], func(token tokenkeep.Token) (tokenkeep.Token, error) {
			token.AccessToken = fmt.Sprint(i)
			return token, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	live := len(server.LiveVersions(d.FullName("i_r")))
	for _, id := range ids {
		live += len(server.LiveVersions(d.FullName("t_p" + id)))
	}
	if live != tokens+1 {
		t.Errorf("%d tokens and an index have %d versions to pay for; want one each", tokens, live)
	}
}
