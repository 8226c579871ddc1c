package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// run runs the command line and returns the exit status. What goes wrong is told on stderr, a line for each cause.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	for line := range strings.Lines(err.Error()) {
		// Errors of the packages begin with tokenkeep too: once is enough.
		line = strings.ReplaceAll(": "+strings.TrimSpace(line), ": tokenkeep: ", ": ")
		_, _ = fmt.Fprintf(stderr, "tokenkeep%s\n", line)
	}
	return exitStatus(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:                "tokenkeep",
		Short:              "OAuth tokens in a secrets manager",
		Long:               "tokenkeep keeps OAuth tokens in a cloud secrets manager, safely for many processes at once.\n\n" + exitHelp,
		Example:            "  tokenkeep demo\n  tokenkeep --store awssm://eu-west-1/crm/prod list",
		Version:            version(debug.ReadBuildInfo()),
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true,
	}
	root.SetVersionTemplate("tokenkeep {{.Version}}\n")
	var g global
	g.flags(root)
	root.AddCommand(newDemo(&g), newLocalstack(&g), newPolicy(&g),
		newList(&g), newGet(&g), newFind(&g), newPut(&g), newDelete(&g), newClear(&g), newVerify(&g), newRepair(&g), newDoctor(&g),
		newCopy(&g), newToken(&g), newRefresh(&g), newLogin(&g))
	markFailures(root)
	return root
}

// version tells which build this is: the module's version where the go command knows one, else the commit.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "of an unknown build"
	}
	number, commit := info.Main.Version, ""
	if number == "" || number == "(devel)" {
		number = "devel"
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				commit = setting.Value + ", "
			}
		}
	}
	return fmt.Sprintf("%s (%s%s)", number, commit, info.GoVersion)
}
