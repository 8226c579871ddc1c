package vault_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/vault"
)

func TestATokenOfVaultMayBeReplacedWhenItIsDead(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		o := vault.Options{Prefix: freshPrefix()}
		allowed := policy(t, vault.JobWrite, o.Prefix)
		client := server.NewClient(t, login(t, server, allowed))
		store, err := vault.NewStore(client, o)
		if err != nil {
			t.Fatal(err)
		}
		saved, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "one", RefreshToken: "r"})
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Client.Auth().Token().RevokeTreeWithContext(t.Context(), client.Token()); err != nil {
			t.Fatal(err)
		}
		_, find := store.FindTokenByID(t.Context(), saved.ID)
		saved.AccessToken = "a"
		_, save := store.SaveToken(t.Context(), saved)
		for call, err := range map[string]error{"FindTokenByID": find, "SaveToken": save, "DeleteToken": store.DeleteToken(t.Context(), saved.ID)} {
			if !errors.Is(err, tokenkeep.ErrPermission) || errors.Is(err, tokenkeep.ErrNotFound) || !strings.Contains(err.Error(), "log in again") {
				t.Errorf("%s with a revoked token = %v; want ErrPermission that says to log in again", call, err)
			}
		}
		client.SetToken(login(t, server, allowed))
		if _, err := store.FindTokenByID(t.Context(), saved.ID); err != nil {
			t.Errorf("FindTokenByID with a new token = %v; want success", err)
		}
	})
}

func TestAPolicyThatLacksARightIsNotTakenForADeadToken(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		o := vault.Options{Prefix: freshPrefix()}
		allowed, err := vault.Policy(vault.JobRead, vault.PolicyOptions{Prefix: o.Prefix, NoDefaultPolicy: true})
		if err != nil {
			t.Fatal(err)
		}
		store := newStore(t, server, login(t, server, allowed), o)
		_, err = store.SaveToken(t.Context(), tokenkeep.Token{UserName: "one", RefreshToken: "r"})
		want := `must allow "create" on the path "secret/data/` + o.Prefix + `/i_r"`
		if !errors.Is(err, tokenkeep.ErrPermission) || !strings.Contains(err.Error(), want) {
			t.Errorf("SaveToken = %v; want ErrPermission that says %q", err, want)
		}
	})
}

func TestALoginWithAWrappedSecretIDWorksOnce(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		o := vault.Options{Prefix: freshPrefix()}
		roleID, wrapped := wrappedSecretID(t, server, policy(t, vault.JobWrite, o.Prefix))
		client := server.NewClient(t, "")
		secret, err := client.Logical().UnwrapWithContext(t.Context(), wrapped)
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]any{"role_id": roleID, "secret_id": secret.Data["secret_id"]}
		token, err := client.Logical().WriteWithContext(t.Context(), "auth/approle/login", in)
		if err != nil {
			t.Fatal(err)
		}
		client.SetToken(token.Auth.ClientToken)
		store, err := vault.NewStore(client, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "one", RefreshToken: "r"}); err != nil {
			t.Error(err)
		}
		if _, err := server.NewClient(t, "").Logical().UnwrapWithContext(t.Context(), wrapped); err == nil {
			t.Error("the secret ID was unwrapped twice; want an error that tells of a thief")
		}
	})
}

// wrappedSecretID makes a role of AppRole, and a secret ID for it in a wrapping token.
func wrappedSecretID(t *testing.T, server *realvault.Instance, p vault.PolicyDocument) (roleID any, wrapped string) {
	t.Helper()
	name, admin := strings.ReplaceAll(freshPrefix(), "/", "-"), server.NewClient(t, server.RootToken)
	if err := admin.Sys().PutPolicyWithContext(t.Context(), name, p.String()); err != nil {
		t.Fatal(err)
	}
	role := "auth/approle/role/" + name
	if _, err := admin.Logical().WriteWithContext(t.Context(), role, map[string]any{"token_policies": name}); err != nil {
		t.Fatal(err)
	}
	id, err := admin.Logical().ReadWithContext(t.Context(), role+"/role-id")
	if err != nil {
		t.Fatal(err)
	}
	admin.SetWrappingLookupFunc(func(string, string) string { return "60s" })
	secret, err := admin.Logical().WriteWithContext(t.Context(), role+"/secret-id", nil)
	if err != nil {
		t.Fatal(err)
	}
	return id.Data["role_id"], secret.WrapInfo.Token
}
