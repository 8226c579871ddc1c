package doctor_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestNoCloudIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for pkg := range strings.Lines(string(out)) {
		for _, cloud := range []string{"google.golang.org/", "cloud.google.com/", "github.com/hashicorp/", "github.com/aws/", "modernc.org/"} {
			if strings.Contains(pkg, cloud) {
				t.Errorf("package doctor links %s", pkg)
			}
		}
	}
}
