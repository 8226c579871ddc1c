package sqlstore

import (
	"fmt"
	"regexp"

	"github.com/tokenkeep/tokenkeep"
)

// Dialect is what a database speaks.
type Dialect int

// The dialects.
const (
	// MySQL is MySQL or MariaDB. The table's engine has to be InnoDB, which is the default.
	MySQL Dialect = iota + 1

	// SQLite is SQLite 3. Each connection to ":memory:" has a database of its own, so call SetMaxOpenConns(1),
	// SetMaxIdleConns(1) and SetConnMaxLifetime(0) on the *sql.DB of one.
	SQLite
)

// String returns the name of the dialect.
func (d Dialect) String() string {
	switch d {
	case MySQL:
		return "MySQL"
	case SQLite:
		return "SQLite"
	default:
		return fmt.Sprintf("Dialect(%d)", int(d))
	}
}

// begin returns what starts a transaction that sees the table as it is, and which no other writer gets into.
func (d Dialect) begin() []string {
	if d == SQLite {
		return []string{"BEGIN IMMEDIATE"}
	}
	// At this level a locking read of an empty table keeps others from inserting into it.
	return []string{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION"}
}

// quote returns a name as an identifier.
func (d Dialect) quote(name string) string {
	if d == SQLite {
		return `"` + name + `"`
	}
	return "`" + name + "`"
}

var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func newTable(d Dialect, name string) (table, error) {
	if name == "" {
		name = "oauthtoken"
	}
	switch {
	case d != MySQL && d != SQLite:
		return table{}, fmt.Errorf("Options.Dialect is %v, it has to be MySQL or SQLite: %w", d, tokenkeep.ErrInvalid)
	case !tableName.MatchString(name):
		return table{}, fmt.Errorf("Options.Table is %q, it has to be a letter or underscore and at most 63 more of these or "+
			"digits: %w", name, tokenkeep.ErrInvalid)
	}
	return table{dialect: d, name: name}, nil
}
