package vault_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/vault"
)

func TestAMountThatIsNoKVOfVersion2IsNamedBeforeAnythingIsWritten(t *testing.T) {
	tests := []struct {
		name, mount, says string
		is                error
	}{
		{"version 1", "kv1", `"vault kv enable-versioning kv1"`, driver.ErrInvalid},
		{"missing", "nowhere", `there is no mount "nowhere"`, driver.ErrPermission},
		{"another engine", "sys", `"system"`, driver.ErrInvalid},
		{"like version 1", "cubbyhole", `"cubbyhole"`, driver.ErrInvalid},
		{"a folder of a mount", "secret/team", `is a folder in the mount "secret"`, driver.ErrInvalid},
	}
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				o := vault.Options{Mount: tt.mount, Prefix: freshPrefix()}
				d := newDriver(t, server, server.RootToken, o)
				_, latest := d.Latest(t.Context(), "a")
				_, many := d.GetMany(t.Context(), []string{"a", "b"})
				_, create := d.Put(t.Context(), "a", []byte("one"), "")
				var list error
				for _, err := range d.(driver.Lister).List(t.Context()) {
					list = err
				}
				remove := d.Delete(t.Context(), "a")
				for method, err := range map[string]error{"Latest": latest, "GetMany": many, "Put": create, "List": list, "Delete": remove} {
					if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
						t.Errorf("%s = %v; want %v that says %q", method, err, tt.is, tt.says)
					}
				}
				found, err := server.Client.Logical().ListWithContext(t.Context(), tt.mount+"/"+o.Prefix)
				if err == nil && found != nil && len(found.Data) > 0 {
					t.Errorf("something was written: %v", found.Data)
				}
			})
		}
	})
}

// mount makes a KV engine of version 2.
func mount(t *testing.T, client *api.Client, path string) {
	t.Helper()
	input := &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}}
	if err := client.Sys().MountWithContext(t.Context(), path, input); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Sys().Unmount(path) })
}

func TestAStoreWorksOnAMountThatWasJustMade(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		path := "kv-" + strings.TrimPrefix(freshPrefix(), "test/") + "/inner"
		mount(t, server.Client, path)
		store := newStore(t, server, server.RootToken, vault.Options{Mount: "/" + path + "/", Prefix: "p"})
		saved, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "one", RefreshToken: "r"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.FindTokenByID(t.Context(), saved.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestDriverOnAMountThatRequiresCheckAndSet(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		path := "kv-" + strings.TrimPrefix(freshPrefix(), "test/")
		mount(t, server.Client, path)
		eventually(t, func() error { // until the engine has been upgraded
			_, err := server.Client.Logical().WriteWithContext(t.Context(), path+"/config", map[string]any{"cas_required": true, "max_versions": 2})
			return err
		})
		drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
			o := vault.Options{Mount: path, Prefix: freshPrefix()}
			return func() driver.Secrets { return newDriver(t, server, server.RootToken, o) }
		})
	})
}

// eventually repeats what needs a moment.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for range 200 {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func TestNamespacesOfOneMountAreStoresOfTheirOwn(t *testing.T) {
	if realvault.Servers()[0] == realvault.External {
		t.Skip("the external server may have no namespaces")
	}
	server := realvault.Start(t, realvault.OpenBao)
	prefix := freshPrefix()
	stores := map[string]*tokenkeep.SecretStore{"": newStore(t, server, server.RootToken, vault.Options{Prefix: prefix})}
	parent := strings.TrimPrefix(freshPrefix(), "test/")
	for _, namespace := range []string{parent, parent + "/inner"} {
		above, name := "", namespace
		if i := strings.LastIndexByte(namespace, '/'); i >= 0 {
			above, name = namespace[:i], namespace[i+1:]
		}
		admin := server.NewClient(t, server.RootToken)
		admin.SetNamespace(above)
		if _, err := admin.Logical().WriteWithContext(t.Context(), "sys/namespaces/"+name, nil); err != nil {
			t.Fatal(err)
		}
		admin.SetNamespace(namespace)
		mount(t, admin, "secret")
		stores[namespace] = newStore(t, server, server.RootToken, vault.Options{Prefix: prefix, Namespace: "/" + namespace + "/"})
	}
	for namespace, store := range stores {
		if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: "one", UserName: namespace + "@", RefreshToken: "r-" + namespace}); err != nil {
			t.Fatalf("in %q: %v", namespace, err)
		}
	}
	for namespace, store := range stores {
		if got, err := store.FindTokenByID(t.Context(), "one"); err != nil || got.RefreshToken != "r-"+namespace {
			t.Errorf("the token in %q is that of %q, %v", namespace, got.UserName, err)
		}
	}
	_, err := newStore(t, server, server.RootToken, vault.Options{Prefix: prefix, Namespace: "nowhere"}).GetTokens(t.Context())
	if err == nil || errors.Is(err, tokenkeep.ErrNotFound) || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("GetTokens in a namespace that is not there = %v; want an error that names it", err)
	}
}
