package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newPut(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "put [FILE]",
		Short: "Save a token",
		Long: `put saves a token, as a program does: it updates the one that is stored for the same user, client and API domain, or the
same ID, and creates one if there is none. It prints it as stored, without the credentials.

The token is a JSON object in a file, or on stdin, with the fields id, user_name, client_id, client_secret, redirect_url,
grant_token, refresh_token, refresh_expiry_time, access_token, expiry_time, api_domain, accounts_url, scopes and extra.
Those that are left out keep what is stored.` + storeHelp,
		Example: `  tokenkeep put token.json
  tokenkeep get 5h8920jsvcf2uv8kmaqd8rhu --reveal | tokenkeep put --store vault:///crm/prod`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "-"
			if len(args) == 1 {
				name = args[0]
			}
			t, err := readToken(name, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error {
				saved, err := store.SaveToken(cmd.Context(), t)
				if err != nil {
					return err
				}
				return g.show(cmd, saved, false)
			})
		},
	}
}

// readToken reads a token from a file; "-" is stdin.
func readToken(name string, stdin io.Reader) (t tokenkeep.Token, err error) {
	from := stdin
	if name == "-" {
		name = "stdin"
	} else {
		file, err := os.Open(name)
		if err != nil {
			return t, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		from = file
	}
	text, err := readSmall(from, name)
	if err != nil {
		return t, err
	}
	if t, err = tokenkeep.DecodeToken(text); err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}
