// Package realvault starts OpenBao and HashiCorp Vault, the real servers, for tests. It is for tests only.
//
//	func TestMain(m *testing.M) { os.Exit(realvault.M{M: m}.Run()) }
//
//	func TestDriver(t *testing.T) {
//		for _, server := range realvault.Servers() {
//			t.Run(string(server), func(t *testing.T) {
//				instance := realvault.Start(t, server)
//				_, err := instance.Client.KVv2("secret").Put(t.Context(), "my-prefix/x", map[string]any{"a": "b"})
//				...
//
// Every server has KV version 2 at secret/, KV version 1 at kv1/ and the auth methods approle and userpass. One storage
// entry holds at most 1 MiB, as in integrated storage. OpenBao has namespaces. All tests of a test binary share one
// process per server and what they leave there, so each needs prefixes, mounts, roles and policies of its own.
//
// A server is built when it is needed first, in minutes, and kept below os.UserCacheDir; go run ./testservers in the
// module does it beforehand.
package realvault

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/vault/api"
)

// Server names a server to test on.
type Server string

// The servers: OpenBao 2.4.0 and Vault 1.14.1, built from source, and the one at VAULT_ADDR.
const (
	OpenBao  Server = "openbao"
	Vault    Server = "vault"
	External Server = "external"
)

// Built lists the servers that are built from source.
func Built() []Server { return []Server{OpenBao, Vault} }

// Servers lists what to run the tests on: [Built], or only [External] if VAULT_ADDR and VAULT_TOKEN are set. The tests
// write to that server, and mount what it lacks of the mounts above.
func Servers() []Server {
	if external != nil {
		return []Server{External}
	}
	return Built()
}

// An Instance is a server that runs, unsealed.
type Instance struct {
	Server    Server
	Addr      string // its URL
	RootToken string // of the external server: VAULT_TOKEN
	UnsealKey string // of the external server: empty
	Client    *api.Client
}

var (
	running  atomic.Bool                   // an M runs the tests
	external = fromEnvironment()           // read before an M clears it
	started  = map[Server]*sharedProcess{} // keyed by all of Built and External
)

// fromEnvironment returns the server that the environment names, or nil.
func fromEnvironment() *Instance {
	address, token := os.Getenv("VAULT_ADDR"), os.Getenv("VAULT_TOKEN")
	if address == "" || token == "" {
		return nil
	}
	return &Instance{Server: External, Addr: address, RootToken: token}
}

// M is a testing.M that ends the servers after the tests. It goes wherever the other does, goleak.VerifyTestMain too, and around
// the M of another package.
type M struct{ M interface{ Run() int } }

// Run removes all VAULT_ and BAO_ variables from the environment, since every api.NewClient takes its token, its
// namespace and its headers from there; then it runs the tests, ends the servers and returns the exit code of the tests.
func (m M) Run() int {
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "VAULT_") || strings.HasPrefix(variable, "BAO_") {
			name, _, _ := strings.Cut(variable, "=")
			_ = os.Unsetenv(name)
		}
	}
	for _, server := range append(Built(), External) {
		started[server] = &sharedProcess{server: server}
	}
	running.Store(true)
	defer func() {
		for _, process := range started {
			process.stop()
		}
	}()
	return m.M.Run()
}

// Start returns an instance of the server, which it builds and starts if no other test has. Its Client is for this test.
//
// Where the source of the server cannot be had, for want of a network, Start skips the test, or fails it if vault is in
// the comma-separated variable TOKENKEEP_REQUIRE. Where there is an [External] server it skips tests on another one. A
// server that does not compile or start fails the test everywhere, and so does a package whose TestMain uses no [M].
func Start(t testing.TB, server Server) *Instance {
	t.Helper()
	if !running.Load() {
		t.Fatalf("realvault: TestMain does not run the tests by a realvault.M, which would end the servers")
	}
	process, ok := started[server]
	if !ok {
		t.Fatalf("realvault: there is no server %q", server)
	}
	if external != nil && server != External {
		t.Skipf("left out: %s, since the tests run on the server at VAULT_ADDR, and not on %s", t.Name(), server)
	}
	instance, err := process.instance()
	switch {
	case errors.Is(err, ErrNoSource) && !Required():
		t.Skipf("left out: %s, since %s cannot be built: %v", t.Name(), server, err)
	case err != nil:
		t.Fatalf("realvault: %s: %v", server, err)
	}
	instance.Client = instance.NewClient(t, instance.RootToken)
	return &instance
}

// Required says whether TOKENKEEP_REQUIRE has it that no test on a server may be left out.
func Required() bool {
	return slices.Contains(strings.Split(os.Getenv("TOKENKEEP_REQUIRE"), ","), "vault")
}

// NewClient returns a client with this token, or with none if it is empty, and its own connections, closed when the test
// ends. Its other settings are those of api.DefaultConfig: it repeats a request twice, after 1 second and more.
func (i *Instance) NewClient(t testing.TB, token string) *api.Client {
	t.Helper()
	client, closeIdle, err := newClient(i.Addr, token)
	if err != nil {
		t.Fatalf("realvault: %v", err)
	}
	t.Cleanup(closeIdle)
	return client
}

func newClient(address, token string) (client *api.Client, closeIdle func(), err error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, nil, config.Error
	}
	config.Address = address
	client, err = api.NewClient(config)
	if err != nil {
		return nil, nil, fmt.Errorf("client for %s: %w", address, err)
	}
	client.SetToken(token)
	return client, config.HttpClient.Transport.(*http.Transport).CloseIdleConnections, nil
}
