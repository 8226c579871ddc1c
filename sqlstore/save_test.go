package sqlstore_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

// savesNone checks that SaveTokens returns none and one error that is want (nil: any) and says these texts.
func savesNone(t *testing.T, s *sqlstore.Store, want error, says string, many ...token) {
	t.Helper()
	saved, err := s.SaveTokens(t.Context(), many)
	var detail *tokenkeep.Error
	if want != nil {
		refused(t, "SaveTokens", err, want)
	}
	if !errors.As(err, &detail) || detail.Op != "save tokens" || !strings.Contains(err.Error(), says) ||
		!reflect.DeepEqual(saved, make([]token, len(many))) {
		t.Errorf("SaveTokens = %v, %v, want no tokens and one error that says %q", saved, err, says)
	}
}

// savesAllBut checks which of many tokens are saved, and that there is an error, want and without a credential, of each
// other one.
func savesAllBut(t *testing.T, s *sqlstore.Store, want error, many []token, others ...int) []token {
	t.Helper()
	saved, err := s.SaveTokens(t.Context(), many)
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("SaveTokens = %v, %v, want joined errors", saved, err)
	}
	errs := joined.Unwrap()
	for _, i := range others {
		if saved[i].ID != "" {
			t.Errorf("%v is saved, which should be refused", saved[i])
		}
	}
	for i, err := range errs {
		if want != nil && !errors.Is(err, want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("error %d is %v, want %v and no credential", i, err, want)
		}
	}
	if len(errs) != len(others) {
		t.Errorf("%d errors %v, want %d", len(errs), errs, len(others))
	}
	return saved
}

func TestOfManyTokensThoseThatAColumnChangesAreRefused(t *testing.T) {
	short := map[sqlstore.Dialect]string{
		sqlstore.MySQL: strings.Replace(columnsOfZoho, "access_token varchar(255)", "access_token varchar(6)", 1),
		sqlstore.SQLite: columnsOfZoho + `; CREATE TRIGGER i AFTER INSERT ON oauthtoken WHEN length(NEW.access_token) > 6
				BEGIN UPDATE oauthtoken SET access_token = substr(NEW.access_token, 1, 6) WHERE id = NEW.id; END;
			CREATE TRIGGER u AFTER UPDATE ON oauthtoken WHEN length(NEW.access_token) > 6
				BEGIN UPDATE oauthtoken SET access_token = substr(NEW.access_token, 1, 6) WHERE id = NEW.id; END`,
	}
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			var db *sql.DB
			if d.dialect == sqlstore.MySQL {
				db = open(t, "mysql", mariadbtest.Start(t)+"?sql_mode=%27%27") // which cuts
			} else {
				db = d.fresh(t)()
			}
			s := newStore(t, db, d.dialect)
			execute(t, db, "CREATE TABLE oauthtoken "+short[d.dialect])
			ann := save(t, s, token{ID: "1", UserName: "ann", RefreshToken: "r", AccessToken: "A"})
			saved := savesAllBut(t, s, tokenkeep.ErrInvalid, []token{
				{UserName: "ann", AccessToken: "canary1"}, {UserName: "bob", ClientID: "c", AccessToken: "canary2"},
				{UserName: "cid", AccessToken: "A3"}, {UserName: "bob", AccessToken: "A4"}, {ID: "1", RedirectURL: "https://example.com"},
			}, 0, 1)
			ann.RedirectURL = "https://example.com"
			bob := token{ID: saved[3].ID, UserName: "bob", AccessToken: "A4"} // and nothing of what was refused
			want := map[string]token{"ann/1": ann, "cid/" + saved[2].ID: saved[2], "bob/" + bob.ID: bob}
			if got := tokens(t, s); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(saved[4], ann) {
				t.Errorf("the table holds %v after %v, want %v", got, saved, want)
			}
		})
	}
}

