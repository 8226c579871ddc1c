package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newToken(g *global) *cobra.Command {
	var query tokenkeep.Token
	var header bool
	var tokenURL string
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print a valid access token, refreshed if need be",
		Long: `token prints the access token of a user or an ID. One that has ended, or is about to, is refreshed first, once for
all programs that share the store, and stored.

Exit status 5 says that the provider has refused the refresh token: the user must log in again.` + endpointHelp + storeHelp,
		Example: `  tokenkeep token --user ann@example.com --client 1000.X
  tokenkeep token --id 5h8920jsvcf2uv8kmaqd8rhu --header | curl -H @- https://www.zohoapis.eu/crm/v8/users`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if query.UserName == "" && query.ID == "" {
				return usage("name a token by --user or --id")
			}
			if err := checkEndpoint(tokenURL); err != nil {
				return err
			}
			provider := providerAt(tokenURL, query.APIDomain)
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.token(cmd, store, query, provider, header) })
		},
	}
	queryFlags(cmd, &query)
	cmd.Flags().StringVar(&query.ID, "id", "", "`ID` of the token")
	cmd.Flags().BoolVar(&header, "header", false, "print the header of an HTTP request that the API takes")
	endpointFlag(cmd, &tokenURL)
	return cmd
}

// access is an access token as it is printed.
type access struct {
	AccessToken string    `json:"access_token"`
	Header      string    `json:"header"`
	ExpiresAt   time.Time `json:"expiry_time,omitzero"`
	APIDomain   string    `json:"api_domain,omitempty"`
}

func (g *global) token(cmd *cobra.Command, store tokenkeep.Store, query tokenkeep.Token, provider oauth.Provider, header bool) error {
	ctx, cancel := withPatience(cmd.Context(), finishTime)
	defer cancel()
	source := oauth.NewSource(store, query, oauth.Options{Provider: provider})
	t, err := source.TokenContext(ctx)
	t, err = keepSaving(ctx, source, t, err)
	var unsaved *tokenkeep.UnsavedError
	if t == nil || err != nil && !errors.As(err, &unsaved) {
		return err
	}
	domain, _ := t.Extra("api_domain").(string)
	a := access{AccessToken: t.AccessToken, Header: "Authorization: " + t.Type() + " " + t.AccessToken, ExpiresAt: t.Expiry, APIDomain: domain}
	return errors.Join(err, g.print(cmd, a, func(w io.Writer) error {
		line := a.AccessToken
		if header {
			line = a.Header
		}
		_, err := fmt.Fprintln(w, line)
		return err
	}))
}
