package oauth

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
	"github.com/tokenkeep/tokenkeep/memstore"
)

// least is a store that can do no more than it must.
type least struct{ tokenkeep.Store }

func newBasic(t *testing.T, token tokenkeep.Token) tokenkeep.Store {
	t.Helper()
	store := memstore.New()
	if _, err := store.SaveToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return &least{store}
}

func TestPlainStores(t *testing.T) {
	exchange := tokenkeep.Token{UserName: "ann", ClientID: "client", GrantToken: "g0"}
	for name, open := range map[string]func(*testing.T) tokenkeep.Store{
		"with updates": func(*testing.T) tokenkeep.Store { return memstore.New() },
		"without":      func(*testing.T) tokenkeep.Store { return &least{memstore.New()} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{rotates: true, valid: "g0"}
				store := open(t)
				s := NewSource(store, exchange, e.options())
				wantToken(t, s, "at1") // the code is exchanged
				time.Sleep(time.Hour)
				wantToken(t, s, "at2") // and the refresh token spent from then on
				time.Sleep(time.Hour)
				wantToken(t, s, "at3")
				if found, err := store.FindToken(t.Context(), tokenkeep.Token{UserName: "ann"}); err != nil || found.AccessToken != "at3" || found.RefreshToken != "rt3" {
					t.Errorf("stored %v with %q, %q, error %v", found, found.AccessToken, found.RefreshToken, err)
				}
			})
		})
	}
}

func TestAPlainStoreLosesNoLogin(t *testing.T) {
	store := memstore.New()
	saved, err := store.SaveToken(t.Context(), ann(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{rotates: true, fail: func(int) *http.Response {
		_, err := store.SaveToken(context.Background(), tokenkeep.Token{ID: saved.ID, RefreshToken: "b0", AccessToken: "bt", ExpiresAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Error(err)
		}
		return nil
	}}
	var lost []tokenkeep.Token
	o := e.options()
	o.OnPersistError = func(t tokenkeep.Token, _ error) { lost = append(lost, t) }
	wantToken(t, NewSource(store, tokenkeep.Token{ID: saved.ID}, o), "bt")
	if len(lost) != 1 || lost[0].RefreshToken != "rt1" || lost[0].ID != saved.ID {
		t.Errorf("lost %v", lost)
	}
}

func TestARefusedCodeLeavesTheRefreshToken(t *testing.T) {
	store := memstore.New()
	token := ann(-time.Minute)
	saved, err := store.SaveToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: saved.ID, GrantToken: "g0"}); err != nil {
		t.Fatal(err)
	}
	e := &endpoint{valid: "a0"}
	wantToken(t, NewSource(store, tokenkeep.Token{ID: saved.ID}, e.options()), "at2")
}

func TestAPlainStoreThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		store := &failing{Store: newBasic(t, ann(-time.Minute)), save: full}
		e := &endpoint{rotates: true}
		s := NewSource(store, tokenkeep.Token{UserName: "ann"}, e.options())
		tok, err := s.TokenContext(t.Context())
		var unsaved *tokenkeep.UnsavedError
		if !errors.As(err, &unsaved) || !unsaved.Rotated || !errors.Is(err, full) || accessOf(tok) != "at1" {
			t.Fatalf("%v, %v", accessOf(tok), err)
		}
		store.save = nil
		time.Sleep(savePause)
		wantToken(t, s, "at1")
		if found, err := store.FindToken(t.Context(), tokenkeep.Token{UserName: "ann"}); err != nil || found.RefreshToken != "rt1" {
			t.Errorf("stored %q, error %v", found.RefreshToken, err)
		}
	})
}

// failing is a store whose saves fail.
type failing struct {
	tokenkeep.Store
	save error
}

func (f *failing) SaveToken(ctx context.Context, t tokenkeep.Token) (tokenkeep.Token, error) {
	if f.save != nil {
		return tokenkeep.Token{}, f.save
	}
	return f.Store.SaveToken(ctx, t)
}

func TestAPlainStoreAndACallerWithTooLittleTime(t *testing.T) {
	for _, life := range []time.Duration{time.Minute, -time.Minute} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		e := &endpoint{}
		tok, err := NewSource(newBasic(t, ann(life)), tokenkeep.Token{UserName: "ann"}, e.options()).TokenContext(ctx)
		if life > 0 && accessOf(tok) != "at0" || life < 0 && !errors.Is(err, context.DeadlineExceeded) || e.count() != 0 {
			t.Errorf("%v, %v, %d requests", accessOf(tok), err, e.count())
		}
	}
}

func TestAPlainStoreRemembersARefusal(t *testing.T) {
	store := memstore.New()
	saved, err := store.SaveToken(t.Context(), ann(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{fail: always(400, `{"error":"invalid_grant"}`)}
	for range 2 { // the second source is another process
		_, err := NewSource(store, tokenkeep.Token{ID: saved.ID}, e.options()).Token()
		wantErr(t, err, ErrReauthorize)
	}
	if n := e.count(); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// A file of Zoho's SDKs has no column for the end of a refresh token.
func TestARefreshTokenWhoseEndAStoreCannotKeepIsStoredWithoutIt(t *testing.T) {
	for name, hide := range map[string]func(tokenkeep.Store) tokenkeep.Store{
		"with updates": func(s tokenkeep.Store) tokenkeep.Store { return s },
		"without":      func(s tokenkeep.Store) tokenkeep.Store { return &least{s} },
	} {
		t.Run(name, func(t *testing.T) {
			store := hide(filestore.New(filepath.Join(t.TempDir(), "tokens.csv")))
			saved, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", ClientID: "client", RefreshToken: "rt0"})
			if err != nil {
				t.Fatal(err)
			}
			e := &endpoint{fail: func(int) *http.Response {
				return respond(200, `{"access_token":"at1","expires_in":3600,"refresh_token":"rt1","refresh_token_expires_in":86400}`)
			}}
			s := NewSource(store, tokenkeep.Token{ID: saved.ID}, e.options())
			wantToken(t, s, "at1")
			wantErr(t, s.Err(), nil)
			if found, err := store.FindTokenByID(t.Context(), saved.ID); err != nil || found.RefreshToken != "rt1" || found.AccessToken != "at1" {
				t.Errorf("stored %v, error %v; want the new tokens", found, err)
			}
		})
	}
}
