package filestore_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	store := filestore.New(filepath.Join(dir, "sdk_tokens.txt")) // or the file of an SDK
	saved, err := store.SaveToken(ctx, tokenkeep.Token{UserName: "ann@example.com", RefreshToken: "1000.secret"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("saved under", saved.ID)

	found, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found) // prints without the credential

	// Output:
	// saved under 1
	// Token{id: "1", user_name: "ann@example.com", refresh_token: "[redacted]"}
}
