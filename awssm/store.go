package awssm

import (
	"github.com/tokenkeep/tokenkeep"
)

// NewStore returns a store of tokens in Secrets Manager, in the account and region of client. It makes no call, and
// there is nothing to close. Options that Secrets Manager would refuse are [tokenkeep.ErrInvalid].
//
// client is an *secretsmanager.Client; package localstack makes one for development. Its retries are used: the
// SDK's default is 3 attempts.
func NewStore(client Client, o Options) (*tokenkeep.SecretStore, error) {
	s, err := newSecrets(client, o)
	if err != nil {
		return nil, err
	}
	return tokenkeep.NewSecretStore(s, o.Store), nil
}
