package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newRepair(g *global) *cobra.Command {
	var dryRun, forget bool
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Put right what verify finds, as far as that is safe",
		Long: `repair lists tokens that are not listed, rebuilds an index that is broken, and tidies up. It deletes no token, and other
programs may write meanwhile. What it leaves to a person it says, with exit status 6.

With --forget-deleted it also removes the names that Vault keeps of deleted tokens. No program may write to the store then, from
a minute before on. It needs the capability delete on MOUNT/metadata/PREFIX/t_*.` + storeHelp,
		Example: `  tokenkeep repair --dry-run
  tokenkeep repair --store vault:///crm/prod`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			look := inspector.Repair
			switch {
			case dryRun:
				look = inspector.Verify
			case forget:
				look = repairAndForget
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.inspect(cmd, store, look) })
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, `only tell what is wrong, as "tokenkeep verify"`)
	cmd.Flags().BoolVar(&forget, "forget-deleted", false, "also remove the names of deleted tokens, with no other program writing")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "forget-deleted")
	return cmd
}

func repairAndForget(store inspector, ctx context.Context) (tokenkeep.Report, error) {
	report, err := store.Repair(ctx)
	if forgetful, ok := store.(interface {
		ForgetDeleted(ctx context.Context) (int, error)
	}); ok && err == nil {
		_, err = forgetful.ForgetDeleted(ctx)
	}
	return report, err
}
