package storeurl

import (
	"database/sql"
	"fmt"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/tokenkeep/tokenkeep/filestore"
	"github.com/tokenkeep/tokenkeep/memstore"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

type memory struct{ *memstore.Store }

// Close does nothing.
func (memory) Close() error { return nil }

func openMemory(rest string) (Store, error) {
	if rest != "" {
		return nil, invalid("nothing follows mem:")
	}
	return memory{memstore.New()}, nil
}

type file struct{ *filestore.Store }

// Close does nothing: the file is open only while it is read or written.
func (file) Close() error { return nil }

func openFile(path string) (Store, error) {
	if path == "" {
		return nil, invalid("it has no path")
	}
	return file{filestore.New(path)}, nil
}

type database struct {
	*sqlstore.Store
	db *sql.DB
}

// Close closes the connections to the database.
func (d database) Close() error { return d.db.Close() }

func openSQLite(path string) (Store, error) {
	switch {
	case path == "":
		return nil, invalid("it has no path")
	case strings.Contains(path, "?"): // the driver would take what follows for settings
		return nil, invalid("it has a parameter, and this form takes none")
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if path == ":memory:" {
		db.SetMaxOpenConns(1) // each connection would have a database of its own
	}
	return openTable(db, sqlstore.Options{Dialect: sqlstore.SQLite, Create: true})
}

// openTable returns a store that closes the database, or closes it now.
func openTable(db *sql.DB, o sqlstore.Options) (Store, error) {
	store, err := sqlstore.New(db, o)
	if err != nil {
		_ = db.Close() // the error tells more
		return nil, err
	}
	return database{store, db}, nil
}
