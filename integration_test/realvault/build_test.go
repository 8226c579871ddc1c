package realvault

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// source writes the source of a program into a folder of its own.
func source(t *testing.T, main string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{"main.go": main, "go.mod": "module example.test/tiny\n\ngo 1.26\n", "go.sum": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// freshCache has the programs built into a new folder, but nothing else of the go command's.
func freshCache(t *testing.T) string {
	t.Helper()
	cache := t.TempDir()
	built, err := run("", "env", "GOCACHE")
	if err != nil {
		t.Skipf("left out: %v", err)
	}
	t.Setenv("GOCACHE", built[:len(built)-1])
	for _, variable := range []string{"XDG_CACHE_HOME", "LocalAppData", "HOME"} {
		t.Setenv(variable, cache)
	}
	return cache
}

func TestAProgramIsBuiltOnce(t *testing.T) {
	freshCache(t)
	folder := source(t, "package main\n\nfunc main() {}\n")
	path, err := program(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	again, err := program(folder)
	if content, _ := os.ReadFile(again); err != nil || again != path || string(content) != "kept" {
		t.Errorf("program = %q, %v; want %q, not built again", again, err, path)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the program there is %v, %v; want nothing", entries, err)
	}
}

func TestAChangedSourceIsBuiltAgain(t *testing.T) {
	freshCache(t)
	folder := source(t, "package main\n\nfunc main() {}\n")
	for _, name := range []string{"main.go", "go.mod", "go.sum", "another.go"} {
		before, err := cachePath(folder)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte("// changed\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if after, err := cachePath(folder); err != nil || after == before {
			t.Errorf("with %s changed the path is %q, %v; want another", name, after, err)
		}
	}
}

func TestAProgramThatDoesNotCompileIsNotLeftOut(t *testing.T) {
	cache := freshCache(t)
	_, err := program(source(t, "package main\n\nfunc main() { undefined() }\n"))
	if err == nil || errors.Is(err, ErrNoSource) {
		t.Errorf("program = %v; want an error of the compiler", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "tokenkeep", "*", "*")); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}
