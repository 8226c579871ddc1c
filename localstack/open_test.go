package localstack_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/internal/mototest"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/storetest"
)

// environment sets the variables that Open reads, and empties the others of them.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, variable := range []string{
		"LOCALSTACK_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	} {
		t.Setenv(variable, set[variable])
	}
}

func open(t *testing.T, prefix string) *localstack.Store {
	t.Helper()
	store, err := localstack.Open(t.Context(), awssm.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestWithoutAnEndpointAStoreHasAServerOfItsOwn(t *testing.T) {
	environment(t, nil)
	a, b := open(t, "crm/dev"), open(t, "crm/dev")
	if a.URL == b.URL || !strings.HasPrefix(a.URL, "http://127.0.0.1:") {
		t.Errorf("two stores are on %q and %q; want two ports of 127.0.0.1", a.URL, b.URL)
	}
	saved, err := a.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", RefreshToken: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.FindTokenByID(t.Context(), saved.ID); !errors.Is(err, tokenkeep.ErrNotFound) {
		t.Errorf("the other store answers %v; want %v", err, tokenkeep.ErrNotFound)
	}
}

func TestCloseEndsTheServerAndMayBeRepeated(t *testing.T) {
	environment(t, nil)
	store := open(t, "crm/dev")
	for range 2 {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if response, err := http.Get(store.URL); err == nil {
		_ = response.Body.Close()
		t.Errorf("somebody still answers on %s", store.URL)
	}
}

func TestTheFirstVariableThatIsSetNamesTheEndpoint(t *testing.T) {
	server := startServer(t)
	const other = "http://127.0.0.1:1"
	tests := []struct {
		name string
		set  map[string]string
	}{
		{"LocalStack's own", map[string]string{"LOCALSTACK_ENDPOINT": server.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER": other, "AWS_ENDPOINT_URL": other}},
		{"the one of the service", map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL, "AWS_ENDPOINT_URL": other}},
		{"the one of all services", map[string]string{"AWS_ENDPOINT_URL": server.URL}},
		{"one with a slash at its end", map[string]string{"AWS_ENDPOINT_URL": server.URL + "/"}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, tt.set)
			prefix := fmt.Sprintf("crm/dev%d", i)
			token := tokenkeep.Token{ID: "1", UserName: "ann", RefreshToken: "r"}
			if _, err := open(t, prefix).SaveToken(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			secret := sm{secretsmanager.NewFromConfig(server.Config()), t}
			if _, err := secret.get(prefix + "/t_p1"); err != nil {
				t.Errorf("the token is not on the server: %v", err)
			}
		})
	}
}

func TestAnEndpointThatIsNoneIsRefusedByTheNameOfItsVariable(t *testing.T) {
	tests := []struct{ name, endpoint, says string }{
		{"a host alone", "localhost:4566", "neither http:// nor https://"},
		{"a port that is no number", "http://127.0.0.1:canary", "no URL"},
		{"a port that is too high", "http://127.0.0.1:65536", "1 to 65535"},
		{"no host", "http://", "no host"},
		{"a port without a host", "http://:4566", "no host"},
		{"another scheme", "ftp://127.0.0.1", "neither http:// nor https://"},
		{"a user and a password", "http://canary:canary@127.0.0.1:4566", "a user or password"},
		{"a password in what is no URL", "http://canary:canary@127.0.0.1:4566:", "no URL"},
		{"a query", "http://127.0.0.1:4566/?canary", "a query"},
		{"a control character", "http://127.0.0.1\n", "no URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, map[string]string{"AWS_ENDPOINT_URL": tt.endpoint})
			_, err := localstack.Open(t.Context(), awssm.Options{Prefix: "crm/dev"})
			_, configErr := localstack.ConfigFor(tt.endpoint)
			if !strings.Contains(fmt.Sprint(err), "AWS_ENDPOINT_URL") {
				t.Errorf("Open: error %v; want it to name the variable", err)
			}
			for _, err := range []error{err, configErr} {
				if !errors.Is(err, tokenkeep.ErrInvalid) || !strings.Contains(fmt.Sprint(err), tt.says) {
					t.Errorf("error %v; want %q and that it says %q", err, tokenkeep.ErrInvalid, tt.says)
				}
				if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "canary") {
					t.Errorf("error %v repeats the endpoint", err)
				}
			}
		})
	}
}

