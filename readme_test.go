package tokenkeep_test

import (
	"os"
	"strings"
	"testing"
)

// The first two Go blocks of README.md are newClient and keepToken of example_test.go, which Example_lambda and
// Example_secretsManager run; what the second prints is there too.
func TestTheREADMEShowsCodeThatRuns(t *testing.T) {
	example := read(t, "example_test.go")
	readme := read(t, "README.md")
	rest := readme
	for _, name := range []string{"newClient", "keepToken"} {
		want := "func " + name + "(" + between(t, example, "func "+name+"(", "\n}\n") + "\n}"
		if got := between(t, rest, "```go\n", "\n```"); got != want {
			t.Errorf("README.md shows\n%s\nin the place of %s in example_test.go, which is:\n%s", got, name, want)
		}
		_, rest, _ = strings.Cut(rest, "```go\n")
	}
	appRole := "func ExampleNewStore_appRole()" + between(t, read(t, "vault/example_test.go"), "func ExampleNewStore_appRole()", "\n}\n") + "\n}"
	if !strings.Contains(readme, "```go\n"+appRole+"\n```") {
		t.Errorf("README.md does not show\n%s", appRole)
	}
	cloudRun := "func ExampleNewStore_cloudRun()" + between(t, read(t, "gcpsm/example_test.go"), "func ExampleNewStore_cloudRun()", "\n}\n") + "\n}"
	if !strings.Contains(readme, "```go\n"+cloudRun+"\n```") {
		t.Errorf("README.md does not show\n%s", cloudRun)
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
