package zoho

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
)

// Options of a source. The zero value works.
type Options struct {
	// DataCenter is where tokens are refreshed that do not tell themselves; the package comment has the order. Give
	// AccountsURL and APIDomain of one that this package does not know. The zero value leaves it to a guess: US.
	DataCenter DataCenter

	// OAuth are the options of the source. Provider is set by NewSource, so Config must stay empty. Hosts that are empty are the API
	// domain of the query, or else those of all data centers. HTTPClient also sends the requests to Zoho's accounts
	// servers; nil means one with a timeout of 30 seconds for these.
	OAuth oauth.Options
}

// NewSource returns the source of the token that query means, refreshed by Zoho and kept in the store. It does no I/O;
// errors come with the first token.
//
// A query with a client and a refresh or grant token that the store does not have is saved by the source: see [oauth.NewSource]
// for this and for the calls that it makes.
func NewSource(store tokenkeep.Store, query tokenkeep.Token, o Options) *oauth.Source {
	settings := o.OAuth
	settings.Provider = NewProvider(homeOf(query, o), o.OAuth.HTTPClient)
	if len(settings.Hosts) == 0 {
		settings.Hosts = hosts(query.APIDomain, o.DataCenter)
	}
	return oauth.NewSource(store, query, settings)
}

// homeOf returns where a token is refreshed that was stored without an API domain: where the query says that it is good,
// for the provider sees the stored token only.
func homeOf(query tokenkeep.Token, o Options) DataCenter {
	if d, ok := DataCenterByAPIDomain(query.APIDomain); ok {
		return d
	}
	return o.DataCenter
}

// NewClient returns a client whose requests to the token's API domain are authenticated, and to no other host. It
// refreshes the token that query means as needed, and repeats a request once that Zoho answered with 401. ctx is that of
// [oauth.Source.Client].
//
// Where query has an APIDomain, NewClient does no I/O. Else the first token tells it, and NewClient takes the calls, and has the
// errors, of [oauth.Source.TokenContext]: one FindToken where the store has a good token, which the first request then
// uses; where it has none, the token is saved and refreshed. A token that was refreshed without telling its domain takes another
// FindToken.
//
// For other options, use NewSource and its method Client.
func NewClient(ctx context.Context, store tokenkeep.Store, query tokenkeep.Token) (*http.Client, error) {
	client, err := newClient(ctx, store, query, Options{})
	if err != nil {
		return nil, fmt.Errorf("zoho: new client: %w", err)
	}
	return client, nil
}

func newClient(ctx context.Context, store tokenkeep.Store, query tokenkeep.Token, o Options) (*http.Client, error) {
	settings := o.OAuth
	provider := NewProvider(homeOf(query, o), settings.HTTPClient)
	settings.Provider, settings.Hosts = provider, nil // onlyHost has the one that counts
	source := oauth.NewSource(store, query, settings)
	domain := query.APIDomain
	if domain == "" {
		token, err := source.TokenContext(ctx)
		if token == nil {
			return nil, err
		}
		domain, _ = token.Extra("api_domain").(string)
	}
	if domain == "" {
		stored, err := store.FindToken(ctx, query)
		if err != nil {
			return nil, err
		}
		domain = provider.apiDomainOf(stored)
	}
	domain, err := origin(domain)
	if err != nil {
		return nil, fmt.Errorf("the token's API domain: %w: %w", err, tokenkeep.ErrInvalid)
	}
	u, err := url.Parse(domain)
	if err != nil {
		return nil, err
	}
	client := source.Client(ctx)
	client.Transport = &onlyHost{
		scheme: u.Scheme, address: addressOf(u), authenticated: client.Transport, plain: transportOf(ctx, settings.HTTPClient),
	}
	return client, nil
}

// transportOf returns the transport beneath that of oauth.Source.Client.
func transportOf(ctx context.Context, configured *http.Client) http.RoundTripper {
	client, ok := ctx.Value(oauth2.HTTPClient).(*http.Client)
	if !ok || client == nil {
		client = configured
	}
	if client == nil || client.Transport == nil {
		return http.DefaultTransport
	}
	return client.Transport
}

// onlyHost authenticates the requests to one host, and by one scheme. A source would have to know the host before its first
// token tells it.
type onlyHost struct {
	scheme, address      string
	authenticated, plain http.RoundTripper
}

// RoundTrip is that of one of the two transports.
func (t *onlyHost) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == t.scheme && addressOf(req.URL) == t.address {
		return t.authenticated.RoundTrip(req)
	}
	return t.plain.RoundTrip(req)
}

// hosts returns an API domain, or those of all data centers where it is not known.
func hosts(domain string, home DataCenter) []string {
	domains := []string{domain}
	if domain == "" {
		domains = []string{home.APIDomain}
		for _, d := range known {
			domains = append(domains, d.APIDomain, d.Sandbox().APIDomain, d.Developer().APIDomain)
		}
	}
	var found []string
	for _, domain := range domains {
		if domain, err := origin(domain); err == nil {
			found = append(found, domain)
		}
	}
	if len(found) == 0 {
		return []string{"https://invalid"} // none, where an empty list would be any
	}
	return found
}

// addressOf returns host and port of a URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
