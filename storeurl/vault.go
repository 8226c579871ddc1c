package storeurl

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/vault"
)

func openVault(p parts) (Store, error) {
	host, prefix, _ := strings.Cut(p.path, "/")
	if err := p.only("mount"); err != nil {
		return nil, err
	}
	cfg := api.DefaultConfig()
	if cfg.Error != nil {
		return nil, errors.New("the environment of Vault cannot be used; look at VAULT_ADDR, VAULT_CACERT and the other variables of the vault command")
	}
	if host != "" {
		cfg.Address, cfg.AgentAddress = "https://"+host, "" // VAULT_AGENT_ADDR would win otherwise
	}
	if u, err := url.Parse(cfg.Address); err != nil || u.Hostname() == "" {
		if host != "" {
			return nil, invalid("what follows vault:// is no host")
		}
		return nil, fmt.Errorf("VAULT_ADDR is no URL such as https://vault.example.com:8200: %w", tokenkeep.ErrInvalid)
	}
	client, err := api.NewClient(cfg)
	if err != nil {
		return nil, errors.New("the client of Vault cannot be made; look at the variables VAULT_*")
	}
	store, err := vault.NewStore(client, vault.Options{Mount: p.parameters.Get("mount"), Prefix: prefix})
	if err != nil {
		return nil, err
	}
	return closer{store, cfg.HttpClient.CloseIdleConnections}, nil
}
