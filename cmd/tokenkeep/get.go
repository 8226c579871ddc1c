package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newGet(g *global) *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Print a token",
		Long:  `get prints the token with an ID, as "tokenkeep list" has it.` + storeHelp,
		Example: `  tokenkeep get 5h8920jsvcf2uv8kmaqd8rhu
  tokenkeep get 5h8920jsvcf2uv8kmaqd8rhu --reveal > token.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.with(cmd.Context(), func(store storeurl.Store) error {
				t, err := store.FindTokenByID(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return g.show(cmd, t, reveal)
			})
		},
	}
	revealFlag(cmd, &reveal)
	return cmd
}

func revealFlag(cmd *cobra.Command, reveal *bool) {
	cmd.Flags().BoolVar(reveal, "reveal", false, `print the token whole, with its credentials, in the JSON that "tokenkeep put" takes`)
}

// show prints one token.
func (g *global) show(cmd *cobra.Command, t tokenkeep.Token, reveal bool) error {
	if reveal {
		whole, err := tokenkeep.EncodeToken(t)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, whole, "", "  "); err != nil {
			return errors.New("the token cannot be written as JSON")
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), out.String())
		return err
	}
	return g.print(cmd, t, func(w io.Writer) error {
		var out bytes.Buffer
		for _, field := range t.LogValue().Group() {
			fmt.Fprintf(&out, "%-20s %s\n", field.Key, printed(field.Value.String()))
		}
		_, err := out.WriteTo(w)
		return err
	})
}
