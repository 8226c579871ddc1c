package realvault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"
)

// onEach runs a test on each server.
func onEach(t *testing.T, test func(*testing.T, *Instance)) {
	for _, server := range Servers() {
		t.Run(string(server), func(t *testing.T) { test(t, Start(t, server)) })
	}
}

// status is the status code of what a server answered, or 0 if err is no such answer.
func status(err error) int {
	var response *api.ResponseError
	if !errors.As(err, &response) {
		return 0
	}
	return response.StatusCode
}

func TestVersion2ComparesAndSwaps(t *testing.T) {
	onEach(t, func(t *testing.T, instance *Instance) {
		secret, name := instance.Client.KVv2("secret"), rand.Text()
		put := func(value string, cas int) error {
			_, err := secret.Put(t.Context(), name, map[string]any{"value": value}, api.WithCheckAndSet(cas))
			return err
		}
		if err := put("first", 0); err != nil {
			t.Fatal(err)
		}
		if err := put("late", 0); status(err) != http.StatusBadRequest {
			t.Errorf("a second create gives %v; want the status 400", err)
		}
		if err := put("second", 1); err != nil {
			t.Error(err)
		}
		got, err := secret.Get(t.Context(), name)
		if err != nil || got.Data["value"] != "second" || got.VersionMetadata.Version != 2 {
			t.Errorf("Get = %v, %v; want version 2, which is second", got, err)
		}
	})
}

func TestOneEntryHasTheLimitOfIntegratedStorage(t *testing.T) {
	for _, server := range Built() {
		client := Start(t, server).Client
		client.SetMaxRetries(0)
		for size, want := range map[int]string{1_040_000: "", 1 << 20: "value being too large"} {
			_, err := client.KVv2("secret").Put(t.Context(), "limit/a", map[string]any{"value": strings.Repeat("x", size)})
			if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %d bytes give %v; want %q", server, size, err, want)
			}
		}
	}
}

func TestVersion1IsMountedBeside(t *testing.T) {
	onEach(t, func(t *testing.T, instance *Instance) {
		if err := instance.Client.KVv1("kv1").Put(t.Context(), "a", map[string]any{"value": "x"}); err != nil {
			t.Fatal(err)
		}
		got, err := instance.Client.KVv1("kv1").Get(t.Context(), "a")
		if err != nil || got.Data["value"] != "x" || got.VersionMetadata != nil {
			t.Errorf("Get = %v, %v; want x without a version", got, err)
		}
	})
}

func TestAppRoleLogsInToItsPolicyOnly(t *testing.T) {
	onEach(t, func(t *testing.T, instance *Instance) {
		root, name := instance.Client.Logical(), rand.Text()
		if err := instance.Client.Sys().PutPolicy(name, fmt.Sprintf(`path "secret/data/%s" { capabilities = ["create"] }`, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := root.Write("auth/approle/role/"+name, map[string]any{"token_policies": name, "token_no_default_policy": true}); err != nil {
			t.Fatal(err)
		}
		role, err := root.Read("auth/approle/role/" + name + "/role-id")
		if err != nil {
			t.Fatal(err)
		}
		wrapping := instance.NewClient(t, instance.RootToken)
		wrapping.SetWrappingLookupFunc(func(string, string) string { return "1m" })
		wrapped, err := wrapping.Logical().Write("auth/approle/role/"+name+"/secret-id", nil)
		if err != nil {
			t.Fatal(err)
		}
		client := instance.NewClient(t, "")
		secretID, err := client.Logical().Unwrap(wrapped.WrapInfo.Token)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Logical().Unwrap(wrapped.WrapInfo.Token); status(err) != http.StatusBadRequest {
			t.Errorf("a second Unwrap gives %v; want the status 400", err)
		}
		login := map[string]any{"role_id": role.Data["role_id"], "secret_id": secretID.Data["secret_id"]}
		answer, err := client.Logical().Write("auth/approle/login", login)
		if err != nil {
			t.Fatal(err)
		}
		client.SetToken(answer.Auth.ClientToken)
		if _, err := client.KVv2("secret").Put(t.Context(), name, map[string]any{"value": "x"}); err != nil {
			t.Error(err)
		}
		if _, err := client.KVv2("secret").Get(t.Context(), name); status(err) != http.StatusForbidden {
			t.Errorf("a read gives %v; want the status 403", err)
		}
	})
}

func TestUserpassLogsIn(t *testing.T) {
	onEach(t, func(t *testing.T, instance *Instance) {
		if _, err := instance.Client.Logical().Write("auth/userpass/users/ann", map[string]any{"password": "p"}); err != nil {
			t.Fatal(err)
		}
		client := instance.NewClient(t, "")
		if _, err := client.Logical().Write("auth/userpass/login/ann", map[string]any{"password": "p"}); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenBaoHasNamespaces(t *testing.T) {
	instance := Start(t, OpenBao)
	if _, err := instance.Client.Logical().Write("sys/namespaces/team-a", nil); err != nil {
		t.Fatal(err)
	}
	team := instance.Client.WithNamespace("team-a")
	if err := team.Sys().Mount("secret", &api.MountInput{Type: "kv", Options: map[string]string{"version": "1"}}); err != nil {
		t.Fatal(err)
	}
	if err := team.KVv1("secret").Put(t.Context(), "a", map[string]any{"value": "x"}); err != nil {
		t.Error(err)
	}
	if got, err := instance.Client.Logical().Read("team-a/secret/a"); err != nil || got == nil || got.Data["value"] != "x" {
		t.Errorf("Read = %v, %v; want what was put", got, err)
	}
}
