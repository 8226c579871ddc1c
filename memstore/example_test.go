package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
)

func Example() {
	ctx := context.Background()
	store := memstore.New()

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

	_, err = store.FindToken(ctx, tokenkeep.Token{UserName: "eve@example.com"})
	fmt.Println("eve is not there:", errors.Is(err, tokenkeep.ErrNotFound))

	// Output:
	// saved under 1
	// Token{id: "1", user_name: "ann@example.com", refresh_token: "[redacted]"}
	// eve is not there: true
}
