package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// Options of a Store.
type Options struct {
	// Dialect is what the database speaks, [MySQL] or [SQLite]. It is required.
	Dialect Dialect

	// Table is the table's name, in the database of the connection. Empty means oauthtoken, as in Zoho's SDKs.
	Table string

	// Create makes the table with the first change, where there is none; until then no token is found. Where there is one,
	// no right to make tables is needed.
	Create bool
}

// Store is a [tokenkeep.Store] in a table of a SQL database. [New] makes one.
//
// It is safe for concurrent use, and so are any number of stores and processes on one table.
type Store struct {
	db      *sql.DB
	table   table
	create  bool
	highest highest

	patience time.Duration
}

var (
	_ tokenkeep.Store   = (*Store)(nil)
	_ tokenkeep.Updater = (*Store)(nil)
)

// New returns a store in a table of db. It makes no calls; db stays the caller's to close. An unknown dialect, or a name
// of a table that is not made of letters, digits and underscores, is [tokenkeep.ErrInvalid].
func New(db *sql.DB, o Options) (*Store, error) {
	if db == nil {
		return nil, fmt.Errorf("sqlstore: the database is nil: %w", tokenkeep.ErrInvalid)
	}
	t, err := newTable(o.Dialect, o.Table)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	return &Store{db: db, table: t, create: o.Create, patience: defaultPatience}, nil
}

// FindToken returns the token that query means, by the rules of [tokenkeep.Store]. It reads the whole table, or one row
// where query has an ID, in one call.
func (s *Store) FindToken(ctx context.Context, query tokenkeep.Token) (tokenkeep.Token, error) {
	return s.find(ctx, query.ID, func(l *tokenkeep.List) (tokenkeep.Token, error) { return l.Find(query) })
}

// FindTokenByID returns the token with this ID, or [tokenkeep.ErrNotFound]. It reads one row, in one call.
func (s *Store) FindTokenByID(ctx context.Context, id string) (tokenkeep.Token, error) {
	return s.find(ctx, id, func(l *tokenkeep.List) (tokenkeep.Token, error) { return l.FindByID(id) })
}

// find looks a token up among the rows with this ID, or among all where it is empty.
func (s *Store) find(ctx context.Context, id string, look func(*tokenkeep.List) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	if _, err := look(&tokenkeep.List{}); !errors.Is(err, tokenkeep.ErrNotFound) { // the arguments are no good
		return tokenkeep.Token{}, fail("find token", id, err)
	}
	l, err := s.load(ctx, id)
	if err != nil {
		return tokenkeep.Token{}, fail("find token", id, err)
	}
	found, err := look(l)
	if err != nil {
		return tokenkeep.Token{}, fail("find token", id, err)
	}
	return found, nil
}

// load reads, in one statement, the rows with this ID, or all where it is empty.
func (s *Store) load(ctx context.Context, id string) (*tokenkeep.List, error) {
	where := all
	if id != "" {
		where = byID
	}
	rows, err := s.read(ctx, where, id)
	if err != nil {
		return nil, err
	}
	return listOf(rows)
}

// read reads rows in one statement. A table that is still to be made has none.
func (s *Store) read(ctx context.Context, which which, id string) (rows []row, err error) {
	err = s.again(ctx, func() error {
		rows, err = s.table.read(ctx, s.db, which, id)
		return err
	})
	if s.create && s.table.missing(err) {
		return nil, nil
	}
	return rows, err
}

// UpdateToken replaces the token with this ID by what f makes of it. The table is locked while f runs: f must not use
// the store. The errors are those of [tokenkeep.Updater] and of SaveToken.
func (s *Store) UpdateToken(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	return s.change(ctx, "update token", id, func(l *tokenkeep.List) (tokenkeep.Token, error) {
		return l.Update(id, func(t tokenkeep.Token) (tokenkeep.Token, error) {
			t, err := f(t)
			t.ExpiresAt = t.ExpiresAt.Truncate(time.Millisecond)
			return t, err
		})
	})
}

// DeleteToken removes the token with this ID; that there is none is no error.
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	err := (&tokenkeep.List{}).Delete(id)
	if err == nil {
		err = s.transact(ctx, func(tx session) error { return s.table.remove(ctx, tx, byID, id) })
	}
	return fail("delete token", id, err)
}

// DeleteTokens removes all rows of the table.
func (s *Store) DeleteTokens(ctx context.Context) error {
	return fail("delete tokens", "", s.transact(ctx, func(tx session) error { return s.table.remove(ctx, tx, all, "") }))
}

// GetTokens returns all tokens ordered by the bytes of their IDs, so "10" comes before "9". Rows that cannot be
// understood are left out and named in the error.
func (s *Store) GetTokens(ctx context.Context) ([]tokenkeep.Token, error) {
	rows, err := s.read(ctx, all, "")
	if err != nil {
		return []tokenkeep.Token{}, fail("get tokens", "", err)
	}
	tokens, damaged := tokensOf(rows)
	l, err := tokenkeep.NewList(tokens)
	if err != nil {
		return []tokenkeep.Token{}, fail("get tokens", "", err)
	}
	return l.Tokens(), fail("get tokens", "", damaged)
}

// fail returns err with what was done to which token, or nil.
func fail(op, id string, err error) error {
	if err == nil {
		return nil
	}
	return &tokenkeep.Error{Op: op, ID: id, Err: err}
}

// Format prints the name of the table, whatever the verb.
func (s *Store) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "sqlstore.Store{%s}", s.table.name)
}

// LogValue returns the name of the table.
func (s *Store) LogValue() slog.Value { return slog.GroupValue(slog.String("table", s.table.name)) }
