package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

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
already is left. One that is there with other contents, such as an access token that was refreshed meanwhile, is told as
different (exit status 6), and one whose ID or whose user, client and API domain another token has is a conflict (exit
status 4). Interrupted or killed, it is simply run again. Nothing else should write to the target meanwhile.

Zoho's file and table take no IDs but decimal numbers, have ten columns, and keep an expiry to the millisecond. Tokens that
do not fit are told and not copied (exit status 2); --drop-fields leaves fields behind, and does not compare them either. With
--drop-fields id the target gives its own IDs, and tokens are known by their user, client and API domain.

What a store remembers of the past is not copied: a program that finds its token only by a refresh token which was
replaced long ago must be given the new one, and a grant token beside a refresh token counts as used up.` + storeHelp,
		Example: `  tokenkeep copy --from localstack://crm/dev --to awssm://eu-west-1/crm/prod --dry-run
  tokenkeep copy --from awssm://eu-west-1/crm/prod --to vault:///crm/prod --verify`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkDrop(o.drop); err != nil {
				return err
			}
			if err := checkSource(o.from); err != nil {
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

// checkSource refuses a file that is not there. As a store that would be an empty one, and as a source it is a mistake.
func checkSource(url string) error {
	scheme, path, _ := strings.Cut(url, ":")
	if scheme != "file" && scheme != "sqlite" || path == ":memory:" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return usage("--from: there is no file %s", printed(path))
	}
	return nil
}

// copying is what copy was asked for.
type copying struct {
	from, to       string
	drop           []string
	dryRun, verify bool
}

// copied is what copy did, or would do.
type copied struct {
	DryRun    bool         `json:"dry_run"`
	Copied    []string     `json:"copied"`  // IDs
	Present   []string     `json:"present"` // IDs
	Different []difference `json:"different"`
	Conflicts []string     `json:"conflicts"` // told in words, no credential
	Failed    []string     `json:"failed"`    // IDs
	Verified  bool         `json:"verified"`
}

func (g *global) copy(cmd *cobra.Command, source, target storeurl.Store, o copying) error {
	ctx := cmd.Context()
	r := roomIn(o.to, o.drop)
	plan, unread, err := planCopy(ctx, source, target, r)
	if err != nil {
		return err
	}
	if plan.empty() && unread == nil && !g.json {
		if _, err := fmt.Fprintln(cmd.ErrOrStderr(), "tokenkeep: the source has no tokens; is --from right?"); err != nil {
			return err
		}
	}
	var done saving
	if o.dryRun {
		done = saving{saved: idsOf(plan.todo)}
	} else {
		var bar *progress
		if !g.json {
			bar = newProgress(cmd.ErrOrStderr(), len(plan.todo))
		}
		done = save(ctx, target, plan.todo, r, bar)
	}
	c := copied{DryRun: o.dryRun, Copied: done.saved, Present: plan.present, Conflicts: plan.conflicts,
		Different: append(plan.different, done.changed...), Failed: append(append([]string{}, plan.misfits.ids...), done.failed...)}
	errs := append(plan.misfits.errors(o.drop), atMost(maxErrors, done.errs), unread)
	if o.verify && !o.dryRun && ctx.Err() == nil {
		err := compare(ctx, source, target, r)
		c.Verified = err == nil
		errs = append(errs, err)
	}
	return errors.Join(g.print(cmd, c, c.text), errors.Join(errs...), c.problems())
}

func idsOf(tokens []tokenkeep.Token) []string {
	ids := make([]string, len(tokens))
	for i, t := range tokens {
		ids[i] = t.ID
	}
	return ids
}

// problems is the error of a copy that met something else in the target than it should.
func (c copied) problems() error {
	var errs []error
	if n := len(c.Conflicts); n > 0 {
		errs = append(errs, fmt.Errorf("%s not copied: %w", plural(n, "token"), tokenkeep.ErrConflict))
	}
	if n := len(c.Different); n > 0 {
		errs = append(errs, fmt.Errorf("%s in the target with other contents, which are left: %w", plural(n, "token"), errProblems))
	}
	return errors.Join(errs...)
}

func (c copied) text(w io.Writer) error {
	verb := "copied"
	if c.DryRun {
		verb = "to copy"
	}
	lines := fmt.Sprintf("%s %d, already there %d, different %d, conflicts %d, failed %d\n",
		verb, len(c.Copied), len(c.Present), len(c.Different), len(c.Conflicts), len(c.Failed))
	for _, different := range c.Different {
		lines += "different: " + different.String() + "\n"
	}
	for _, conflict := range c.Conflicts {
		lines += "conflict: " + conflict + "\n"
	}
	if c.Verified {
		lines += "verified: every token of the source is in the target\n"
	}
	_, err := io.WriteString(w, lines)
	return err
}
