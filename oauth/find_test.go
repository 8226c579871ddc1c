package oauth

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
)

// The queries of a function with its credentials in the environment.
var environments = map[string]tokenkeep.Token{
	"client, secret and refresh token":  {ClientID: "client", ClientSecret: "secret", RefreshToken: "a0"},
	"with the user":                     {UserName: "ann", ClientID: "client", ClientSecret: "secret", RefreshToken: "a0"},
	"the refresh token alone":           {RefreshToken: "a0"},
	"with an ID":                        {ID: "7", ClientID: "client", ClientSecret: "secret", RefreshToken: "a0"},
	"an authorization code":             {ClientID: "client", ClientSecret: "secret", GrantToken: "a0"},
	"an authorization code of the user": {UserName: "ann", ClientID: "client", ClientSecret: "secret", GrantToken: "a0"},
	"the client's own credentials":      {UserName: "service", ClientID: "client", ClientSecret: "secret"},
}

func TestAColdStartIsOneCall(t *testing.T) {
	for name, query := range environments {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				secrets := &memdriver.Secrets{}
				e := &endpoint{rotates: true}
				if hasCredential(query) {
					e.valid = "a0"
				}
				cold := func() *Source {
					return NewSource(tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}), query, e.options())
				}
				wantToken(t, cold(), "at1")
				for _, want := range []string{"at1", "at2", "at3"} { // the refresh token is replaced twice
					if want != "at1" {
						time.Sleep(time.Hour)
						wantToken(t, cold(), want)
					}
					secrets.Calls()
					wantToken(t, cold(), want)
					if diff := cmp.Diff(map[string]int{"Get": 1}, secrets.Calls()); diff != "" {
						t.Errorf("calls of a cold start with %s (-want +got):\n%s", want, diff)
					}
				}
				time.Sleep(time.Hour)
				wantToken(t, cold(), "at4")
				if diff := cmp.Diff(map[string]int{"Get": 1, "Put": 2}, secrets.Calls()); diff != "" {
					t.Errorf("calls of a refresh (-want +got):\n%s", diff)
				}
				if names := secrets.Names(); len(names) != 2 {
					t.Errorf("secrets %v; want one token and the index", names)
				}
			})
		})
	}
}

func TestAWarmRefreshIsThreeCallsAndOneForThoseWhoComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &memdriver.Secrets{}
		_, id := secretStore(t, secrets, ann(10*time.Minute))
		e := &endpoint{}
		one := NewSource(tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}), tokenkeep.Token{ID: id}, e.options())
		other := NewSource(tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}), tokenkeep.Token{ID: id}, e.options())
		for _, s := range []*Source{one, other} {
			wantToken(t, s, "at0")
		}
		time.Sleep(time.Hour)
		secrets.Calls()
		wantToken(t, one, "at1")
		if diff := cmp.Diff(map[string]int{"Latest": 1, "Put": 2}, secrets.Calls()); diff != "" {
			t.Errorf("calls of a refresh (-want +got):\n%s", diff)
		}
		wantToken(t, other, "at1")
		if diff := cmp.Diff(map[string]int{"Latest": 1}, secrets.Calls()); diff != "" {
			t.Errorf("calls of the other one (-want +got):\n%s", diff)
		}
	})
}

func TestANewTokenInTheEnvironmentIsANewLogin(t *testing.T) {
	for name, query := range environments {
		if !hasCredential(query) || query.UserName == "" && query.ID == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
			e := &endpoint{rotates: true}
			wantToken(t, NewSource(store, query, e.options()), "at1")
			expire(t, store)
			e.valid = "b0"
			wantToken(t, NewSource(store, renewed(query), e.options()), "at2")
			wantSpent(t, e, "b0")
			expire(t, store)
			wantToken(t, NewSource(store, query, e.options()), "at3") // the old environment is still out there
			wantSpent(t, e, "rt2")
			if tokens, err := store.GetTokens(t.Context()); err != nil || len(tokens) != 1 {
				t.Errorf("tokens %v, error %v", tokens, err)
			}
		})
		t.Run(name+", which a plain store cannot tell from an old one", func(t *testing.T) {
			store := memstore.New()
			e := &endpoint{rotates: true}
			wantToken(t, NewSource(store, query, e.options()), "at1")
			expire(t, store)
			wantToken(t, NewSource(store, renewed(query), e.options()), "at2")
			wantSpent(t, e, "rt1")
		})
	}
}

// renewed returns a query with another credential.
func renewed(query tokenkeep.Token) tokenkeep.Token {
	if query.GrantToken != "" {
		query.GrantToken = "b0"
	} else {
		query.RefreshToken = "b0"
	}
	return query
}

