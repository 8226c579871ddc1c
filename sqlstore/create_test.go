package sqlstore_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

func TestATableIsMadeOnRequestOnly(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			o := sqlstore.Options{Dialect: d.dialect, Table: "order"} // a keyword
			s, err := sqlstore.New(db, o)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err = s.SaveToken(t.Context(), token{UserName: "a", RefreshToken: "r"}); err == nil || !strings.Contains(err.Error(), "order") {
					t.Errorf("a save without a table: error %v, want one that names it", err)
				}
			}
			if _, err := s.GetTokens(t.Context()); err == nil || !strings.Contains(err.Error(), "order") {
				t.Errorf("a look into no table: error %v, want one that names it", err)
			}
			o.Create = true
			if s, err = sqlstore.New(db, o); err != nil {
				t.Fatal(err)
			}
			saved := save(t, s, token{UserName: "a", RefreshToken: "r"})
			var others int
			asks := "SELECT count(*) FROM `order` WHERE user_name = 'A'" // SQLite takes MySQL's quotes too
			if err := db.QueryRowContext(t.Context(), asks).Scan(&others); err != nil || others != 0 {
				t.Errorf("to a program that asks the table for the user A, a is one of %d (%v), want none", others, err)
			}
			if s, err = sqlstore.New(db, o); err != nil { // once more, on the table that is there
				t.Fatal(err)
			}
			if found, err := s.FindToken(t.Context(), token{UserName: "a"}); err != nil || !reflect.DeepEqual(found, saved) {
				t.Errorf("FindToken = %v, %v, want %v", found, err, saved)
			}
			if text := fmt.Sprintf("%v %+v %#v %s", s, s, s, s.LogValue()); strings.Count(text, "order") != 4 || strings.Contains(text, "0x") {
				t.Errorf("the store prints as %s", text)
			}
		})
	}
}

func TestReadingMakesNoTable(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			if got := tokens(t, s); len(got) != 0 {
				t.Errorf("a table that is still to be made holds %v", got)
			}
			_, err := s.FindToken(t.Context(), token{UserName: "a"})
			refused(t, "FindToken", err, tokenkeep.ErrNotFound)
			_, err = s.FindTokenByID(t.Context(), "1")
			refused(t, "FindTokenByID", err, tokenkeep.ErrNotFound)
			if _, err := db.ExecContext(t.Context(), "SELECT count(*) FROM oauthtoken"); err == nil {
				t.Error("there is a table after a look into it")
			}
			for name, change := range map[string]func() error{
				"UpdateToken": func() error {
					_, err := s.UpdateToken(t.Context(), "1", func(t token) (token, error) { return t, nil })
					return err
				},
				"DeleteToken":  func() error { return s.DeleteToken(t.Context(), "1") },
				"DeleteTokens": func() error { return s.DeleteTokens(t.Context()) },
			} {
				if err := change(); name == "UpdateToken" {
					refused(t, name, err, tokenkeep.ErrNotFound)
				} else if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				execute(t, db, "DROP TABLE oauthtoken")
			}
		})
	}
}

func TestAUserNeedsTheRightsOfTheirWorkOnly(t *testing.T) {
	source := mariadbtest.Start(t)
	root := open(t, "mysql", source)
	execute(t, root, "CREATE TABLE oauthtoken "+columnsOfZoho)
	s := newStore(t, root, sqlstore.MySQL)
	ann := save(t, s, token{UserName: "ann", RefreshToken: "r"})
	as := func(name, password, rights string) *sqlstore.Store {
		cfg, err := mysql.ParseDSN(source)
		if err != nil {
			t.Fatal(err)
		}
		execute(t, root, "CREATE USER "+name+" IDENTIFIED BY 'canary'")
		t.Cleanup(func() {
			if _, err := root.Exec("DROP USER " + name); err != nil {
				t.Error(err)
			}
		})
		execute(t, root, "GRANT "+rights+" ON oauthtoken TO "+name)
		cfg.User, cfg.Passwd = name, password
		return newStore(t, open(t, "mysql", cfg.FormatDSN()), sqlstore.MySQL)
	}
	reader := as("reader", "canary", "SELECT")
	if got := tokens(t, reader); !reflect.DeepEqual(got, map[string]token{"ann/1": ann}) {
		t.Errorf("a user who may only read gets %v, want %v", got, ann)
	}
	_, err := reader.SaveToken(t.Context(), token{UserName: "ann", AccessToken: "A"})
	refused(t, "a save of a user who may only read", err, tokenkeep.ErrPermission, "oauthtoken")
	writer := as("writer", "canary", "SELECT, INSERT, UPDATE, DELETE")
	bob := save(t, writer, token{UserName: "bob", RefreshToken: "r"})
	if err := writer.DeleteToken(t.Context(), ann.ID); err != nil {
		t.Error(err)
	}
	if got := tokens(t, s); !reflect.DeepEqual(got, map[string]token{"bob/2": bob}) {
		t.Errorf("after a save and a delete the table holds %v, want %v", got, bob)
	}
	_, err = as("stranger", "canary!", "SELECT").GetTokens(t.Context())
	refused(t, "a wrong password", err, tokenkeep.ErrPermission)
	if err != nil && strings.Contains(err.Error(), "canary") {
		t.Errorf("%v shows the password", err)
	}
}
