package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newCopy(g *global) *cobra.Command {
	var o copying
	cmd := &cobra.Command{
		Use:   "copy --from URL --to URL",
		Short: "Copy all tokens of a store to another one",
		Long: `copy saves each token of one store in another, under its ID. Nothing that the target has is changed: a token that is there
already is left, and one whose ID or whose user, client and API domain another token has is a conflict, which is told
and not copied (exit status 4). Interrupted, it is simply run again. Nothing else should write to the target meanwhile.

What a store remembers of the past is not copied: a program that finds its token only by a refresh token which was
replaced long ago must be given the new one, and a grant token beside a refresh token counts as used up. Zoho's file and
table take no IDs but decimal numbers.` + storeHelp,
		Example: `  tokenkeep copy --from localstack://crm/dev --to awssm://eu-west-1/crm/prod --dry-run
  tokenkeep copy --from awssm://eu-west-1/crm/prod --to vault:///crm/prod --verify`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkDrop(o.drop); err != nil {
				return err
			}
			from := global{store: o.from}
			to := global{store: o.to, json: g.json}
			return from.with(cmd.Context(), func(source storeurl.Store) error {
				return to.with(cmd.Context(), func(target storeurl.Store) error { return to.copy(cmd, source, target, o) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "`URL` of the store to read")
	flags.StringVar(&o.to, "to", "", "`URL` of the store to write")
	flags.BoolVar(&o.dryRun, "dry-run", false, "only tell what would be copied")
	flags.BoolVar(&o.verify, "verify", false, "read both stores again at the end and compare each token, credentials included")
	flags.StringSliceVar(&o.drop, "drop-fields", nil, "`fields` not to copy, for a target that has no room for them: "+droppableNames())
	for _, name := range []string{"from", "to"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}

// copying is what copy was asked for.
type copying struct {
	from, to       string
	drop           []string
	dryRun, verify bool
}

// copied is what copy did, or would do.
type copied struct {
	DryRun    bool     `json:"dry_run"`
	Copied    []string `json:"copied"` // IDs
	Present   []string `json:"present"`
	Conflicts []string `json:"conflicts"` // told in words, no credential
	Failed    []string `json:"failed"`
	Verified  bool     `json:"verified"`
}

func (g *global) copy(cmd *cobra.Command, source, target tokenkeep.Store, o copying) error {
	ctx := cmd.Context()
	plan, unread, err := planCopy(ctx, source, target, o.drop)
	if err != nil {
		return err
	}
	done := copied{DryRun: o.dryRun, Copied: []string{}, Present: plan.present, Conflicts: plan.conflicts, Failed: []string{}}
	failures := save(ctx, target, plan.todo, o.dryRun)
	for _, t := range plan.todo {
		if _, failed := failures[t.ID]; failed {
			done.Failed = append(done.Failed, t.ID)
		} else {
			done.Copied = append(done.Copied, t.ID)
		}
	}
	var errs []error
	for _, id := range done.Failed {
		errs = append(errs, failures[id])
	}
	errs = append(errs, unread)
	if o.verify && !o.dryRun && ctx.Err() == nil {
		err := compare(ctx, source, target, o.drop)
		done.Verified = err == nil
		errs = append(errs, err)
	}
	if len(done.Conflicts) > 0 {
		errs = append(errs, fmt.Errorf("%s not copied: %w", plural(len(done.Conflicts), "token"), tokenkeep.ErrConflict))
	}
	return errors.Join(g.print(cmd, done, done.text), errors.Join(errs...))
}

func (c copied) text(w io.Writer) error {
	verb := "copied"
	if c.DryRun {
		verb = "to copy"
	}
	lines := fmt.Sprintf("%s %d, already there %d, conflicts %d, failed %d\n", verb, len(c.Copied), len(c.Present), len(c.Conflicts), len(c.Failed))
	for _, conflict := range c.Conflicts {
		lines += "conflict: " + conflict + "\n"
	}
	if c.Verified {
		lines += "verified: every token of the source is in the target\n"
	}
	_, err := io.WriteString(w, lines)
	return err
}

// save saves tokens that the target does not have, all at once where it can. The errors are by ID.
func save(ctx context.Context, target tokenkeep.Store, tokens []tokenkeep.Token, dryRun bool) map[string]error {
	failures := map[string]error{}
	if dryRun || len(tokens) == 0 {
		return failures
	}
	saved, err := saveAll(ctx, target, tokens)
	byID := errorsByID(err)
	for i, t := range tokens {
		if saved[i].ID != "" {
			continue
		}
		failures[t.ID] = byID[t.ID]
		if failures[t.ID] == nil {
			failures[t.ID] = fmt.Errorf("token %q was not saved", t.ID)
		}
	}
	return failures
}

// saveAll returns the tokens as stored, zero where one was not.
func saveAll(ctx context.Context, target tokenkeep.Store, tokens []tokenkeep.Token) ([]tokenkeep.Token, error) {
	if bulk, ok := target.(interface {
		SaveTokens(ctx context.Context, tokens []tokenkeep.Token) ([]tokenkeep.Token, error)
	}); ok {
		return bulk.SaveTokens(ctx, tokens)
	}
	saved := make([]tokenkeep.Token, len(tokens))
	var errs []error
	for i, t := range tokens {
		var err error
		if saved[i], err = target.SaveToken(ctx, t); err != nil {
			errs = append(errs, &tokenkeep.Error{Op: "save token", ID: t.ID, Err: err})
		}
	}
	return saved, errors.Join(errs...)
}

// errorsByID takes joined errors of tokens apart.
func errorsByID(err error) map[string]error {
	byID := map[string]error{}
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, err := range list {
		var about *tokenkeep.Error
		if errors.As(err, &about) {
			byID[about.ID] = err
		}
	}
	return byID
}
