package oauth

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
)

func TestATokenFromMemoryCostsNothing(t *testing.T) {
	secrets := &memdriver.Secrets{}
	store, id := secretStore(t, secrets, ann(time.Hour))
	s := NewSource(store, tokenkeep.Token{ID: id}, (&endpoint{}).options())
	wantToken(t, s, "at0")
	secrets.Calls()
	if n := testing.AllocsPerRun(1000, func() { _, _ = s.Token() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if calls := secrets.Calls(); len(calls) != 0 {
		t.Errorf("calls %v", calls)
	}
}

func BenchmarkToken(b *testing.B) {
	store := memstore.New()
	if _, err := store.SaveToken(b.Context(), ann(time.Hour)); err != nil {
		b.Fatal(err)
	}
	source := NewSource(store, tokenkeep.Token{UserName: "ann"}, (&endpoint{}).options())
	reuse := oauth2.ReuseTokenSource(nil, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "at0", Expiry: time.Now().Add(time.Hour)}))
	for name, src := range map[string]oauth2.TokenSource{"source": source, "x-oauth2-reuse": reuse} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := src.Token(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"-parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = src.Token()
				}
			})
		})
	}
}

func TestADeletedTokenStaysDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
		e := &endpoint{}
		s := NewSource(store, tokenkeep.Token{RefreshToken: "a0", ClientSecret: "secret", ClientID: "client"}, e.options())
		wantToken(t, s, "at1")
		if err := store.DeleteTokens(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		for range 2 {
			_, err := s.TokenContext(t.Context())
			wantErr(t, err, tokenkeep.ErrNotFound)
		}
		if tokens, err := store.GetTokens(t.Context()); err != nil || len(tokens) != 0 {
			t.Errorf("tokens %v, error %v", tokens, err)
		}
		if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: "new", RefreshToken: "a0"}); err != nil {
			t.Fatal(err)
		}
		wantToken(t, s, "at2") // somebody logged in
	})
}

func TestASourcePrintsNoCredential(t *testing.T) {
	store, _ := secretStore(t, &memdriver.Secrets{}, ann(time.Hour))
	s := NewSource(store, tokenkeep.Token{UserName: "ann", ClientID: "client", RefreshToken: "a0", ClientSecret: "secret"}, Options{Config: &oauth2.Config{
		ClientID: "client", ClientSecret: "secret", Endpoint: oauth2.Endpoint{TokenURL: "https://accounts.test/token?key=secret"},
	}})
	wantToken(t, s, "at0")
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "source", s, "provider", s.settings.provider)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb, s)
		fmt.Fprintf(&b, verb, s.settings.provider)
		fmt.Fprintf(&b, verb, struct{ s *Source }{s})
		fmt.Fprintf(&b, verb, struct{ S *Source }{s})
	}
	for _, credential := range []string{"secret", "a0\"", "at0"} {
		if strings.Contains(b.String(), credential) {
			t.Errorf("%q is printed:\n%s", credential, b.String())
		}
	}
}
