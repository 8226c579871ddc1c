package main

import (
	"context"
	"net"
	"net/url"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
	"github.com/tokenkeep/tokenkeep/zoho"
)

const endpointHelp = `

Tokens are Zoho's. Those of another provider are refreshed at --token-url, its token endpoint, with the client ID and secret that
are stored with them.`

func endpointFlag(cmd *cobra.Command, tokenURL *string) {
	cmd.Flags().StringVar(tokenURL, "token-url", "", "`URL` of the token endpoint of a provider other than Zoho")
}

// checkEndpoint refuses what must not be sent a credential. It quotes nothing, since somebody may have written one there.
func checkEndpoint(tokenURL string) error {
	if tokenURL == "" {
		return nil
	}
	u, err := url.Parse(tokenURL)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "":
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return usage("--token-url must be https://HOST/PATH without a user (http for this machine only)")
}

func isLoopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// providerAt returns what refreshes tokens: an endpoint or, without one, Zoho. domain is where tokens are good that do not tell.
func providerAt(tokenURL, domain string) oauth.Provider {
	if tokenURL == "" {
		home, _ := zoho.DataCenterByAPIDomain(domain)
		return zoho.NewProvider(home, nil)
	}
	config := &oauth2.Config{Endpoint: oauth2.Endpoint{TokenURL: tokenURL}}
	return oauth.NewConfigProvider(config, oauth.Traits{Rotates: true}, nil) // Rotates is the careful guess
}

// counted is a provider that counts how often it is asked.
type counted struct {
	oauth.Provider
	asked atomic.Int64
}

// Ask counts, and asks.
func (c *counted) Ask(ctx context.Context, stored tokenkeep.Token) (tokenkeep.Token, error) {
	c.asked.Add(1)
	return c.Provider.Ask(ctx, stored)
}
