package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
)

const exitHelp = `Exit status:
  0  done
  1  failed, for a reason that stderr tells
  2  the command line or other input is not right
  3  there is no such token
  4  several tokens fit, or another one is in the way
  5  a person must log in again
  6  verify, repair or doctor finds a problem, or a copy differs`

var (
	errUsage    = errors.New("see --help")
	errProblems = errors.New("the store needs attention")
)

// failure is an error of a command that has begun. Those that cobra finds before are about the command line.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// markFailures makes the errors of all commands failures.
func markFailures(cmd *cobra.Command) {
	if do := cmd.RunE; do != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := do(cmd, args); err != nil {
				return failure{err}
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		markFailures(child)
	}
}

func exitStatus(err error) int {
	var begun failure
	var kept *keptError // its cause may be of any kind
	switch {
	case !errors.As(err, &begun), errors.Is(err, errUsage):
		return 2
	case errors.As(err, &kept):
		return 1
	case errors.Is(err, oauth.ErrReauthorize):
		return 5
	case errors.Is(err, tokenkeep.ErrAmbiguous), errors.Is(err, tokenkeep.ErrConflict):
		return 4
	case errors.Is(err, errProblems):
		return 6
	case errors.Is(err, tokenkeep.ErrNotFound):
		return 3
	case errors.Is(err, tokenkeep.ErrInvalid), errors.Is(err, tokenkeep.ErrIncomplete):
		return 2
	}
	return 1
}

// usage is an error about the command line that cobra cannot find.
func usage(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), errUsage)
}
