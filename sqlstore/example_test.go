package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	_ "modernc.org/sqlite"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

func Example() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1) // each connection to ":memory:" has a database of its own

	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite, Create: true})
	if err != nil {
		log.Fatal(err)
	}
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
