package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
	"github.com/tokenkeep/tokenkeep/zoho"
)

func newToken(g *global) *cobra.Command {
	var query tokenkeep.Token
	var header bool
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print a valid access token, refreshed by Zoho if need be",
		Long: `token prints the access token of a user or an ID. One that has ended, or is about to, is refreshed at Zoho first, once for
all programs that share the store, and stored.

Exit status 5 says that Zoho has refused the refresh token: the user must log in again.` + storeHelp,
		Example: `  tokenkeep token --user ann@example.com --client 1000.X
  tokenkeep token --id 5h8920jsvcf2uv8kmaqd8rhu --header | curl -H @- https://www.zohoapis.eu/crm/v8/users`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if query.UserName == "" && query.ID == "" {
				return usage("name a token by --user or --id")
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.token(cmd, store, query, header) })
		},
	}
	queryFlags(cmd, &query)
	cmd.Flags().StringVar(&query.ID, "id", "", "`ID` of the token")
	cmd.Flags().BoolVar(&header, "header", false, "print the header of an HTTP request that the API takes")
	return cmd
}

// access is an access token as it is printed.
type access struct {
	AccessToken string    `json:"access_token"`
	Header      string    `json:"header"`
	ExpiresAt   time.Time `json:"expiry_time,omitzero"`
	APIDomain   string    `json:"api_domain,omitempty"`
}

func (g *global) token(cmd *cobra.Command, store tokenkeep.Store, query tokenkeep.Token, header bool) error {
	t, err := zoho.NewSource(store, query, zoho.Options{}).TokenContext(cmd.Context())
	var unsaved *tokenkeep.UnsavedError
	if t == nil || err != nil && !errors.As(err, &unsaved) {
		return err
	}
	domain, _ := t.Extra("api_domain").(string)
	a := access{AccessToken: t.AccessToken, Header: "Authorization: Zoho-oauthtoken " + t.AccessToken, ExpiresAt: t.Expiry, APIDomain: domain}
	return errors.Join(err, g.print(cmd, a, func(w io.Writer) error {
		line := a.AccessToken
		if header {
			line = a.Header
		}
		_, err := fmt.Fprintln(w, line)
		return err
	}))
}
