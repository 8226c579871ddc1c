package vault_test

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
	"github.com/tokenkeep/tokenkeep/vault"
)

// TestMain runs the tests or, in a process that a test has started, its part there.
func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		os.Exit(runChild(text))
	}
	goleak.VerifyTestMain(realvault.M{M: m})
}

// onServers runs a test on each server.
func onServers(t *testing.T, test func(t *testing.T, server *realvault.Instance)) {
	for _, name := range realvault.Servers() {
		t.Run(string(name), func(t *testing.T) { test(t, realvault.Start(t, name)) })
	}
}

func freshPrefix() string { return "test/" + strings.ToLower(rand.Text()) }

func newDriver(t *testing.T, server *realvault.Instance, token string, o vault.Options) driver.Secrets {
	t.Helper()
	d, err := vault.NewSecrets(server.NewClient(t, token), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
