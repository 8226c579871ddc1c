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
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mariadbtest.M{M: m}) }

// environment has nothing that names a manager.
func environment(t *testing.T) {
	t.Helper()
	for _, name := range []string{"LOCALSTACK_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL", "AWS_PROFILE",
		"GOOGLE_APPLICATION_CREDENTIALS", "SECRET_MANAGER_EMULATOR_HOST", "MYSQL_PWD", "VAULT_ADDR", "VAULT_AGENT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE"} {
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
		{"another scheme", "redis://root:canary@host/0", "user or password"},
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
		{"a password for MySQL", "mysql://root:canary@host/db", "MYSQL_PWD"},
		{"a password with an @ for MySQL", "mysql://root:canary@canary@host/db", "MYSQL_PWD"},
		{"a password with a / for MySQL", "mysql://root:canary/canary@host/db", "not USER@"},
		{"no user for MySQL", "mysql://host/canary", "not USER@"},
		{"an empty user for MySQL", "mysql://@host/canary", "not USER@"},
		{"MySQL without a host", "mysql:canary", "no scheme that is known"},
		{"no database of MySQL", "mysql://canary@host", "name of a database"},
		{"an empty database of MySQL", "mysql://canary@host/?table=t", "name of a database"},
		{"two databases of MySQL", "mysql://u@host/canary/canary", "name of a database"},
		{"no host of MySQL", "mysql://canary@/db", "no host"},
		{"a port alone for MySQL", "mysql://canary@:3306/db", "no host"},
		{"a port that is none for MySQL", "mysql://u@host:canary/db", "no host"},
		{"a host and a socket for MySQL", "mysql://u@host/db?socket=/canary", "neither host nor tls"},
		{"TLS on a socket of MySQL", "mysql://u@/db?socket=/canary&tls=true", "neither host nor tls"},
		{"another TLS for MySQL", "mysql://u@host/db?tls=canary", "tls is none of"},
		{"an unknown parameter for MySQL", "mysql://u@host/db?password=canary", "takes socket, table, tls"},
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
		{"an emulator of Google that is a URL", "gcpsm://p/crm", "SECRET_MANAGER_EMULATOR_HOST", "http://u:canary@host", "HOST:PORT"},
		{"an emulator of Google without a port", "gcpsm://p/crm", "SECRET_MANAGER_EMULATOR_HOST", "canary", "HOST:PORT"},
		{"an emulator of Google with half a port", "gcpsm://p/crm", "SECRET_MANAGER_EMULATOR_HOST", "canary:", "HOST:PORT"},
		{"a table that MySQL does not take", "mysql://u@host/db?table=a-b", "MYSQL_PWD", "canary", "Options.Table"},
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

func TestGooglesEmulatorNeedsNoCredentials(t *testing.T) {
	environment(t)
	server, err := gcpsmtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	t.Setenv("SECRET_MANAGER_EMULATOR_HOST", server.Addr)
	for _, url := range []string{"gcpsm://my-project/crm", "gcpsm://my-project/europe-west3/crm"} {
		server.ResetCalls()
		store, err := storeurl.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", RefreshToken: "r"}); err != nil {
			t.Error(err)
		}
		if tokens, err := store.GetTokens(t.Context()); err != nil || len(tokens) != 1 || server.Calls()["CreateSecret"] == 0 {
			t.Errorf("%s: %d tokens, %v, after the calls %v; want the one that was saved here", url, len(tokens), err, server.Calls())
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAnEndedContextOpensNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := storeurl.Open(ctx, "mem:"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want Canceled", err)
	}
}
