package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// serve starts a server with a token endpoint, which replaces refresh tokens, and an API.
func serve() (server *httptest.Server, asked *int) {
	asked = new(int)
	mux := http.NewServeMux()
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		*asked++
		fmt.Fprintf(w, `{"access_token":"access-%d","refresh_token":"refresh-%[1]d","expires_in":3600}`, *asked)
	})
	mux.HandleFunc("/things", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Authorization")) })
	return httptest.NewServer(mux), asked
}

// A function with client, secret and refresh token in its environment. Each cold start makes a new source; the tokens are in the
// secrets manager.
func Example() {
	server, asked := serve()
	defer server.Close()
	for name, value := range map[string]string{"CLIENT_ID": "web", "CLIENT_SECRET": "secret", "REFRESH_TOKEN": "first", "API": server.URL} {
		defer os.Setenv(name, os.Getenv(name))
		os.Setenv(name, value)
	}
	secrets := &memdriver.Secrets{} // in production: a store of package awssm

	for range 3 {
		ctx := context.Background()
		store := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})

		client := oauth.NewSource(store, tokenkeep.Token{RefreshToken: os.Getenv("REFRESH_TOKEN")}, oauth.Options{
			Config: &oauth2.Config{
				ClientID:     os.Getenv("CLIENT_ID"),
				ClientSecret: os.Getenv("CLIENT_SECRET"),
				Endpoint:     oauth2.Endpoint{TokenURL: os.Getenv("API") + "/token"},
			},
			Hosts: []string{os.Getenv("API")},
		}).Client(ctx)

		resp, err := client.Get(os.Getenv("API") + "/things")
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(string(body), err)
	}
	fmt.Println("refreshes:", *asked)

	// Output:
	// Bearer access-1 <nil>
	// Bearer access-1 <nil>
	// Bearer access-1 <nil>
	// refreshes: 1
}

// Two processes whose token has expired refresh it once.
func ExampleNewSource() {
	server, asked := serve()
	defer server.Close()
	ctx := context.Background()
	secrets := &memdriver.Secrets{}
	_, err := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{}).SaveToken(ctx, tokenkeep.Token{
		UserName: "ann@example.com", ClientID: "web", RefreshToken: "first", AccessToken: "old", ExpiresAt: time.Now().Add(-time.Hour),
	})
	if err != nil {
		log.Fatal(err)
	}
	config := &oauth2.Config{ClientID: "web", ClientSecret: "secret", Endpoint: oauth2.Endpoint{TokenURL: server.URL + "/token"}}

	tokens := make(chan string)
	for range 2 {
		go func() {
			store := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
			source := oauth.NewSource(store, tokenkeep.Token{UserName: "ann@example.com"}, oauth.Options{Config: config})
			token, err := source.Token()
			if err != nil {
				log.Fatal(err)
			}
			tokens <- token.AccessToken
		}()
	}
	fmt.Println(<-tokens, <-tokens, "refreshes:", *asked)

	// Output:
	// access-1 access-1 refreshes: 1
}

// What went wrong is a class, and how long to wait.
func ExampleErrThrottled() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
	source := oauth.NewSource(store, tokenkeep.Token{RefreshToken: "first"}, oauth.Options{
		Config: &oauth2.Config{ClientID: "web", Endpoint: oauth2.Endpoint{TokenURL: server.URL}},
	})
	_, err := source.TokenContext(context.Background())

	var failure *tokenkeep.RefreshError
	fmt.Println(errors.Is(err, oauth.ErrThrottled), errors.As(err, &failure) && failure.RetryAfter == 2*time.Minute)
	fmt.Println(errors.Is(err, oauth.ErrReauthorize))

	// Output:
	// true true
	// false
}

// A job that keeps tokens alive whose refresh tokens would end for lying idle. Several may run at once: each token is refreshed by one.
func ExampleSource_Refresh() {
	ctx := context.Background()
	server, asked := serve()
	defer server.Close()
	store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{}) // in production: a store of package awssm
	if _, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: "first"}); err != nil {
		log.Fatal(err)
	}
	options := oauth.Options{Config: &oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: server.URL + "/token"}}}
	longAgo := time.Now().AddDate(0, -1, 0)

	for range 2 {
		for listed, err := range store.All(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			_, err := oauth.NewSource(store, tokenkeep.Token{ID: listed.ID}, options).Refresh(ctx, oauth.RefreshOptions{
				Unless: func(stored tokenkeep.Token) bool { return stored.RefreshedAt.After(longAgo) },
			})
			if errors.Is(err, oauth.ErrReauthorize) {
				fmt.Println(listed.UserName, "must log in again")
			} else if err != nil {
				log.Print(err)
			}
		}
	}
	fmt.Println("requests:", *asked)
	// Output: requests: 1
}
