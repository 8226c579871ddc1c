package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
)

// revoking is a store and an accounts server that does something before it answers the first request.
type revoking struct {
	*memstore.Store
	accounts *accounts
	url      string
	first    func()
}

func newRevoking(t *testing.T) *revoking {
	r := &revoking{Store: memstore.New(), accounts: &accounts{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if first := r.first; first != nil {
			r.first = nil
			first()
		}
		r.accounts.ServeHTTP(w, req)
	}))
	t.Cleanup(func() {
		server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	r.url = server.URL
	return r
}

func (r *revoking) put(t *testing.T, id, refreshToken string) {
	t.Helper()
	_, err := r.SaveToken(t.Context(), tokenkeep.Token{ID: id, UserName: id, RefreshToken: refreshToken, AccountsURL: r.url})
	if err != nil {
		t.Error(err)
	}
}

func revokerOf(t *testing.T, store tokenkeep.Store) *revoker {
	t.Helper()
	r, err := newRevoker(store)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestALoginDuringARevocationIsRevokedToo(t *testing.T) {
	store := newRevoking(t)
	store.put(t, "ann", "canary-old")
	store.first = func() { store.put(t, "ann", "canary-new") }
	how, err := revokerOf(t, store).remove(t.Context(), "ann")
	if want := []string{"revoke:canary-old", "revoke:canary-new"}; err != nil || how != revoked || !slices.Equal(store.accounts.seen(), want) {
		t.Errorf("remove = %q, %v; want both revoked", how, err)
	}
	if _, err := store.FindTokenByID(t.Context(), "ann"); !errors.Is(err, tokenkeep.ErrNotFound) {
		t.Errorf("the token: %v; want it deleted", err)
	}
}

func TestATokenThatIsDeletedDuringItsRevocationIsDone(t *testing.T) {
	store := newRevoking(t)
	store.put(t, "ann", "canary-old")
	store.first = func() { _ = store.DeleteToken(t.Context(), "ann") }
	if how, err := revokerOf(t, store).remove(t.Context(), "ann"); err != nil || how != revoked {
		t.Errorf("remove = %q, %v", how, err)
	}
}

func TestATokenThatIsSavedDuringClearStays(t *testing.T) {
	store := newRevoking(t)
	store.put(t, "ann", "canary-ann")
	store.put(t, "bob", "canary-bob")
	store.first = func() {
		_ = store.DeleteToken(t.Context(), "bob")
		store.put(t, "new", "canary-new")
	}
	done, err := revokerOf(t, store).removeAll(t.Context(), []string{"ann", "bob"})
	if err != nil || done.Deleted != 1 || len(done.Kept) != 0 {
		t.Errorf("removeAll = %+v, %v; want ann deleted, and no word of bob", done, err)
	}
	if left, err := store.GetTokens(t.Context()); err != nil || len(left) != 1 || left[0].ID != "new" {
		t.Errorf("left are %v, %v; want the new token", left, err)
	}
}

func TestClearStopsWhenItIsInterrupted(t *testing.T) {
	store := newRevoking(t)
	ids := []string{"ann", "bob", "eve"}
	for _, id := range ids {
		store.put(t, id, "canary-"+id)
	}
	ctx, cancel := context.WithCancel(t.Context())
	store.first = cancel
	done, err := revokerOf(t, store).removeAll(ctx, ids)
	if err == nil || !strings.Contains(err.Error(), "2 tokens of 3 not tried") || !slices.Equal(done.Kept, ids) || len(store.accounts.seen()) != 1 {
		t.Errorf("removeAll = %+v, %v; want it to stop after one request", done, err)
	}
}

// readOnly is a store that cannot delete, or cannot update.
type readOnly struct {
	*revoking
	update, remove error
}

func (s readOnly) UpdateToken(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	if s.update != nil {
		return tokenkeep.Token{}, s.update
	}
	return s.revoking.UpdateToken(ctx, id, f)
}

func (s readOnly) DeleteToken(ctx context.Context, id string) error {
	if s.remove != nil {
		return s.remove
	}
	return s.revoking.DeleteToken(ctx, id)
}

func TestATokenThatIsRevokedAndStaysIsTold(t *testing.T) {
	for _, tt := range []struct {
		name           string
		update, remove error
	}{
		{"no right to delete", nil, tokenkeep.ErrPermission},
		{"no right to update", tokenkeep.ErrInvalid, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newRevoking(t)
			store.put(t, "ann", "canary-ann")
			_, err := revokerOf(t, readOnly{store, tt.update, tt.remove}).remove(t.Context(), "ann")
			if err == nil || !strings.HasPrefix(err.Error(), `token "ann" stays in the store (revoked): `) || exitStatus(failure{err}) != 1 {
				t.Errorf("remove: %v; want it told, and exit status 1", err)
			}
			if _, err := store.FindTokenByID(t.Context(), "ann"); err != nil {
				t.Errorf("the token: %v; want it to stay", err)
			}
			if how, err := revokerOf(t, store).remove(t.Context(), "ann"); err != nil {
				t.Errorf("again: %q, %v", how, err)
			}
		})
	}
}

func TestAStoreWithoutUpdatesRevokesNothing(t *testing.T) {
	if _, err := newRevoker(struct{ tokenkeep.Store }{memstore.New()}); err == nil {
		t.Error("no error")
	}
}
