package vault_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/vault"
)

// readable returns the payloads of versions 1 to n of a secret that can still be read.
func readable(t *testing.T, server *realvault.Instance, path string, n int) (payloads []string) {
	t.Helper()
	for version := 1; version <= n; version++ {
		secret, err := server.Client.KVv2("secret").GetVersion(t.Context(), path, version)
		if err == nil && secret.Data != nil {
			payloads = append(payloads, secret.Data["payload"].(string))
		}
	}
	return payloads
}

func TestOnlyTheCurrentVersionIsReadableAndNoneAfterADelete(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		d := newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix})
		var rev driver.Revision
		for _, payload := range []string{"one", "two", "three"} {
			rev = put(t, d, payload, rev)
		}
		if got := readable(t, server, prefix+"/a", 3); len(got) != 1 || got[0] != "three" {
			t.Errorf("readable are %q; want the current version only", got)
		}
		if err := d.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if got := readable(t, server, prefix+"/a", 5); len(got) != 0 {
			t.Errorf("readable after the delete are %q; want nothing", got)
		}
	})
}

func TestADeleteTakesAlongWhatOthersLeft(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		kv := server.Client.KVv2("secret")
		for _, payload := range []string{"one", "two", "three"} {
			if _, err := kv.Put(t.Context(), prefix+"/a", map[string]any{"payload": payload}); err != nil {
				t.Fatal(err)
			}
		}
		if err := kv.Delete(t.Context(), prefix+"/a"); err != nil { // which undelete would bring back
			t.Fatal(err)
		}
		d := newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix})
		if _, err := d.Latest(t.Context(), "a"); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("Latest of a soft-deleted secret = %v; want ErrNotFound", err)
		}
		if err := d.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		_ = kv.Undelete(t.Context(), prefix+"/a", []int{1, 2, 3})
		if got := readable(t, server, prefix+"/a", 5); len(got) != 0 {
			t.Errorf("readable after the delete are %q; want nothing", got)
		}
	})
}

func TestACreateOverWhatSomebodySoftDeletedWorks(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		d := newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix})
		put(t, d, "one", "")
		if err := server.Client.KVv2("secret").Delete(t.Context(), prefix+"/a"); err != nil {
			t.Fatal(err)
		}
		put(t, d, "two", "")
		_ = server.Client.KVv2("secret").Undelete(t.Context(), prefix+"/a", []int{1})
		if got := readable(t, server, prefix+"/a", 2); len(got) != 1 || got[0] != "two" {
			t.Errorf("readable are %q; want the new one", got)
		}
	})
}

// Another handle read version 1; then the metadata was deleted by hand, and there is a version 1 again.
func TestARevisionOfAFormerLifeConflictsAfterADeleteOfTheMetadataByHand(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		d := newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix})
		old := put(t, d, "one", "")
		if err := server.Client.KVv2("secret").DeleteMetadata(t.Context(), prefix+"/a"); err != nil {
			t.Fatal(err)
		}
		put(t, d, "a new life", "")
		other := newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix})
		if _, err := other.Put(t.Context(), "a", []byte("intruder"), old); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("Put = %v; want ErrConflict", err)
		}
		if got, err := d.Latest(t.Context(), "a"); err != nil || string(got.Payload) != "a new life" {
			t.Errorf("Latest = %q, %v; want the new life", got.Payload, err)
		}
	})
}

func TestAForeignSecretIsShownAsItIs(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		d := newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix})
		for name, data := range map[string]map[string]any{`{"password":"x"}`: {"password": "x"}, "null": nil} {
			if _, err := server.Client.KVv2("secret").Put(t.Context(), prefix+"/a", data); err != nil {
				t.Fatal(err)
			}
			got, err := d.Latest(t.Context(), "a")
			if err != nil || string(got.Payload) != name {
				t.Errorf("Latest = %q, %v; want %q for the caller to refuse", got.Payload, err, name)
			}
		}
	})
}

func TestAListLeavesOutFoldersAndNamesWhatIsDeletedOrForeign(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		kv := server.Client.KVv2("secret")
		for _, name := range []string{"folder/x", "with space", "with space/x", "dead space"} {
			if _, err := kv.Put(t.Context(), prefix+"/"+name, map[string]any{"a": "b"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := kv.Delete(t.Context(), prefix+"/dead space"); err != nil {
			t.Fatal(err)
		}
		var names []string
		for name, err := range newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix}).(driver.Lister).List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"dead space", "with space"}) {
			t.Errorf("List = %q; want the two secrets of this folder, the deleted one too", names)
		}
	})
}

func TestASecretOverTheStoragesLimitIsErrTooLarge(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		client := server.NewClient(t, server.RootToken)
		client.SetMaxRetries(0) // a 500, which would be repeated
		d, err := vault.NewSecrets(client, vault.Options{Prefix: freshPrefix(), MaxPayload: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Put(t.Context(), "a", []byte(strings.Repeat("x", 1<<20)), ""); !errors.Is(err, driver.ErrTooLarge) {
			t.Errorf("Put of 1 MiB = %v; want ErrTooLarge", err)
		}
		put(t, d, strings.Repeat("x", 1_040_000), "")
	})
}

func put(t *testing.T, d driver.Secrets, payload string, rev driver.Revision) driver.Revision {
	t.Helper()
	next, err := d.Put(t.Context(), "a", []byte(payload), rev)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestForgetDeletedLeavesNoNameOfADeletedToken(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		prefix := freshPrefix()
		store := newStore(t, server, server.RootToken, vault.Options{Prefix: prefix})
		for _, id := range []string{"alive", "gone"} {
			if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: id, RefreshToken: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.DeleteToken(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		if n, err := store.ForgetDeleted(t.Context()); n != 1 || err != nil {
			t.Errorf("%d forgotten, %v; want 1", n, err)
		}
		var names []string
		for name, err := range newDriver(t, server, server.RootToken, vault.Options{Prefix: prefix}).(driver.Lister).List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		if slices.Sort(names); !slices.Equal(names, []string{"i_r", "t_palive"}) {
			t.Errorf("the names are %q; want the index and the token that is there", names)
		}
		if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: "gone", RefreshToken: "again"}); err != nil {
			t.Error(err)
		}
	})
}
