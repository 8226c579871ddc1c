package tokenkeep_test

import (
	"os"
	"strings"
	"testing"
)

// README.md prints keepToken of example_test.go, which Example_secretsManager runs, and what it prints.
func TestTheREADMEShowsCodeThatRuns(t *testing.T) {
	example := read(t, "example_test.go")
	readme := read(t, "README.md")
	if want := between(t, example, "func keepToken(", "\n}\n"); between(t, readme, "```go\nfunc keepToken(", "\n}\n```") != want {
		t.Errorf("the first Go block of README.md differs from keepToken in example_test.go, which is:\nfunc keepToken(%s\n}", want)
	}
	output := "Token{" + between(t, example, "\t// Token{", "\n")
	if !strings.Contains(readme, output) {
		t.Errorf("README.md does not show the output %s", output)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// between returns what follows start in text, up to end.
func between(t *testing.T, text, start, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, start)
	if !ok {
		t.Fatalf("%q is missing", start)
	}
	inside, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%q is missing after %q", end, start)
	}
	return inside
}
