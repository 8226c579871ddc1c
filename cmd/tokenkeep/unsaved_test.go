package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
	"github.com/tokenkeep/tokenkeep/zoho"
)

func TestZohosFileTakesTheTokenOfAKnownDataCenter(t *testing.T) {
	ctx, store := t.Context(), filestore.New(filepath.Join(t.TempDir(), "tokens.csv"))
	login := tokenkeep.Token{
		UserName: "ann", RefreshToken: "canary-ann", Scopes: []string{"crm"},
		AccountsURL: zoho.EU.AccountsURL, APIDomain: zoho.EU.Sandbox().APIDomain,
	}
	_, err := store.SaveToken(ctx, login)
	saved, err := keepOrRevoke(ctx, store, login, err)
	if err != nil {
		t.Fatal(err)
	}
	if stored, err := store.FindTokenByID(ctx, saved.ID); err != nil || stored.RefreshToken != "canary-ann" || stored.APIDomain != login.APIDomain {
		t.Errorf("the file has %v, %v", stored, err)
	}
}

func TestATokenThatNobodyKeepsIsRevoked(t *testing.T) {
	server := newRevoking(t)
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for refreshToken, want := range map[string]string{
		"canary-ann":     "so that it is revoked again: ",
		"canary-gone":    "so that it is revoked again: ",
		"canary-failing": "it is not revoked; the user can end the access",
	} {
		t.Run(refreshToken, func(t *testing.T) {
			login := tokenkeep.Token{UserName: "ann", RefreshToken: refreshToken, AccountsURL: server.url, APIDomain: zoho.EU.APIDomain}
			_, err := keepOrRevoke(interrupted, server, login, tokenkeep.ErrInvalid)
			if !errors.Is(err, tokenkeep.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("keepOrRevoke: %v; want %q", err, want)
			}
			if got := server.accounts.seen(); !slices.Equal(got, []string{"revoke:" + refreshToken}) {
				t.Errorf("the requests were %q", got)
			}
		})
	}
}
