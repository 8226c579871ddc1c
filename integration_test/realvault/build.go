package realvault

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNoSource means that the go command cannot be had, or the source of a server, which takes a network.
var ErrNoSource = errors.New("no source")

// module is the one that has the servers in the folder servers, each a module of its own.
const module = "github.com/tokenkeep/tokenkeep/integration_test"

// Build returns the path of the program of a server of [Built]. It builds it if it is not in the cache yet, which takes
// minutes and, if its modules have to be downloaded, a network. The working directory has to be in the module.
// Processes that build at once do no harm.
func Build(server Server) (path string, err error) {
	out, err := run("", "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return "", err
	}
	return program(filepath.Join(strings.TrimSpace(out), "servers", string(server)))
}

// program returns the path of the program whose source is in a folder, which names it.
func program(source string) (path string, err error) {
	path, err = cachePath(source)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintf(os.Stderr, "realvault: building %s, for minutes if the cache of the go command has none of it\n", path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if _, err := run(source, "list", "-deps", "."); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoSource, err)
	}
	unfinished := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(unfinished) // after a success it is not there
	if _, err := run(source, "build", "-ldflags=-s -w", "-o", unfinished, "."); err != nil {
		return "", err
	}
	return path, os.Rename(unfinished, path)
}

// cachePath is in a folder that is named after all that the program depends on.
func cachePath(source string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, file := range append(files, filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum")) {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", filepath.Base(file), len(content), content)
	}
	name := filepath.Base(source)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(cache, "tokenkeep", fmt.Sprintf("%.8x", hash.Sum(nil)), name), nil
}

// run runs the go command in a folder and returns what it writes to standard output.
func run(folder string, args ...string) (string, error) {
	command := exec.Command("go", args...)
	command.Dir = folder
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%w: %w", ErrNoSource, err)
	}
	return string(out), err
}