// wantSpent checks the credential of the last request.
func wantSpent(t *testing.T, e *endpoint, want string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	form := e.requests[len(e.requests)-1]
	if got := form.Get("refresh_token") + form.Get("code"); got != want {
		t.Errorf("spent %q, want %q", got, want)
	}
}

func TestATokenThatALoginReplacedIsNoNewLogin(t *testing.T) {
	store, id := secretStore(t, &memdriver.Secrets{}, ann(-time.Minute))
	if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: id, RefreshToken: "b0"}); err != nil {
		t.Fatal(err)
	}
	e := &endpoint{}
	wantToken(t, NewSource(store, tokenkeep.Token{UserName: "ann", ClientID: "client", RefreshToken: "a0"}, e.options()), "at1")
	wantSpent(t, e, "b0")
}

// expire ends the access token in a store.
func expire(t *testing.T, store tokenkeep.Store) {
	t.Helper()
	tokens, err := store.GetTokens(t.Context())
	if err != nil || len(tokens) != 1 {
		t.Fatalf("tokens %v, error %v", tokens, err)
	}
	_, err = store.SaveToken(t.Context(), tokenkeep.Token{ID: tokens[0].ID, AccessToken: "expired", ExpiresAt: time.Now().Add(-time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
}

func TestQueriesThatMeanNothing(t *testing.T) {
	two := memstore.New()
	for _, client := range []string{"a", "b"} {
		if _, err := two.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", ClientID: client, RefreshToken: client}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		query tokenkeep.Token
		want  error
	}{
		{"no such user", tokenkeep.Token{UserName: "eve"}, tokenkeep.ErrNotFound},
		{"no such ID", tokenkeep.Token{ID: "99"}, tokenkeep.ErrNotFound},
		{"nothing", tokenkeep.Token{}, tokenkeep.ErrNotFound},
		{"a client without a user or an ID", tokenkeep.Token{ClientID: "a", ClientSecret: "s"}, tokenkeep.ErrNotFound},
		{"two fit", tokenkeep.Token{UserName: "ann"}, tokenkeep.ErrAmbiguous},
		{"not UTF-8", tokenkeep.Token{UserName: "\xff"}, tokenkeep.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewSource(two, tt.query, (&endpoint{}).options()).TokenContext(t.Context())
			wantErr(t, err, tt.want)
		})
	}
	t.Run("the client of the Config decides between two", func(t *testing.T) {
		o := (&endpoint{}).options()
		o.Provider, o.Config = nil, &oauth2.Config{ClientID: "b", Endpoint: oauth2.Endpoint{TokenURL: "https://accounts.test/token"}}
		wantToken(t, NewSource(two, tokenkeep.Token{UserName: "ann"}, o), "at1")
	})
}

func TestWhatTheProviderIsShown(t *testing.T) {
	stored := tokenkeep.Token{ClientID: "c", ClientSecret: "old", RefreshToken: "a0", Extra: map[string]string{"x": "1", "y": "1"}, Scopes: []string{"s"}}
	tests := []struct {
		name  string
		query tokenkeep.Token
		want  tokenkeep.Token
	}{
		{"what is stored", tokenkeep.Token{UserName: "ann"}, stored},
		{"another secret of the client", tokenkeep.Token{ClientID: "c", ClientSecret: "new"}, tokenkeep.Token{
			ClientID: "c", ClientSecret: "new", RefreshToken: "a0", Extra: map[string]string{"x": "1", "y": "1"}, Scopes: []string{"s"}}},
		{"no secret of another client", tokenkeep.Token{ID: "7", ClientID: "d", ClientSecret: "new"}, stored},
		{"never the query's credential", tokenkeep.Token{RefreshToken: "b0", GrantToken: "g0", AccessToken: "at"}, stored},
		{"the other fields", tokenkeep.Token{AccountsURL: "u", RedirectURL: "r", Scopes: []string{"t"}, Extra: map[string]string{"y": "2"}}, tokenkeep.Token{
			ClientID: "c", ClientSecret: "old", RefreshToken: "a0", AccountsURL: "u", RedirectURL: "r", Scopes: []string{"t"}, Extra: map[string]string{"x": "1", "y": "2"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := NewSource(memstore.New(), tt.query, (&endpoint{}).options()).overlaid(stored)
			if diff := cmp.Diff(encode(t, tt.want), encode(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func encode(t *testing.T, token tokenkeep.Token) string {
	t.Helper()
	data, err := tokenkeep.EncodeToken(token)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