func TestRegionAndCredentialsComeFromTheEnvironment(t *testing.T) {
	tests := []struct {
		name                         string
		set                          map[string]string
		region, key, secret, session string
	}{
		{"dummies where there is nothing", nil, "us-east-1", "test", "test", ""},
		{"dummies where the secret is missing", map[string]string{"AWS_ACCESS_KEY_ID": "k", "AWS_SESSION_TOKEN": "t"}, "us-east-1", "test", "test", ""},
		{"credentials that are there", map[string]string{"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}, "us-east-1", "k", "s", "t"},
		{"the default region", map[string]string{"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1", "test", "test", ""},
		{"the region before the default one", map[string]string{"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-central-1"}, "eu-central-1", "test", "test", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			environment(t, tt.set)
			cfg, err := localstack.ConfigFor("http://127.0.0.1:4566")
			if err != nil {
				t.Fatal(err)
			}
			got, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil || got.AccessKeyID != tt.key || got.SecretAccessKey != tt.secret || got.SessionToken != tt.session {
				t.Errorf("credentials of key %q, error %v; want key %q", got.AccessKeyID, err, tt.key)
			}
			if cfg.Region != tt.region {
				t.Errorf("region %q; want %q", cfg.Region, tt.region)
			}
		})
	}
}

func TestOpenRefusesBadOptionsAndAContextThatHasEnded(t *testing.T) {
	environment(t, nil) // what is left of the server that was started would fail TestMain
	if _, err := localstack.Open(t.Context(), awssm.Options{}); !errors.Is(err, tokenkeep.ErrInvalid) {
		t.Errorf("Open without a prefix: %v; want %v", err, tokenkeep.ErrInvalid)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := localstack.Open(ended, awssm.Options{Prefix: "crm/dev"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v; want %v", err, context.Canceled)
	}
}

func TestAStoreThatPrintsShowsNoCredential(t *testing.T) {
	environment(t, nil)
	store := open(t, "crm/dev")
	if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", RefreshToken: "canary"}); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb+verb, store, *store); strings.Contains(text, "canary") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func TestStoresOnOneEndpointKeepTheRulesOfAStore(t *testing.T) {
	environment(t, map[string]string{"LOCALSTACK_ENDPOINT": startServer(t).URL})
	n := 0
	storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
		n++
		prefix := fmt.Sprintf("crm/dev%d", n)
		return func() tokenkeep.Store { return open(t, prefix) }
	}, storetest.Limits{})
}

func TestAStoreOnMotoLeavesItsTokensThere(t *testing.T) {
	environment(t, map[string]string{"AWS_ENDPOINT_URL": mototest.Start(t)})
	store := open(t, "crm/dev")
	saved, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", RefreshToken: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, "crm/dev")
	if found, err := again.FindToken(t.Context(), tokenkeep.Token{UserName: "ann"}); err != nil || found.ID != saved.ID {
		t.Errorf("another store finds token %q, error %v; want %q", found.ID, err, saved.ID)
	}
	if err := again.DeleteTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tokens, err := again.GetTokens(t.Context()); err != nil || len(tokens) != 0 {
		t.Errorf("%d tokens are left, error %v; want none", len(tokens), err)
	}
}

// A program under development keeps its tokens in a server of its own, or in the LocalStack that LOCALSTACK_ENDPOINT
// names.
func ExampleOpen() {
	ctx := context.Background()
	store, err := localstack.Open(ctx, awssm.Options{Prefix: "crm/dev"})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()

	saved, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann", ClientID: "web", RefreshToken: "1000.secret"})
	if err != nil {
		log.Fatal(err)
	}
	found, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.ID == saved.ID, found.ClientID)
	// Output: true web
}
