package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newFind(g *global) *cobra.Command {
	var query tokenkeep.Token
	var fromStdin, reveal bool
	cmd := &cobra.Command{
		Use:   "find",
		Short: "Print the token of a user, or that of a refresh token",
		Long: `find prints the token that a program with the same query gets. --client and --domain narrow the search. A refresh
token comes from stdin, since anybody can list the arguments of a program.` + storeHelp,
		Example: `  tokenkeep find --user ann@example.com --client 1000.X
  tokenkeep find --refresh-token-stdin < refresh.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if fromStdin {
				text, err := readSmall(cmd.InOrStdin(), "stdin")
				if err != nil {
					return err
				}
				query.RefreshToken = string(bytes.TrimSpace(text))
			}
			if query.UserName == "" && query.RefreshToken == "" {
				return usage("name a token by --user or --refresh-token-stdin")
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error {
				t, err := store.FindToken(cmd.Context(), query)
				if err != nil {
					return err
				}
				return g.show(cmd, t, reveal)
			})
		},
	}
	queryFlags(cmd, &query)
	cmd.Flags().BoolVar(&fromStdin, "refresh-token-stdin", false, "read a refresh token from stdin")
	revealFlag(cmd, &reveal)
	return cmd
}

// queryFlags are those that name a token, but for its ID and credentials.
func queryFlags(cmd *cobra.Command, query *tokenkeep.Token) {
	flags := cmd.Flags()
	flags.StringVar(&query.UserName, "user", "", "`name` of the user, exactly")
	flags.StringVar(&query.ClientID, "client", "", "`ID` of the client")
	flags.StringVar(&query.APIDomain, "domain", "", "API `domain`, such as https://www.zohoapis.eu")
}

const maxInput = 1 << 20 // bytes; a token is under 64 KiB in most stores

// readSmall reads all there is, if that is not too much.
func readSmall(from io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = errors.New("over 1 MiB, which is no token")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}
