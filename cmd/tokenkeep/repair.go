package main

import (
	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newRepair(g *global) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Put right what verify finds, as far as that is safe",
		Long: `repair lists tokens that are not listed, rebuilds an index that is broken, and tidies up. It deletes no token, and other
programs may write meanwhile. What it leaves to a person it says, with exit status 6.` + storeHelp,
		Example: `  tokenkeep repair --dry-run
  tokenkeep repair --store vault:///crm/prod`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			look := inspector.Repair
			if dryRun {
				look = inspector.Verify
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.inspect(cmd, store, look) })
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, `only tell what is wrong, as "tokenkeep verify"`)
	return cmd
}
