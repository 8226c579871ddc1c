package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newDelete(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "delete ID",
		Short:   "Delete a token for good",
		Long:    `delete removes the token with an ID, as "tokenkeep list" has it. That there is none is exit status 3.` + storeHelp,
		Example: "  tokenkeep delete 5h8920jsvcf2uv8kmaqd8rhu",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := args[0]
			return g.with(cmd.Context(), func(store storeurl.Store) error {
				// A token that cannot be read can be deleted, so that only its absence counts here.
				if _, err := store.FindTokenByID(cmd.Context(), id); errors.Is(err, tokenkeep.ErrNotFound) {
					return err
				}
				if err := store.DeleteToken(cmd.Context(), id); err != nil {
					return err
				}
				return g.print(cmd, map[string]string{"deleted": id}, func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "deleted %s\n", printed(id))
					return err
				})
			})
		},
	}
}
