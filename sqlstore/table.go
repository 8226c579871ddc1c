package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep"
)

// table is a table with Zoho's columns.
type table struct {
	dialect Dialect
	name    string
}

// which rows a statement is about.
type which int

const (
	all    which = iota
	locked       // all, and nobody else changes or adds any until the transaction ends
	byID
)

// definition returns the statement that makes the table where there is none.
func (t table) definition() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s (", t.quoted())
	for i, c := range columns {
		null := ""
		if i == idColumn {
			null = " NOT NULL"
		}
		fmt.Fprintf(&b, "%s varchar(%d)%s, ", c.name, c.width, null)
	}
	b.WriteString("PRIMARY KEY (id))")
	if t.dialect == MySQL { // whatever the database's defaults: transactions, any text, and "a" is not "A"
		b.WriteString(" ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	}
	return b.String()
}

// missing reports whether an error says that there is no such table, in the words of SQLite or go-sql-driver.
func (t table) missing(err error) bool { return says(err, "no such table: "+t.name, "Error 1146 ") }

func (t table) quoted() string { return t.dialect.quote(t.name) }

// where returns the rest of a statement about some rows, and its arguments.
func (t table) where(which which, id string) (clause string, args []any) {
	switch {
	case which == byID && t.dialect == MySQL:
		// The first part uses the primary key, by the column's collation; the second compares bytes.
		return " WHERE id = ? AND HEX(CONVERT(id USING utf8mb4)) = ?", []any{id, strings.ToUpper(hex.EncodeToString([]byte(id)))}
	case which == byID:
		return " WHERE id = ? COLLATE BINARY", []any{id}
	case which == locked && t.dialect == MySQL:
		return " FOR UPDATE", nil
	default:
		return "", nil
	}
}

// read returns rows of the table.
func (t table) read(ctx context.Context, db session, which which, id string) ([]row, error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	where, args := t.where(which, id)
	found, err := db.QueryContext(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+t.quoted()+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	var rows []row
	for found.Next() {
		var values [len(columns)]sql.NullString
		targets := make([]any, len(values))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		var r row
		for i, value := range values {
			r[i] = value.String
		}
		rows = append(rows, r)
	}
	return rows, found.Err()
}

// remove deletes rows of the table.
func (t table) remove(ctx context.Context, tx session, which which, id string) error {
	where, args := t.where(which, id)
	_, err := tx.ExecContext(ctx, "DELETE FROM "+t.quoted()+where, args...)
	return err
}

// write makes a row the one of its ID, given the rows that are there by their IDs, and reads it back: a database may cut what
// is too long, or replace characters that the column's character set does not have.
func (t table) write(ctx context.Context, tx session, rows map[string]row, next row) error {
	old, known := rows[next[idColumn]]
	if known && old == next {
		return nil
	}
	err := t.fits(ctx, tx, next)
	if err != nil {
		return err
	}
	if known {
		err = t.update(ctx, tx, old, next)
	} else {
		err = t.insert(ctx, tx, next)
	}
	if err != nil {
		return discreet(err, next)
	}
	return t.check(ctx, tx, next)
}

// update changes the columns of a row that differ.
func (t table) update(ctx context.Context, tx session, old, next row) error {
	var sets []string
	var args []any
	for i, c := range columns {
		if old[i] != next[i] {
			sets = append(sets, c.name+" = ?")
			args = append(args, nullable(next[i]))
		}
	}
	where, whereArgs := t.where(byID, next[idColumn])
	_, err := tx.ExecContext(ctx, "UPDATE "+t.quoted()+" SET "+strings.Join(sets, ", ")+where, append(args, whereArgs...)...)
	return err
}

func (t table) insert(ctx context.Context, tx session, next row) error {
	var names, marks []string
	var args []any
	for i, c := range columns {
		names, marks, args = append(names, c.name), append(marks, "?"), append(args, nullable(next[i]))
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+t.quoted()+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
	return err
}

// check reads a row back.
func (t table) check(ctx context.Context, tx session, want row) error {
	rows, err := t.read(ctx, tx, byID, want[idColumn])
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("the column id does not keep %q as it is: %w", want[idColumn], tokenkeep.ErrInvalid)
	}
	for i, c := range columns {
		if rows[0][i] != want[i] {
			return fmt.Errorf("the column %s does not keep its value of %d characters as it is; look at its type and character set: %w",
				c.name, utf8.RuneCountInString(want[i]), tokenkeep.ErrInvalid)
		}
	}
	return nil
}

// fits refuses values that are longer than their columns. SQLite does not limit them.
func (t table) fits(ctx context.Context, tx session, next row) error {
	if t.dialect != MySQL {
		return nil
	}
	var widths map[string]int64
	for i, c := range columns {
		length := utf8.RuneCountInString(next[i])
		if length <= c.width {
			continue
		}
		if widths == nil {
			var err error
			if widths, err = t.widths(ctx, tx); err != nil {
				return err
			}
		}
		if width, ok := widths[c.name]; ok && int64(length) > width {
			return fmt.Errorf("the column %s takes %d characters, and this value has %d; to make it wider: "+
				"ALTER TABLE %s MODIFY %s %s: %w", c.name, width, length, t.quoted(), c.name, wider(i), tokenkeep.ErrTooLarge)
		}
	}
	return nil
}

// wider returns the type of a column that takes whatever a token may have there.
func wider(column int) string {
	if column == idColumn {
		return "varchar(128) NOT NULL"
	}
	return "text"
}

// widths returns how many characters the columns take that limit them.
func (t table) widths(ctx context.Context, tx session) (map[string]int64, error) {
	found, err := tx.QueryContext(ctx, "SELECT column_name, character_maximum_length FROM information_schema.columns "+
		"WHERE table_schema = DATABASE() AND table_name = ? AND character_maximum_length IS NOT NULL", t.name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	widths := map[string]int64{}
	for found.Next() {
		var name string
		var width int64
		if err := found.Scan(&name, &width); err != nil {
			return nil, err
		}
		widths[strings.ToLower(name)] = width
	}
	return widths, found.Err()
}

func nullable(value string) sql.NullString { return sql.NullString{String: value, Valid: value != ""} }
