package vault_test

import (
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/storetest"
	"github.com/tokenkeep/tokenkeep/vault"
)

func TestDriver(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
			o := vault.Options{Prefix: freshPrefix()}
			return func() driver.Secrets { return newDriver(t, server, server.RootToken, o) }
		})
	})
}

func TestStore(t *testing.T) {
	onServers(t, func(t *testing.T, server *realvault.Instance) {
		storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
			o := vault.Options{Prefix: freshPrefix()}
			return func() tokenkeep.Store { return newStore(t, server, server.RootToken, o) }
		}, storetest.Limits{})
	})
}

func newStore(t *testing.T, server *realvault.Instance, token string, o vault.Options) *tokenkeep.SecretStore {
	t.Helper()
	store, err := vault.NewStore(server.NewClient(t, token), o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}
