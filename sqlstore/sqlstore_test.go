package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/sqlstore"
	"github.com/tokenkeep/tokenkeep/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mariadbtest.M{M: m}) }

// database is a database that is empty at first; it opens one more pool of connections to it.
type database func() *sql.DB

// databases are those that a store is tested on. Each makes a new one.
var databases = []struct {
	name    string
	dialect sqlstore.Dialect
	fresh   func(t *testing.T) database
}{
	{"SQLite in a file", sqlstore.SQLite, func(t *testing.T) database {
		path := filepath.Join(t.TempDir(), "tokens.db")
		return func() *sql.DB { return open(t, "sqlite", path) }
	}},
	{"SQLite in memory", sqlstore.SQLite, func(t *testing.T) database {
		db := open(t, "sqlite", ":memory:")
		db.SetMaxOpenConns(1)
		return func() *sql.DB { return db }
	}},
	{"MariaDB", sqlstore.MySQL, func(t *testing.T) database {
		source := mariadbtest.Start(t)
		return func() *sql.DB { return open(t, "mysql", source) }
	}},
}

func open(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func newStore(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: dialect, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStoresKeepTheContract(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
				db := d.fresh(t)
				return func() tokenkeep.Store { return newStore(t, db(), d.dialect) }
			}, storetest.Limits{TenColumns: true})
		})
	}
}
