// Tokenkeep is the command line of the library of the same name, which keeps OAuth tokens in a secrets manager.
//
//	go run github.com/tokenkeep/tokenkeep/cmd/tokenkeep@latest demo
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
