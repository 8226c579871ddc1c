package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// contents are the rows of the table, by their IDs, and their tokens, while a transaction has the table locked.
type contents struct {
	table table
	tx    session
	rows  map[string]row
	list  *tokenkeep.List
}

// change loads and locks the table, calls f, and writes the token that f returns.
func (s *Store) change(ctx context.Context, op, id string, f func(*tokenkeep.List) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	var changed tokenkeep.Token
	err := s.lock(ctx, func(c *contents) (err error) {
		changed, err = c.change(ctx, f)
		return err
	})
	if err != nil {
		return tokenkeep.Token{}, fail(op, id, err)
	}
	return changed, nil
}

// lock calls f in a transaction that has the table locked.
func (s *Store) lock(ctx context.Context, f func(*contents) error) error {
	return s.transact(ctx, func(tx session) error {
		rows, err := s.table.read(ctx, tx, locked, "")
		if err != nil {
			return err
		}
		l, err := listOf(rows)
		if err != nil {
			return err
		}
		c := &contents{table: s.table, tx: tx, rows: make(map[string]row, len(rows)), list: l}
		for _, r := range rows {
			c.rows[r[idColumn]] = r
		}
		l.NewID = func() string { return s.highest.next(c.rows) }
		return f(c)
	})
}

// change calls f and writes the token that it returns. After an error, c is as it was.
func (c *contents) change(ctx context.Context, f func(*tokenkeep.List) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	changed, err := f(c.list)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	changed.RefreshedAt, changed.Reauthorize = time.Time{}, nil
	if changed.AccessToken == "" {
		changed.ExpiresAt = time.Time{} // it is the expiry of nothing
	}
	next, err := rowOf(changed)
	if err == nil {
		err = c.table.write(ctx, c.tx, c.rows, next)
	}
	if err == nil {
		c.rows[changed.ID] = next
	}
	if err := errors.Join(err, c.relist(changed.ID)); err != nil {
		return tokenkeep.Token{}, err
	}
	return changed, nil
}

// try is change in a part of the transaction that is undone where the token is refused: by the rules, or by the table. err is
// about the database, and the end of the transaction.
func (c *contents) try(ctx context.Context, f func(*tokenkeep.List) (tokenkeep.Token, error)) (t tokenkeep.Token, refused, err error) {
	if err := c.execute(ctx, "SAVEPOINT token"); err != nil {
		return tokenkeep.Token{}, nil, err
	}
	t, refused = c.change(ctx, f)
	switch {
	case refused == nil:
		return t, nil, c.execute(ctx, "RELEASE SAVEPOINT token")
	case ctx.Err() != nil || lost(refused) || explained(refused) != nil:
		return tokenkeep.Token{}, nil, refused
	}
	if err := c.execute(ctx, "ROLLBACK TO SAVEPOINT token", "RELEASE SAVEPOINT token"); err != nil { // the error undid all
		return tokenkeep.Token{}, nil, refused
	}
	return tokenkeep.Token{}, refused, nil
}

func (c *contents) execute(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := c.tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// relist makes the list hold of an ID what its row holds, and nothing of its past, as if it were read again.
func (c *contents) relist(id string) error {
	r, ok := c.rows[id]
	if !ok {
		return c.list.Delete(id)
	}
	t, err := r.token()
	if err != nil {
		return err
	}
	return c.list.Put(t)
}
