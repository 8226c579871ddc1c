package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
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

// transact runs f in a transaction, again where the database ends that in favour of another one.
func (s *Store) transact(ctx context.Context, f func(tx session) error) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.again(ctx, func() error { return s.once(ctx, f) })
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
			return fmt.Errorf("other writers had the table for %v: %w: %w", s.patience, tokenkeep.ErrConflict, err)
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
	if err == nil {
		return false
	}
	for _, words := range []string{"database is locked", "database table is locked", "Error 1205 ", "Error 1213 ", "Error 1020 "} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// explain returns err with the context's error in it if that may be why the database gave up (a driver that leaves a
// connection may call that bad), and as ErrUnavailable if the database is not to be reached.
func explain(ctx context.Context, err error) error {
	var network net.Error
	switch {
	case err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case errors.As(err, &network):
		return fmt.Errorf("%w: %w", tokenkeep.ErrUnavailable, err)
	default:
		return err
	}
}
