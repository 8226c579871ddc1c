package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newDoctor(g *global) *cobra.Command {
	var job string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a store where it is: rights, races, late reads, clock and limits",
		Long: `doctor tries in your own account or on your own server what tokenkeep relies on, and prints a verdict for each: ok, failed,
denied or unknown. It writes up to five secrets beside those of the tokens, with random names, values that are no
credentials, and the rights of the job "write", and deletes them, also where it fails or is ended by Ctrl-C; a second
Ctrl-C ends it at once. It makes some hundred calls. Tokens and their index are not touched.

Exit status 6 says that a check failed, or that the job of --job cannot be done. What could not be tried is neither.

` + jobs + storeHelp,
		Example: `  tokenkeep doctor --store awssm://eu-west-1/crm/prod
  tokenkeep doctor --job refresh --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"read", "refresh", "write", "operator"}, job) {
				return usage("--job is %q; it is read, refresh, write or operator", job)
			}
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.examine(cmd, store, job) })
		},
	}
	cmd.Flags().StringVar(&job, "job", "write", "what must be possible: read, refresh, write or operator")
	return cmd
}

// examine prints the findings as they come, or all of them as JSON.
func (g *global) examine(cmd *cobra.Command, store storeurl.Store, job string) error {
	d := diagnosis{Findings: []doctor.Finding{}, Job: job}
	for f := range findings(cmd.Context(), store) {
		d.add(f)
		if g.json {
			continue
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-7s  %-14s  %s\n", f.Verdict, f.Check, printed(f.Detail)); err != nil {
			return err
		}
	}
	if err := g.print(cmd, d, d.text); err != nil {
		return err
	}
	if err := cmd.Context().Err(); err != nil {
		return fmt.Errorf("ended before all was tried: %w", err)
	}
	return d.problem()
}

// findings examines the secrets manager behind a store, or the store where it has none.
func findings(ctx context.Context, store storeurl.Store) iter.Seq[doctor.Finding] {
	if managed, ok := store.(interface{ Secrets() driver.Secrets }); ok {
		return doctor.Secrets(ctx, managed.Secrets())
	}
	return doctor.Store(ctx, store)
}

// diagnosis is all findings as they are printed, and their sum.
type diagnosis struct {
	Findings []doctor.Finding `json:"findings"`
	OK       int              `json:"ok"`
	Failed   int              `json:"failed"`
	Denied   int              `json:"denied"`
	Unknown  int              `json:"unknown"`
	Job      string           `json:"job"`
	Verdict  doctor.Verdict   `json:"job_verdict"`
}

func (d *diagnosis) add(f doctor.Finding) {
	d.Findings = append(d.Findings, f)
	switch f.Verdict {
	case doctor.OK:
		d.OK++
	case doctor.Failed:
		d.Failed++
	case doctor.Denied:
		d.Denied++
	default:
		d.Unknown++
	}
	if f.Check == "job "+d.Job {
		d.Verdict = f.Verdict
	}
}

func (d *diagnosis) text(w io.Writer) error {
	can := map[doctor.Verdict]string{doctor.OK: "can be done", doctor.Denied: "cannot be done"}[d.Verdict]
	if can == "" {
		can = "is not shown to be possible"
	}
	_, err := fmt.Fprintf(w, "%d ok, %d failed, %d denied, %d unknown; the job %s %s\n", d.OK, d.Failed, d.Denied, d.Unknown, d.Job, can)
	return err
}

func (d *diagnosis) problem() error {
	var errs []error
	if d.Failed > 0 {
		errs = append(errs, fmt.Errorf("%s failed: %w", plural(d.Failed, "check"), errProblems))
	}
	if d.Verdict == doctor.Denied {
		errs = append(errs, fmt.Errorf(`a right that the job %s needs is denied; see "tokenkeep policy": %w`, d.Job, errProblems))
	}
	return errors.Join(errs...)
}
