package commandline

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestACopyShowsABarOnATerminal runs the program on a terminal that script makes (of util-linux).
func TestACopyShowsABarOnATerminal(t *testing.T) {
	path, err := exec.LookPath("script")
	if err != nil {
		t.Skipf("left out, since script is not installed (apt-get install bsdutils): %v", err)
	}
	seed := writeFile(t, fits)
	for _, tt := range []struct {
		flags string
		bar   bool
	}{{"", true}, {" --json", false}, {" --dry-run", false}, {" 2>/dev/null", false}} {
		t.Run("copy"+tt.flags, func(t *testing.T) {
			target := filepath.Join(t.TempDir(), "target.csv")
			terminal := exec.Command(path, "-qec", program+" copy --from file:"+seed+" --to file:"+target+tt.flags, "/dev/null")
			terminal.Env = []string{"SHELL=/bin/sh", "HOME=" + t.TempDir()}
			out, err := terminal.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			last := "\r[" + strings.Repeat("#", 30) + "] 12 of 12\r\n" // a terminal writes \r\n for \n
			if shown := strings.Contains(string(out), last); shown != tt.bar || !tt.bar && strings.Contains(string(out), "of 12") {
				t.Errorf("a bar is shown: %t; want %t\n%q", shown, tt.bar, out)
			}
		})
	}
}
