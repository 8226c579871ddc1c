package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newClear(g *global) *cobra.Command {
	var yes, revoke bool
	cmd := &cobra.Command{
		Use:   "clear",
		Short: "Delete all tokens of a store for good",
		Long: `clear counts the tokens of a store, asks, and deletes them all. Any answer but "yes" deletes nothing.` + revokeHelp + `

clear goes on with the next token then, but stops where Zoho takes no more requests; run again, it does the rest. It deletes no
token that was saved after it had asked.` + storeHelp,
		Example: `  tokenkeep clear --store localstack://crm/dev
  tokenkeep clear --store localstack://crm/dev --yes
  tokenkeep clear --store awssm://eu-west-1/crm/prod --revoke`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.clear(cmd, store, yes, revoke) })
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "revoke each token at Zoho before, and delete only those that are revoked")
	return cmd
}

func (g *global) clear(cmd *cobra.Command, store storeurl.Store, yes, revoke bool) error {
	var ids []string
	for t, err := range all(cmd.Context(), store) {
		if err != nil && t.ID == "" {
			return err
		}
		ids = append(ids, t.ID)
	}
	if !yes {
		verb := "Delete"
		if revoke {
			verb = "Revoke at Zoho and delete"
		}
		url, err := g.url()
		if err != nil {
			return err
		}
		if err := confirm(cmd, fmt.Sprintf("%s all %d tokens of %s for good? Type yes: ", verb, len(ids), url)); err != nil {
			return err
		}
	}
	if revoke {
		return g.clearRevoked(cmd, store, ids)
	}
	if err := store.DeleteTokens(cmd.Context()); err != nil {
		return err
	}
	return g.print(cmd, map[string]int{"deleted": len(ids)}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "deleted %s\n", plural(len(ids), "token"))
		return err
	})
}

func confirm(cmd *cobra.Command, question string) error {
	if _, err := fmt.Fprint(cmd.ErrOrStderr(), question); err != nil {
		return err
	}
	answer, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New(`the answer was not "yes": nothing is deleted`)
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
