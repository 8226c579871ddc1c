package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

func newVerify(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Compare the index of a store with the tokens that are there",
		Long: `verify looks for tokens that are there and not listed, for secrets that cannot be used, and for two tokens of one user,
client and API domain. It changes nothing, and other programs may write meanwhile. It needs the rights of the job
"operator": see "tokenkeep policy".

Exit status 6 says that somebody should look at what it found; "harmless" findings go by themselves.` + storeHelp,
		Example: "  tokenkeep verify --store awssm://eu-west-1/crm/prod",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.with(cmd.Context(), func(store storeurl.Store) error { return g.inspect(cmd, store, inspector.Verify) })
		},
	}
}

// inspector is a store with an index.
type inspector interface {
	Verify(ctx context.Context) (tokenkeep.Report, error)
	Repair(ctx context.Context) (tokenkeep.Report, error)
}

// inspect prints a report, and fails where it has something that is left to a person.
func (g *global) inspect(cmd *cobra.Command, store tokenkeep.Store, look func(inspector, context.Context) (tokenkeep.Report, error)) error {
	indexed, ok := store.(inspector)
	if !ok {
		indexed = plain{store}
	}
	found, err := look(indexed, cmd.Context())
	if err != nil {
		return err
	}
	r := reportOf(found)
	if err := g.print(cmd, r, r.text); err != nil {
		return err
	}
	if r.left > 0 {
		return fmt.Errorf("%s left: %w", plural(r.left, "problem"), errProblems)
	}
	return nil
}

// plain is a store without an index: that its tokens can be read is all there is to verify.
type plain struct{ tokenkeep.Store }

func (p plain) Verify(ctx context.Context) (tokenkeep.Report, error) {
	tokens, err := p.GetTokens(ctx)
	return tokenkeep.Report{Tokens: len(tokens)}, err
}

func (p plain) Repair(ctx context.Context) (tokenkeep.Report, error) { return p.Verify(ctx) }

// report is a tokenkeep.Report as it is printed.
type report struct {
	Tokens       int       `json:"tokens"`
	IndexSecrets int       `json:"index_secrets"`
	Scanned      bool      `json:"scanned"`
	Findings     []finding `json:"findings"`

	left int // findings for a person
}

type finding struct {
	Problem  tokenkeep.Problem `json:"problem"`
	ID       string            `json:"id,omitempty"`
	Secret   string            `json:"secret,omitempty"`
	Detail   string            `json:"detail,omitempty"`
	Repaired bool              `json:"repaired"`
	Harmless bool              `json:"harmless"`
}

func reportOf(r tokenkeep.Report) report {
	out := report{Tokens: r.Tokens, IndexSecrets: r.IndexSecrets, Scanned: r.Scanned, Findings: []finding{}}
	for _, f := range r.Findings {
		harmless := f.Problem == tokenkeep.Stale || f.Problem == tokenkeep.Unfinished
		line := finding{Problem: f.Problem, ID: f.ID, Secret: f.Secret, Repaired: f.Repaired, Harmless: harmless}
		if f.Err != nil {
			line.Detail = f.Err.Error()
		}
		out.Findings = append(out.Findings, line)
		if !f.Repaired && !harmless {
			out.left++
		}
	}
	return out
}

func (r report) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s", plural(r.Tokens, "token"), plural(r.IndexSecrets, "index secret"))
	if r.Scanned {
		b.WriteString("; compared with the manager's list")
	}
	b.WriteString("\n")
	for _, f := range r.Findings {
		state := "left"
		switch {
		case f.Repaired:
			state = "repaired"
		case f.Harmless:
			state = "harmless"
		}
		fmt.Fprintf(&b, "%s: %s", state, f.Problem)
		for _, part := range []string{f.ID, f.Secret, f.Detail} {
			if part != "" {
				b.WriteString(": " + printed(part))
			}
		}
		b.WriteString("\n")
	}
	if len(r.Findings) == 0 {
		b.WriteString("no problem\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
