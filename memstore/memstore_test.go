package memstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
)

func save(t *testing.T, s *memstore.Store, token tokenkeep.Token) tokenkeep.Token {
	t.Helper()
	saved, err := s.SaveToken(t.Context(), token)
	if err != nil {
		t.Fatalf("SaveToken(%v): %v", token, err)
	}
	return saved
}

func TestIDsCountUpPastThoseGivenExplicitly(t *testing.T) {
	s := memstore.New()
	save(t, s, tokenkeep.Token{ID: "2", UserName: "two", RefreshToken: "r2"})
	save(t, s, tokenkeep.Token{ID: "03", UserName: "three", RefreshToken: "r3"}) // not how 3 is written
	save(t, s, tokenkeep.Token{ID: "4", UserName: "four", RefreshToken: "r4"})
	if err := s.DeleteToken(t.Context(), "4"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "3", "5", "6"} {
		if got := save(t, s, tokenkeep.Token{UserName: "u" + want, RefreshToken: "r-" + want}); got.ID != want {
			t.Errorf("the next ID is %q, want %q", got.ID, want)
		}
	}
}

func TestIDsAreNotUsedAgainAfterDeletes(t *testing.T) {
	s := memstore.New()
	ann := tokenkeep.Token{UserName: "ann", RefreshToken: "r"}
	for _, want := range []string{"1", "2", "3"} {
		if got := save(t, s, ann); got.ID != want {
			t.Errorf("the next ID is %q, want %q", got.ID, want)
		}
		if err := s.DeleteTokens(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrorsSayWhatWasDoneToWhichToken(t *testing.T) {
	s := memstore.New()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, notFound := s.FindTokenByID(t.Context(), "7")
	_, incomplete := s.SaveToken(t.Context(), tokenkeep.Token{ID: "9"})
	_, noToken := s.UpdateToken(t.Context(), "8", func(t tokenkeep.Token) (tokenkeep.Token, error) { return t, nil })
	for _, tt := range []struct {
		err      error
		is       error
		op, id   string
		contains string
	}{
		{notFound, tokenkeep.ErrNotFound, "find token", "7", `tokenkeep: find token "7": not found`},
		{incomplete, tokenkeep.ErrIncomplete, "save token", "9", `tokenkeep: save token "9": `},
		{noToken, tokenkeep.ErrNotFound, "update token", "8", `tokenkeep: update token "8": `},
		{s.DeleteToken(canceled, "5"), context.Canceled, "delete token", "5", `tokenkeep: delete token "5": `},
		{s.DeleteTokens(canceled), context.Canceled, "delete tokens", "", `tokenkeep: delete tokens: `},
	} {
		var detail *tokenkeep.Error
		if !errors.Is(tt.err, tt.is) || !errors.As(tt.err, &detail) {
			t.Errorf("error %v is not a *tokenkeep.Error that wraps %v", tt.err, tt.is)
			continue
		}
		if detail.Op != tt.op || detail.ID != tt.id || !strings.Contains(tt.err.Error(), tt.contains) {
			t.Errorf("error %q of operation %q on ID %q, want %q on %q, as in %q",
				tt.err, detail.Op, detail.ID, tt.op, tt.id, tt.contains)
		}
	}
}

func TestAStorePrintsNoCredential(t *testing.T) {
	s := memstore.New()
	save(t, s, tokenkeep.Token{UserName: "ann", ClientSecret: "canary-1", RefreshToken: "canary-2", AccessToken: "canary-3"})
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "store", s, "nested", struct{ S *memstore.Store }{s})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "store", s, "nested", struct{ S *memstore.Store }{s})
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%z"} {
		fmt.Fprintf(&printed, verb+"\n", s)
		fmt.Fprintf(&printed, verb+"\n", struct{ S any }{s})
		fmt.Fprintf(&printed, verb+"\n", struct{ s *memstore.Store }{s})
	}
	for _, text := range []string{log.String(), printed.String()} {
		if strings.Contains(text, "canary") || strings.Contains(text, "63616e617279") { // %x of it
			t.Errorf("a credential is printed:\n%s", text)
		}
		if !strings.Contains(text, "1") {
			t.Errorf("the number of tokens is missing:\n%s", text)
		}
	}
}
