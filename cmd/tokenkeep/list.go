package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newList(g *global) *cobra.Command {
	var which filter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens of a store",
		Long: `list prints all tokens without their credentials. Several filters narrow it to the tokens that pass each of them.

With --json it prints an array. Tokens that cannot be read are named on stderr, and the exit status is 1 then.` + storeHelp,
		Example: `  tokenkeep list --store awssm://eu-west-1/crm/prod
  tokenkeep list --idle 30d --json
  tokenkeep list --needs-login`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.list(cmd, store, which) })
		},
	}
	flags := cmd.Flags()
	flags.Var(&which.expiring, "expiring", "tokens whose access or refresh token ends within this `time`, as 90m or 30d, or has ended")
	flags.Var(&which.idle, "idle", "tokens that for this `time` were neither refreshed nor valid; not those of which neither is known")
	flags.BoolVar(&which.needsLogin, "needs-login", false, "tokens that the provider has refused for good")
	return cmd
}

func (g *global) list(cmd *cobra.Command, store tokenkeep.Store, which filter) error {
	tokens, now := []tokenkeep.Token{}, time.Now()
	var errs []error
	for t, err := range all(cmd.Context(), store) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case which.passes(t, now):
			tokens = append(tokens, t)
		}
	}
	err := g.print(cmd, tokens, func(w io.Writer) error { return table(w, tokens) })
	return errors.Join(append(errs, err)...)
}

// all yields the tokens of a store, as they come where it can.
func all(ctx context.Context, store tokenkeep.Store) iter.Seq2[tokenkeep.Token, error] {
	if s, ok := store.(interface {
		All(ctx context.Context) iter.Seq2[tokenkeep.Token, error]
	}); ok {
		return s.All(ctx)
	}
	return func(yield func(tokenkeep.Token, error) bool) {
		tokens, err := store.GetTokens(ctx)
		for _, t := range tokens {
			if !yield(t, nil) {
				return
			}
		}
		if err != nil {
			yield(tokenkeep.Token{}, err)
		}
	}
}

func table(out io.Writer, tokens []tokenkeep.Token) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tUSER\tCLIENT\tAPI DOMAIN\tACCESS UNTIL\tREFRESHED\tLOGIN")
	for _, t := range tokens {
		login := "ok"
		if t.Reauthorize != nil {
			login = "needed since " + moment(t.Reauthorize.Since)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cell(t.ID), cell(t.UserName), cell(t.ClientID), cell(t.APIDomain),
			moment(t.ExpiresAt), moment(t.RefreshedAt), login)
	}
	return w.Flush() // it has the errors of the writes
}

func cell(text string) string {
	if text == "" {
		return "-"
	}
	return printed(text)
}

func moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

// filter is which tokens to list. Zero spans count for nothing.
type filter struct {
	expiring, idle span
	needsLogin     bool
}

func (f filter) passes(t tokenkeep.Token, now time.Time) bool {
	ends := func(at time.Time) bool { return !at.IsZero() && !at.After(now.Add(f.expiring.Duration)) }
	if f.expiring.set && !ends(t.ExpiresAt) && !ends(t.RefreshExpiresAt) {
		return false
	}
	used := lastGood(t)
	if f.idle.set && (used.IsZero() || used.After(now.Add(-f.idle.Duration))) {
		return false
	}
	return !f.needsLogin || t.Reauthorize != nil
}

// lastGood is when a token was or will be good, as far as that is known: the end of its access token, or its last refresh.
func lastGood(t tokenkeep.Token) time.Time {
	if t.ExpiresAt.After(t.RefreshedAt) {
		return t.ExpiresAt
	}
	return t.RefreshedAt
}

// span is a flag for a time.Duration that takes days too.
type span struct {
	time.Duration
	set bool
}

const maxDays = 36500

// Set reads "90m", "12h" or "30d".
func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d < 0 || d > maxDays*24*time.Hour {
		return errors.New(`write it like "90m", "12h" or "30d"`)
	}
	s.Duration, s.set = d, true
	return nil
}

// String is empty where the flag was not given.
func (s *span) String() string {
	if !s.set {
		return ""
	}
	return s.Duration.String()
}

// Type is what the help calls the value.
func (s *span) Type() string { return "time" }
