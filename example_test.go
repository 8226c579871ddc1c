package tokenkeep_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/memstore"
	"github.com/tokenkeep/tokenkeep/zoho"
)

// newClient is printed in README.md; TestTheREADMEShowsCodeThatRuns compares the two.
func newClient(ctx context.Context) (*http.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx) // region and credentials, as in any AWS program
	if err != nil {
		return nil, err
	}
	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), awssm.Options{Prefix: "crm/prod"})
	if err != nil {
		return nil, err
	}
	return zoho.NewClient(ctx, store, tokenkeep.Token{
		ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
		ClientSecret: os.Getenv("ZOHO_CLIENT_SECRET"),
		RefreshToken: os.Getenv("ZOHO_REFRESH_TOKEN"),
		APIDomain:    zoho.EU.APIDomain,
	})
}

// The Lambda function of the README, started three times: one refresh is enough for all. Secrets Manager is inside this
// process, and so is Zoho.
func Example_lambda() {
	server, err := localstack.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	defer setEnv(map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL, "AWS_REGION": "us-east-1", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"ZOHO_CLIENT_ID": "1000.X", "ZOHO_CLIENT_SECRET": "secret", "ZOHO_REFRESH_TOKEN": "1000.refresh",
	})()
	real, fake := http.DefaultTransport, &fakeZoho{}
	http.DefaultTransport = fake
	defer func() { http.DefaultTransport = real }()

	for range 3 { // cold starts
		client, err := newClient(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		resp, err := client.Get("https://www.zohoapis.eu/crm/v8/org")
		if err != nil {
			log.Fatal(err)
		}
		_ = resp.Body.Close()
		fmt.Println(resp.Status)
	}
	fmt.Println("refreshes:", fake.refreshes)

	// Output:
	// 200 OK
	// 200 OK
	// 200 OK
	// refreshes: 1
}

// fakeZoho is Zoho's accounts server and its API, without a network.
type fakeZoho struct{ refreshes int }

func (z *fakeZoho) RoundTrip(req *http.Request) (*http.Response, error) {
	status, body := http.StatusUnauthorized, `{"code":"INVALID_TOKEN"}`
	switch {
	case req.URL.Host == "accounts.zoho.eu":
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		z.refreshes++
		status, body = http.StatusOK, `{"access_token":"1000.access","expires_in":3600,"api_domain":"https://www.zohoapis.eu"}`
	case req.Header.Get("Authorization") == "Zoho-oauthtoken 1000.access":
		status, body = http.StatusOK, `{"org":[]}`
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// setEnv sets variables of the environment, and returns what puts them back.
func setEnv(values map[string]string) (restore func()) {
	old := map[string]string{}
	for name, value := range values {
		old[name] = os.Getenv(name)
		_ = os.Setenv(name, value)
	}
	return func() {
		for name, value := range old {
			_ = os.Setenv(name, value)
		}
	}
}

// keepToken is printed in README.md; TestTheREADMEShowsCodeThatRuns compares the two.
func keepToken(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx) // region and credentials, as in any AWS program
	if err != nil {
		return err
	}
	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), awssm.Options{Prefix: "crm/prod"})
	if err != nil {
		return err
	}

	ann := tokenkeep.Token{UserName: "ann@example.com", ClientID: "1000.X", RefreshToken: "1000.secret"}
	if _, err := store.SaveToken(ctx, ann); err != nil { // after her login, in whatever process
		return err
	}
	token, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann@example.com", ClientID: "1000.X"})
	if err != nil {
		return err
	}
	fmt.Println(token) // prints no credential

	token.AccessToken, token.ExpiresAt = "1000.access", time.Now().Add(time.Hour) // after a refresh
	_, err = store.SaveToken(ctx, token)
	return err
}

// The second program of the README, on a Secrets Manager inside this process: nothing but the environment differs from AWS.
func Example_secretsManager() {
	server, err := localstack.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	defer setEnv(map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL, "AWS_REGION": "us-east-1", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	})()
	if err := keepToken(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println("secrets made:", server.Calls()["CreateSecret"])

	// Output:
	// Token{id: "5h8920jsvcf2uv8kmaqd8rhu", user_name: "ann@example.com", client_id: "1000.X", refresh_token: "[redacted]"}
	// secrets made: 2
}

// Two processes that save the same new user at the same moment make one token.
func ExampleSecretStore_SaveToken() {
	ctx := context.Background()
	secrets := &memdriver.Secrets{} // in production: a store of package awssm
	one := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})
	other := tokenkeep.NewSecretStore(secrets, tokenkeep.Options{})

	done := make(chan error)
	for _, store := range []*tokenkeep.SecretStore{one, other} {
		go func() {
			_, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: "1000.secret"})
			done <- err
		}()
	}
	fmt.Println(<-done, <-done)
	tokens, err := one.GetTokens(ctx)
	fmt.Println(len(tokens), err)

	// Output:
	// <nil> <nil>
	// 1 <nil>
}

