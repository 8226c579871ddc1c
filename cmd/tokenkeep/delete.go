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
	var revoke bool
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a token for good",
		Long: `delete removes the token with an ID, as "tokenkeep list" has it. That there is none is exit status 3.` + revokeHelp +
			storeHelp,
		Example: `  tokenkeep delete 5h8920jsvcf2uv8kmaqd8rhu
  tokenkeep delete 5h8920jsvcf2uv8kmaqd8rhu --revoke`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.with(cmd.Context(), func(store storeurl.Store) error {
				if revoke {
					return g.deleteRevoked(cmd, store, args[0])
				}
				return g.delete(cmd, store, args[0])
			})
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "revoke the token at Zoho before")
	return cmd
}

// deletion is what delete did.
type deletion struct {
	Deleted    string     `json:"deleted"` // an ID
	Revocation revocation `json:"revocation,omitempty"`
}

func (g *global) delete(cmd *cobra.Command, store tokenkeep.Store, id string) error {
	// A token that cannot be read can be deleted, so that only its absence counts here.
	if _, err := store.FindTokenByID(cmd.Context(), id); errors.Is(err, tokenkeep.ErrNotFound) {
		return err
	}
	if err := store.DeleteToken(cmd.Context(), id); err != nil {
		return err
	}
	return g.print(cmd, deletion{Deleted: id}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "deleted %s\n", printed(id))
		return err
	})
}

func (g *global) deleteRevoked(cmd *cobra.Command, store tokenkeep.Store, id string) error {
	r, err := newRevoker(store)
	if err != nil {
		return err
	}
	how, err := r.remove(cmd.Context(), id)
	if err != nil {
		return err
	}
	return g.print(cmd, deletion{id, how}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "deleted %s (%s)\n", printed(id), how)
		return err
	})
}
