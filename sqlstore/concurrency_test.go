package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

// atOnce runs f 16 times at once, each with a store and connections of its own.
func atOnce(t *testing.T, open database, dialect sqlstore.Dialect, f func(i int, s *sqlstore.Store) error) {
	t.Helper()
	errs := make([]error, 16)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range errs {
		s := newStore(t, open(), dialect)
		group.Go(func() {
			<-start
			errs[i] = f(i, s)
		})
	}
	close(start)
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestFirstSavesAtOnceMakeOneRowForEachUser(t *testing.T) {
	for _, d := range databases {
		for _, users := range []int{1, 4, 16} {
			t.Run(fmt.Sprintf("%s, %d users", d.name, users), func(t *testing.T) {
				open := d.fresh(t)
				atOnce(t, open, d.dialect, func(i int, s *sqlstore.Store) error {
					_, err := s.SaveToken(t.Context(), token{UserName: fmt.Sprint("user", i%users), RefreshToken: fmt.Sprint("r", i)})
					return err
				})
				got := tokens(t, newStore(t, open(), d.dialect))
				if len(got) != users {
					t.Errorf("saves of %d users made %d rows: %v", users, len(got), got)
				}
				names := map[string]bool{}
				for _, token := range got {
					names[token.UserName] = true
				}
				if len(names) != users {
					t.Errorf("saves of %d users left %d of them: %v", users, len(names), got)
				}
			})
		}
	}
}

func TestSavesAtOnceUnderIDsLoseNone(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			open := d.fresh(t)
			atOnce(t, open, d.dialect, func(i int, s *sqlstore.Store) error {
				id := strconv.Itoa(i + 1)
				for n := range 3 {
					if _, err := s.SaveToken(t.Context(), token{ID: id, UserName: "u" + id, RefreshToken: "r", AccessToken: fmt.Sprint(n)}); err != nil {
						return err
					}
				}
				return nil
			})
			got := tokens(t, newStore(t, open(), d.dialect))
			for i := range 16 {
				if id := strconv.Itoa(i + 1); got["u"+id+"/"+id].AccessToken != "2" {
					t.Errorf("the last save of %q is missing: %v", id, got)
				}
			}
		})
	}
}

func TestOneIdentityUnderTwoIDsAtOnceIsAConflict(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			open := d.fresh(t)
			var mu sync.Mutex
			conflicts := 0
			atOnce(t, open, d.dialect, func(i int, s *sqlstore.Store) error {
				_, err := s.SaveToken(t.Context(), token{ID: strconv.Itoa(i + 1), UserName: "a", RefreshToken: "r"})
				if errors.Is(err, tokenkeep.ErrConflict) {
					mu.Lock()
					defer mu.Unlock()
					conflicts++
					return nil
				}
				return err
			})
			if got := tokens(t, newStore(t, open(), d.dialect)); len(got) != 1 || conflicts != 15 {
				t.Errorf("16 saves of one user under IDs of their own made %d tokens and %d conflicts, want 1 and 15", len(got), conflicts)
			}
		})
	}
}

func TestATableThatOthersKeepLockedIsUnavailable(t *testing.T) {
	for _, d := range databases {
		if d.name == "SQLite in memory" {
			continue // it has one connection, and waits for that as long as ctx lasts
		}
		t.Run(d.name, func(t *testing.T) {
			open := d.fresh(t)
			db := open()
			s := newStore(t, db, d.dialect)
			saved := save(t, s, token{UserName: "a", RefreshToken: "r"})
			other, err := open().Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = other.Close() }()
			locking := []string{"BEGIN IMMEDIATE"}
			if d.dialect == sqlstore.MySQL {
				locking = []string{"START TRANSACTION", "SELECT * FROM oauthtoken FOR UPDATE"}
				execute(t, db, "SET GLOBAL innodb_lock_wait_timeout = 0")
				defer execute(t, db, "SET GLOBAL innodb_lock_wait_timeout = 50")
				s = newStore(t, open(), d.dialect) // on connections that know it
			}
			for _, statement := range locking {
				if _, err := other.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			save := func(ctx context.Context) error {
				_, err := s.SaveToken(ctx, token{UserName: "a", AccessToken: "A"})
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			refused(t, "a save that waits for others", save(ctx), context.DeadlineExceeded)
			s.LosePatience()
			refused(t, "a save that waited for others too long", save(t.Context()), tokenkeep.ErrUnavailable, "other writers")
			savesNone(t, s, tokenkeep.ErrUnavailable, "other writers", token{UserName: "b", RefreshToken: "r"}, token{UserName: "c"})
			if found, err := s.FindToken(t.Context(), token{UserName: "a"}); err != nil || found.AccessToken != "" {
				t.Errorf("FindToken beside a writer = %v, %v, want %v", found, err, saved)
			}
			if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
			if err := save(t.Context()); err != nil {
				t.Errorf("a save after the others: %v", err)
			}
		})
	}
}

func TestAnUpdateThatPanicsLeavesNothingLocked(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			saved := save(t, s, token{UserName: "a", RefreshToken: "r"})
			func() {
				defer func() { _ = recover() }()
				_, _ = s.UpdateToken(t.Context(), saved.ID, func(token) (token, error) { panic("no") })
			}()
			save(t, s, token{UserName: "a", AccessToken: "A"})
			if open := db.Stats().InUse; open != 0 {
				t.Errorf("%d connections are in use after all calls, want 0", open)
			}
			for _, left := range databaseErrors(t, db) {
				t.Error(left)
			}
		})
	}
}

// databaseErrors returns what keeps db from a plain transaction.
func databaseErrors(t *testing.T, db *sql.DB) []error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		return []error{err}
	}
	_, err = tx.ExecContext(t.Context(), "DELETE FROM oauthtoken")
	if err != nil {
		return []error{err, tx.Rollback()}
	}
	if err := tx.Commit(); err != nil {
		return []error{err}
	}
	return nil
}