func TestOfManyTokensThoseThatAConstraintForbidsAreRefused(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			execute(t, db, "CREATE TABLE oauthtoken "+columnsOfZoho)
			execute(t, db, "CREATE UNIQUE INDEX once ON oauthtoken (refresh_token)")
			saved := savesAllBut(t, s, nil, []token{
				{UserName: "ann", RefreshToken: "canary"}, {UserName: "bob", RefreshToken: "canary"}, {UserName: "bob", RefreshToken: "r"},
			}, 1)
			want := map[string]token{"ann/1": saved[0], "bob/" + saved[2].ID: saved[2]}
			if got := tokens(t, s); !reflect.DeepEqual(got, want) {
				t.Errorf("the table holds %v, want %v", got, want)
			}
		})
	}
}

func TestOfManyTokensNoneIsSavedWhereTheDatabaseEndsTheTransaction(t *testing.T) {
	for _, d := range databases {
		if d.dialect != sqlstore.SQLite {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			execute(t, db, "CREATE TABLE oauthtoken "+columnsOfZoho)
			execute(t, db, `CREATE TRIGGER over BEFORE INSERT ON oauthtoken WHEN NEW.user_name = 'bob'
				BEGIN SELECT RAISE(ROLLBACK, 'all is over'); END`)
			savesNone(t, s, nil, "all is over",
				token{UserName: "ann", RefreshToken: "r1"}, token{UserName: "bob", RefreshToken: "r2"}, token{UserName: "cid", RefreshToken: "r3"})
			if got := tokens(t, s); len(got) != 0 {
				t.Errorf("the table holds %v, want nothing", got)
			}
			save(t, s, token{UserName: "ann", RefreshToken: "r1"})
		})
	}
}

func TestOfManyTokensNoneIsSavedWhereTheCommitFails(t *testing.T) {
	db := open(t, "sqlite", filepath.Join(t.TempDir(), "tokens.db")+"?_pragma=foreign_keys(1)")
	s := newStore(t, db, sqlstore.SQLite)
	execute(t, db, "CREATE TABLE users (name varchar(255) PRIMARY KEY)")
	execute(t, db, "INSERT INTO users VALUES ('ann')")
	execute(t, db, "CREATE TABLE oauthtoken "+strings.Replace(columnsOfZoho, "user_name varchar(255)",
		"user_name varchar(255) REFERENCES users (name) DEFERRABLE INITIALLY DEFERRED", 1))
	savesNone(t, s, nil, "FOREIGN KEY", token{UserName: "ann", RefreshToken: "r1"}, token{UserName: "bob", RefreshToken: "r2"})
	if got := tokens(t, s); len(got) != 0 {
		t.Errorf("the table holds %v, want nothing", got)
	}
	save(t, s, token{UserName: "ann", RefreshToken: "r1"})
}

func TestOfManyTokensNoneIsSavedByAUserWhoMayNot(t *testing.T) {
	source := mariadbtest.Start(t)
	root := open(t, "mysql", source)
	s := newStore(t, root, sqlstore.MySQL)
	ann := save(t, s, token{UserName: "ann", RefreshToken: "r"})
	execute(t, root, "CREATE USER adder")
	t.Cleanup(func() {
		if _, err := root.Exec("DROP USER adder"); err != nil {
			t.Error(err)
		}
	})
	execute(t, root, "GRANT SELECT, INSERT ON oauthtoken TO adder")
	cfg, err := mysql.ParseDSN(source)
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Passwd = "adder", ""
	adder := newStore(t, open(t, "mysql", cfg.FormatDSN()), sqlstore.MySQL)
	bob, cid := token{UserName: "bob", RefreshToken: "r"}, token{UserName: "cid", RefreshToken: "r"}
	savesNone(t, adder, tokenkeep.ErrPermission, "UPDATE", bob, token{UserName: "ann", AccessToken: "A"}, cid)
	if got := tokens(t, s); !reflect.DeepEqual(got, map[string]token{"ann/1": ann}) {
		t.Errorf("the table holds %v, want %v", got, ann)
	}
	if saved, err := adder.SaveTokens(t.Context(), []token{bob, cid}); err != nil || len(tokens(t, s)) != 3 {
		t.Errorf("SaveTokens of what the user may save = %v, %v", saved, err)
	}
}
