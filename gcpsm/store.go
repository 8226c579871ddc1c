package gcpsm

import (
	secretmanager "cloud.google.com/go/secretmanager/apiv1"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// NewStore returns a store of tokens in Secret Manager. It makes no call, and there is nothing to close but the client,
// which is the caller's. What Secret Manager would refuse is [tokenkeep.ErrInvalid].
//
// parent is "projects/P" for secrets that are replicated, or "projects/P/locations/L" for regional ones. A client of regional
// secrets must have the endpoint of their location: option.WithEndpoint("secretmanager.L.rep.googleapis.com:443"). P is the
// ID or the number of the project.
//
// The call options of the client count but for its retries, which are this package's own.
func NewStore(client *secretmanager.Client, parent string, o Options) (*tokenkeep.SecretStore, error) {
	s, err := newSecrets(client, parent, o)
	if err != nil {
		return nil, err
	}
	return tokenkeep.NewSecretStore(s, o.Store), nil
}

// NewSecrets returns the driver of such a store, to wrap it and hand it to [tokenkeep.NewSecretStore]. Options.Store is not
// used but for its Logger.
func NewSecrets(client *secretmanager.Client, parent string, o Options) (driver.Secrets, error) {
	s, err := newSecrets(client, parent, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}
