package tokenkeep

import (
	"context"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// world is a manager in memory with a clock, and handles on it.
type world struct {
	memdriver.Secrets
	clock time.Time
	// onPut, if set, is what becomes of a put.
	onPut func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error)
}

func newWorld() *world {
	w := &world{clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.Now = func() time.Time { return w.clock }
	return w
}

func (w *world) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	if w.onPut != nil {
		return w.onPut(ctx, name, payload, rev)
	}
	return w.Secrets.Put(ctx, name, payload, rev)
}

func (w *world) handle() *SecretStore {
	s := NewSecretStore(w, Options{})
	s.seams.now = w.Now
	s.seams.noPause = true
	return s
}

func mustSave(t *testing.T, s Store, token Token) Token {
	t.Helper()
	saved, err := s.SaveToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func TestCreateIsNotSentLongAfterItsStamp(t *testing.T) {
	w, frozen := newWorld(), 0
	w.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if name != indexName && frozen == 0 {
			frozen++
			w.clock = w.clock.Add(putWindow + time.Second) // the process was frozen between the index and the token
		}
		return w.Secrets.Put(ctx, name, payload, rev)
	}
	saved := mustSave(t, w.handle(), Token{UserName: "ann", RefreshToken: "r"})
	if calls := w.Calls(); calls["Put"] < 3 {
		t.Errorf("calls %v: the late put must be refused, and the save start again", calls)
	}
	if got, err := w.handle().GetTokens(t.Context()); err != nil || len(got) != 1 || got[0].ID != saved.ID {
		t.Errorf("GetTokens = %v, %v; want the token that was saved", got, err)
	}
}

func TestUpdateThatWasSentTwiceDoesNotBringADeletedTokenBack(t *testing.T) {
	w := newWorld()
	saved := mustSave(t, w.handle(), Token{UserName: "ann", RefreshToken: "r"})
	w.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if _, err := w.Secrets.Put(ctx, name, payload, rev); err != nil {
			return "", err
		}
		w.onPut = nil
		if err := w.Delete(ctx, name); err != nil {
			return "", err
		}
		return "", &driver.Error{Op: "Put", Name: name, Resent: true, Err: driver.ErrConflict}
	}
	if _, err := w.handle().SaveToken(t.Context(), Token{ID: saved.ID, RedirectURL: "u"}); err != nil {
		t.Errorf("the update came before the delete, and reports %v", err)
	}
	if _, err := w.handle().FindTokenByID(t.Context(), saved.ID); !isNotFound(err) {
		t.Errorf("FindTokenByID after the delete: error %v, want ErrNotFound", err)
	}
}

func TestRememberedTokensHideAnAmbiguityNoLongerThanIndexMaxAge(t *testing.T) {
	w := newWorld()
	s := w.handle()
	mustSave(t, s, Token{UserName: "ann", ClientID: "c1", RefreshToken: "r1"})
	bob := mustSave(t, s, Token{UserName: "bob", ClientID: "c2", RefreshToken: "r2"})
	mustSave(t, w.handle(), Token{ID: bob.ID, UserName: "ann"})
	w.clock = w.clock.Add(2 * time.Minute)
	if _, err := s.SaveToken(t.Context(), Token{UserName: "ann", AccessToken: "a"}); !isAmbiguous(err) {
		t.Errorf("a save that fits two tokens: error %v, want ErrAmbiguous", err)
	}
	if _, err := s.FindToken(t.Context(), Token{UserName: "ann"}); !isAmbiguous(err) {
		t.Errorf("a look-up that fits two tokens: error %v, want ErrAmbiguous", err)
	}
}

// A manager that forgets old versions takes a put on one that it has forgotten, whatever was written since.
func TestRevisionsAreNotUsedWhenTheManagerMayHaveForgottenThem(t *testing.T) {
	tests := []struct {
		name string
		wait func(w *world, s *SecretStore) // from the read of a token to the put, a day
	}{
		{"the handle was idle", func(w *world, _ *SecretStore) { w.clock = w.clock.Add(25 * time.Hour) }},
		{"the process was frozen before the put", func(w *world, s *SecretStore) {
			once := false
			s.seams.nonce = func() string {
				if !once {
					once = true
					w.clock = w.clock.Add(25 * time.Hour)
				}
				return "n"
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			s := w.handle()
			saved := mustSave(t, s, Token{UserName: "ann", RefreshToken: "r"})
			mustSave(t, w.handle(), Token{ID: saved.ID, RedirectURL: "theirs"})
			tt.wait(w, s)
			w.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
				if current, err := w.Secrets.Latest(ctx, name); err == nil && rev != current.Revision {
					if until, ok := driver.NotAfter(ctx); !ok || !w.clock.After(until) {
						t.Error("a put on a revision that is a day old was sent")
					}
				}
				return w.Secrets.Put(ctx, name, payload, rev)
			}
			if got := mustSave(t, s, Token{ID: saved.ID, AccessToken: "a"}); got.RedirectURL != "theirs" {
				t.Errorf("saved %v: the other handle's change is lost", got)
			}
		})
	}
}