// SaveToken keeps what is stored where a field is empty; UpdateToken stores a token whole, and so can clear a field.
func ExampleSecretStore_UpdateToken() {
	ctx := context.Background()
	store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
	saved, err := store.SaveToken(ctx, tokenkeep.Token{ID: "42", UserName: "ann", RefreshToken: "1000.secret", AccessToken: "1000.access"})
	if err != nil {
		log.Fatal(err)
	}
	updated, err := store.UpdateToken(ctx, saved.ID, func(t tokenkeep.Token) (tokenkeep.Token, error) {
		t.AccessToken, t.ExpiresAt = "", time.Time{}
		return t, nil
	})
	fmt.Println(updated, err)

	_, err = store.UpdateToken(ctx, "43", func(t tokenkeep.Token) (tokenkeep.Token, error) { return t, nil })
	fmt.Println(errors.Is(err, tokenkeep.ErrNotFound), err)

	// Output:
	// Token{id: "42", user_name: "ann", refresh_token: "[redacted]"} <nil>
	// true tokenkeep: update token "43": secret "t_p43": not found
}

func ExampleSecretStore_All() {
	ctx := context.Background()
	store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
	for _, user := range []string{"ann", "bob"} {
		if _, err := store.SaveToken(ctx, tokenkeep.Token{ID: "id-of-" + user, UserName: user, RefreshToken: "1000." + user}); err != nil {
			log.Fatal(err)
		}
	}
	for token, err := range store.All(ctx) {
		if err != nil { // of one token, if token.ID is set: the others follow
			log.Print(err)
			continue
		}
		fmt.Println(token.ID, token.UserName)
	}

	// Output:
	// id-of-ann ann
	// id-of-bob bob
}

// A query means one token, or it is an error that says what to add.
func ExampleStore() {
	ctx := context.Background()
	var store tokenkeep.Store = memstore.New()
	for _, client := range []string{"web", "batch"} {
		if _, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann", ClientID: client, RefreshToken: "1000." + client}); err != nil {
			log.Fatal(err)
		}
	}
	_, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann"})
	fmt.Println(err)
	token, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann", ClientID: "batch"})
	fmt.Println(token, err)

	// Output:
	// tokenkeep: find token: tokens "1", "2" fit; name one by its ID, or give user, client and API domain: ambiguous
	// Token{id: "2", user_name: "ann", client_id: "batch", refresh_token: "[redacted]"} <nil>
}

func ExampleError() {
	store := tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
	_, err := store.FindTokenByID(context.Background(), "Ann's")

	var detail *tokenkeep.Error
	if errors.As(err, &detail) {
		fmt.Println(detail.Op, "|", detail.ID, "|", detail.Secret)
	}
	fmt.Println(errors.Is(err, tokenkeep.ErrNotFound))

	// Output:
	// find token | Ann's | t_x85n6s9rj
	// true
}

// EncodeToken is for export and backup: what it writes holds the credentials.
func ExampleEncodeToken() {
	data, err := tokenkeep.EncodeToken(tokenkeep.Token{
		ID: "1", UserName: "ann", AccessToken: "1000.access",
		ExpiresAt: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(data))

	// Output:
	// {"tokenkeep":1,"kind":"token","id":"1","user_name":"ann","access_token":"1000.access","expiry_time":"2026-01-02T15:04:05Z"}
}

// DecodeToken also reads tokens as Zoho's SDKs write them, with the expiry in epoch milliseconds.
func ExampleDecodeToken() {
	token, err := tokenkeep.DecodeToken([]byte(`{"id": "7", "user_name": "ann", "access_token": "1000.access", "expires_in": "1767366245000"}`))
	fmt.Println(token, err)

	_, err = tokenkeep.DecodeToken([]byte(token.String()))
	fmt.Println(errors.Is(err, tokenkeep.ErrInvalid)) // what was printed has no credentials left

	// Output:
	// Token{id: "7", user_name: "ann", access_token: "[redacted]", expiry_time: "2026-01-02T15:04:05Z"} <nil>
	// true
}

// A List is the rules of Store on tokens that lie in one place: lock, load, call a method, keep the outcome.
func ExampleList() {
	list, err := tokenkeep.NewList([]tokenkeep.Token{{ID: "a", UserName: "ann", RefreshToken: "1000.ann"}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := list.Save(tokenkeep.Token{UserName: "ann", AccessToken: "1000.access"}); err != nil {
		log.Fatal(err)
	}
	var lines []string
	for _, token := range list.Tokens() {
		lines = append(lines, token.String())
	}
	fmt.Println(strings.Join(lines, "\n"))

	// Output:
	// Token{id: "a", user_name: "ann", refresh_token: "[redacted]", access_token: "[redacted]"}
}
