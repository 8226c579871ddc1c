package storeurl_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// environment has nothing that names a manager.
func environment(t *testing.T) {
	t.Helper()
	for _, name := range []string{"LOCALSTACK_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL", "AWS_PROFILE",
		"GOOGLE_APPLICATION_CREDENTIALS", "VAULT_ADDR", "VAULT_AGENT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
}

func TestAURLThatIsNotRightIsAnsweredWithTheForms(t *testing.T) {
	environment(t)
	tests := []struct{ name, url, says string }{
		{"nothing", "", "no scheme"},
		{"a path", "canary", "no scheme"},
		{"another scheme", "mysql://root:canary@host/db", "user or password"},
		{"another scheme without a password", "redis://host/0", "scheme is not known"},
		{"mem with more", "mem:canary", "nothing follows mem:"},
		{"no file", "file:", "no path"},
		{"no database", "sqlite:", "no path"},
		{"a parameter for SQLite", "sqlite:db?key=canary", "takes none"},
		{"a password for Google", "gcpsm://user:canary@p/crm", "user or password"},
		{"no prefix for Google", "gcpsm://canary", "PROJECT"},
		{"too many parts for Google", "gcpsm://p/l/canary/more", "PROJECT"},
		{"a project that is none", "gcpsm://Canary!/crm", "PROJECT"},
		{"a parameter for Google", "gcpsm://p/crm?token=canary", "takes none"},
		{"a password for AWS", "awssm://user:canary@eu-west-1/crm", "user or password"},
		{"a password for Vault", "vault://user:canary@host/crm", "user or password"},
		{"a password for localstack", "localstack://canary@crm", "user or password"},
		{"no region", "awssm:///crm", "no region"},
		{"a prefix where the region belongs", "awssm://canary/prod", "no region"},
		{"a parameter for AWS", "awssm://eu-west-1/crm?token=canary", "takes none"},
		{"a parameter for localstack", "localstack://crm?token=canary", "takes none"},
		{"an unknown parameter for Vault", "vault://host/crm?token=canary", "takes mount"},
		{"a parameter twice", "vault://host/crm?mount=canary&mount=b", "mount is empty or given twice"},
		{"an empty parameter", "vault://host/crm?mount=", "mount is empty or given twice"},
		{"a query that is none", "vault://host/crm?mount=%zzcanary", "cannot be understood"},
		{"a host that is none", "vault://ca nary:x/crm", "no host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := storeurl.Open(t.Context(), tt.url)
			if !errors.Is(err, tokenkeep.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v; want ErrInvalid that says %q", err, tt.says)
			}
			if !strings.Contains(err.Error(), "awssm://REGION/PREFIX") || !strings.Contains(err.Error(), "mem:") {
				t.Errorf("%v does not list the forms", err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("%v repeats what may be a password", err)
			}
		})
	}
}

func TestAnEnvironmentThatIsNotRightIsNamed(t *testing.T) {
	tests := []struct{ name, url, variable, value, says string }{
		{"no endpoint for localstack", "localstack://crm", "HOME", "", "LOCALSTACK_ENDPOINT"},
		{"an endpoint with a password", "localstack://crm", "LOCALSTACK_ENDPOINT", "http://u:canary@host", "user or password"},
		{"VAULT_ADDR that is none", "vault:///crm", "VAULT_ADDR", "http://u:canary@ho st\x7f", "VAULT_"},
		{"no prefix", "localstack://", "LOCALSTACK_ENDPOINT", "http://127.0.0.1:1", "Prefix is empty"},
		{"no prefix for AWS", "awssm://eu-west-1", "HOME", "", "Prefix is empty"},
		{"no prefix for Vault", "vault://host", "HOME", "", "Prefix is empty"},
		{"a mount that Vault does not take", "vault://host/crm?mount=a//b", "HOME", "", "Mount"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			environment(t)
			t.Setenv(tt.variable, tt.value)
			_, err := storeurl.Open(t.Context(), tt.url)
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %v; want one that says %q, and no password", err, tt.says)
			}
		})
	}
}

func TestEveryFormOpensItsStore(t *testing.T) {
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	for _, url := range []string{"awssm://us-east-1/crm/prod", "localstack://crm/dev", "mem:", "file:tokens.csv", "sqlite:tokens.db"} {
		t.Run(url, func(t *testing.T) {
			environment(t)
			t.Chdir(t.TempDir())
			t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.URL)
			store, err := storeurl.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", RefreshToken: "r"}); err != nil {
				t.Error(err)
			}
			tokens, err := store.GetTokens(t.Context())
			if err != nil || len(tokens) != 1 {
				t.Errorf("%d tokens, %v; want the one that was saved here", len(tokens), err)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVaultIsAskedAtItsAddressWithItsToken(t *testing.T) {
	var paths, token string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths += " " + r.URL.Path
		token = r.Header.Get("X-Vault-Token")
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	environment(t)
	t.Setenv("VAULT_ADDR", server.URL)
	t.Setenv("VAULT_TOKEN", "canary")
	store, err := storeurl.Open(t.Context(), "vault:///crm/prod?mount=kv")
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.FindTokenByID(t.Context(), "a")
	if !errors.Is(err, tokenkeep.ErrPermission) || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v; want ErrPermission without the token", err)
	}
	if !strings.Contains(paths, "/kv") || token != "canary" {
		t.Errorf("asked at %q; want the mount kv, and the token", paths)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheHostOfAURLWinsOverTheEnvironment(t *testing.T) {
	environment(t)
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked = true
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	t.Setenv("VAULT_ADDR", server.URL)
	t.Setenv("VAULT_AGENT_ADDR", server.URL)
	t.Setenv("VAULT_MAX_RETRIES", "0")
	store, err := storeurl.Open(t.Context(), "vault://127.0.0.1:1/crm") // a port where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.FindTokenByID(t.Context(), "a"); !errors.Is(err, tokenkeep.ErrUnavailable) || asked {
		t.Errorf("error %v, VAULT_ADDR asked: %t; want ErrUnavailable and false", err, asked)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

func TestGoogleIsOpenedWithTheCredentialsOfTheEnvironment(t *testing.T) {
	environment(t)
	file := filepath.Join(t.TempDir(), "credentials.json")
	credentials := `{"type": "authorized_user", "client_id": "c", "client_secret": "canary", "refresh_token": "canary"}`
	if err := os.WriteFile(file, []byte(credentials), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	for _, url := range []string{"gcpsm://my-project/crm", "gcpsm://my-project/europe-west3/crm"} {
		store, err := storeurl.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := store.(interface {
			Verify(ctx context.Context) (tokenkeep.Report, error)
		}); !ok {
			t.Errorf("%s has no Verify", url)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := storeurl.Open(t.Context(), "gcpsm://my-project/crm.prod"); !errors.Is(err, tokenkeep.ErrInvalid) {
		t.Errorf("error %v of a prefix that Google does not take; want ErrInvalid", err)
	}
}

func TestAnEndedContextOpensNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := storeurl.Open(ctx, "mem:"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want Canceled", err)
	}
}
