package vault

import (
	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// NewStore returns a store of tokens in a KV engine of version 2. It makes no call, and there is nothing to close.
// Options that Vault would refuse are [tokenkeep.ErrInvalid].
//
// client is never changed. Its token and headers are looked up at every call, so a token that is replaced by SetToken is
// used from then on. Its address too; but its HTTP client, timeout, retries, rate limit and namespace are those that it
// has now. Callbacks of WithRequestCallbacks and WithResponseCallbacks are not called: use AddHeader.
func NewStore(client *api.Client, o Options) (*tokenkeep.SecretStore, error) {
	s, err := newSecrets(client, o)
	if err != nil {
		return nil, err
	}
	return tokenkeep.NewSecretStore(s, o.Store), nil
}

// NewSecrets returns the driver of such a store, to wrap it and hand it to [tokenkeep.NewSecretStore], or to run package
// drivertest on a server of yours. Options.Store is not used but for its Logger.
func NewSecrets(client *api.Client, o Options) (driver.Secrets, error) {
	s, err := newSecrets(client, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}
