package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// browserOpener returns what shows a person the address of a login, which holds no secret. Somebody can open it by hand, so that
// a browser which does not start is no error.
func browserOpener(stderr io.Writer, start bool) func(address string) error {
	return func(address string) error {
		if _, err := fmt.Fprintf(stderr, "Open this address in a browser: %s\n", address); err != nil {
			return err
		}
		if start {
			startBrowser(address)
		}
		return nil
	}
}

// startBrowser starts the browser of this machine, without the client secret in its environment.
func startBrowser(address string) {
	name, args := browserCommand(runtime.GOOS)
	cmd := exec.Command(name, append(args, address)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, secretVariable+"=") })
	if cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}

// browserCommand is the program of a system that opens an address, and the arguments before it.
func browserCommand(system string) (string, []string) {
	switch system {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	}
	return "xdg-open", nil
}
