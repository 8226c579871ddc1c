package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// secretLines are secrets on stdin, one in a line. A terminal is asked for each, and does not show what is typed.
type secretLines struct {
	lines    *bufio.Reader
	terminal int       // file descriptor of stdin, or -1 where that is no terminal
	prompt   io.Writer // stderr
}

func newSecretLines(cmd *cobra.Command) *secretLines {
	stdin := cmd.InOrStdin()
	s := &secretLines{lines: bufio.NewReader(io.LimitReader(stdin, maxInput)), terminal: -1, prompt: cmd.ErrOrStderr()}
	if file, ok := stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		s.terminal = int(file.Fd())
	}
	return s
}

// next returns the next secret, without the spaces around it. Without one it is a usage error.
func (s *secretLines) next(ctx context.Context, what string) (string, error) {
	read := func() ([]byte, error) { return s.lines.ReadBytes('\n') }
	if s.terminal >= 0 {
		visible, err := term.GetState(s.terminal)
		if err != nil {
			return "", fmt.Errorf("the terminal: %w", err)
		}
		defer func() { _ = term.Restore(s.terminal, visible) }() // for a Ctrl-C: the read goes on then
		if _, err := fmt.Fprintf(s.prompt, "%s (not shown): ", what); err != nil {
			return "", err
		}
		defer func() { _, _ = fmt.Fprintln(s.prompt) }() // in place of the one that was typed
		read = func() ([]byte, error) { return term.ReadPassword(s.terminal) }
	}
	type line struct {
		text []byte
		err  error
	}
	came := make(chan line, 1)
	go func() {
		text, err := read()
		came <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case l := <-came:
		secret := string(bytes.TrimSpace(l.text))
		switch {
		case l.err != nil && !errors.Is(l.err, io.EOF):
			return "", fmt.Errorf("stdin: %w", l.err)
		case secret == "":
			return "", usage("stdin has no %s", what)
		}
		return secret, nil
	}
}

// grantToken reads a grant token from a file; "-" is the next line of stdin.
func grantToken(ctx context.Context, stdin *secretLines, name string) (string, error) {
	if name == "-" {
		return stdin.next(ctx, "grant token")
	}
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	text, err := readSmall(file, name)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	grant := strings.TrimSpace(string(text))
	if grant == "" {
		return "", usage("%s has no grant token", name)
	}
	return grant, nil
}
