package zohonode

import (
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/verdict"
)

func TestATestWithoutNpmIsLeftOutUnlessNpmIsRequired(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for required, want := range map[string]string{"": "skipped: ", "mariadb,npm5": "skipped: ", "mariadb,npm": "failed: "} {
		t.Setenv("TOKENKEEP_REQUIRE", required)
		got := verdict.Of(t, func(t testing.TB) { Install(t, "none.mjs") })
		if !strings.HasPrefix(got, want) || !strings.Contains(got, `"npm"`) {
			t.Errorf("where %q is required the test is %q; want %q", required, got, want)
		}
	}
}
