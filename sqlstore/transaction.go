package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// defaultPatience is how long a call tries again while other writers have the table locked.
const defaultPatience = 10 * time.Second

// session is a connection or a pool of them.
type session interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// transact runs f in a transaction, again where the database ends that in favour of another one, and on a new table where
// there was none and the store is to make it.
func (s *Store) transact(ctx context.Context, f func(tx session) error) error {
	run := func() error { return s.once(ctx, f) }
	err := s.again(ctx, run)
	if !s.create || !s.table.missing(err) {
		return err
	}
	err = s.again(ctx, func() error {
		_, err := s.db.ExecContext(ctx, s.table.definition())
		return err
	})
	if err != nil {
		return err
	}
	return s.again(ctx, run)
}

// once runs f in a transaction on a connection of its own.
func (s *Store) once(ctx context.Context, f func(tx session) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	committed := false
	defer func() { // also when f panics
		if !committed {
			undo(ctx, conn)
		}
	}()
	for _, statement := range s.table.dialect.begin() {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := f(conn); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	committed = err == nil
	return err
}

// undo rolls back whatever is open on a connection, or takes the connection out of the pool.
func undo(ctx context.Context, conn *sql.Conn) {
	_, err := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	if err != nil && !strings.Contains(err.Error(), "no transaction is active") { // SQLite says so where BEGIN failed
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// again calls f until it does something else than lose against another writer.
func (s *Store) again(ctx context.Context, f func() error) error {
	start := time.Now()
	for attempt := 0; ; attempt++ {
		err := f()
		if !lost(err) {
			return explain(ctx, err)
		}
		if time.Since(start) > s.patience {
			return fmt.Errorf("other writers had the table for %v: %w: %w", s.patience, tokenkeep.ErrUnavailable, err)
		}
		longest := min(2*time.Millisecond<<min(attempt, 10), 50*time.Millisecond)
		timer := time.NewTimer(rand.N(longest))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// lost reports whether a transaction was ended in favour of another one. There is no type for that which the drivers
// share: these are the words of SQLite, and of go-sql-driver for a lock that was not got in time, for a deadlock and for a
// row that changed meanwhile.
func lost(err error) bool {
	return says(err, "database is locked", "database table is locked", "Error 1205 ", "Error 1213 ", "Error 1020 ")
}

// denied reports whether the user may not log in, use the database, or do this with the table or a column, in the words of
// go-sql-driver.
func denied(err error) bool {
	return says(err, "Error 1044 ", "Error 1045 ", "Error 1142 ", "Error 1143 ", "Error 1698 ")
}

func says(err error, words ...string) bool {
	return err != nil && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(err.Error(), w) })
}

// explain returns err with the context's error in it if that may be why the database gave up (a driver that leaves a
// connection may call that bad), and with that of explained.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case explained(err) != nil:
		return fmt.Errorf("%w: %w", explained(err), err)
	default:
		return err
	}
}

// explained returns ErrUnavailable if the database is not to be reached, ErrPermission if it refuses the user, else nil.
func explained(err error) error {
	var network net.Error
	switch {
	case errors.As(err, &network):
		return tokenkeep.ErrUnavailable
	case denied(err):
		return tokenkeep.ErrPermission
	default:
		return nil
	}
}
