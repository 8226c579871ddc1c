// Testservers builds the servers that the tests need, unless they are in the cache, so that no test has to.
package main

import (
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/tokenkeep/tokenkeep/integration_test/realvault"
)

func main() {
	log.SetFlags(0)
	for _, server := range realvault.Servers() {
		if server == realvault.External {
			fmt.Println("testservers: the tests will run on the server at VAULT_ADDR")
			continue
		}
		begun := time.Now()
		path, err := realvault.Build(server)
		switch {
		case errors.Is(err, realvault.ErrNoSource) && !realvault.Required():
			fmt.Printf("testservers: the tests on %s will be left out, since it cannot be built: %v\n", server, err)
		case err != nil:
			log.Fatalf("testservers: %s: %v", server, err)
		default:
			fmt.Printf("testservers: %s is %s (%s)\n", server, path, time.Since(begun).Round(100*time.Millisecond))
		}
	}
}
