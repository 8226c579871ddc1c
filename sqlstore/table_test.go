package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

type token = tokenkeep.Token

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func save(t *testing.T, s *sqlstore.Store, token tokenkeep.Token) tokenkeep.Token {
	t.Helper()
	saved, err := s.SaveToken(t.Context(), token)
	if err != nil {
		t.Fatalf("SaveToken(%v): %v", token, err)
	}
	return saved
}

// tokens returns all tokens by user name or, where there is none, by ID.
func tokens(t *testing.T, s *sqlstore.Store) map[string]tokenkeep.Token {
	t.Helper()
	list, err := s.GetTokens(t.Context())
	if err != nil {
		t.Fatalf("GetTokens: %v", err)
	}
	byName := map[string]tokenkeep.Token{}
	for _, token := range list {
		byName[token.UserName+"/"+token.ID] = token
	}
	return byName
}

// refused checks that err is want and says what is expected.
func refused(t *testing.T, what string, err, want error, says ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want one that is %q", what, err, want)
		return
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %q does not say %q", what, err, text)
		}
	}
}

const columnsOfZoho = `(id varchar(10) NOT NULL, user_name varchar(255), client_id varchar(255), client_secret varchar(255),
	refresh_token varchar(255), access_token varchar(255), grant_token varchar(255), expiry_time varchar(20), redirect_url varchar(255),
	api_domain varchar(255), PRIMARY KEY (id))`

func TestRowsOfZohosSDKsAreTokens(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			execute(t, db, "CREATE TABLE oauthtoken "+columnsOfZoho)
			execute(t, db, `INSERT INTO oauthtoken VALUES
				('2', NULL, 'c', 's', 'r2', 'A2', NULL, '1924992000123', NULL, NULL), ('9', '', 'c', '', '', '', 'g9', '', '', ''),
				('10', 'ann', 'c', 's', 'r10', NULL, NULL, NULL, NULL, 'https://eu'), ('abc', 'Ann', 'c', 's', 'r11', NULL, NULL, '5', NULL, NULL)`)
			s, err := sqlstore.New(db, sqlstore.Options{Dialect: d.dialect})
			if err != nil {
				t.Fatal(err)
			}
			at := time.UnixMilli(1924992000123).UTC()
			want := map[string]token{
				"/2":      {ID: "2", ClientID: "c", ClientSecret: "s", RefreshToken: "r2", AccessToken: "A2", ExpiresAt: at},
				"/9":      {ID: "9", ClientID: "c", GrantToken: "g9"},
				"ann/10":  {ID: "10", UserName: "ann", ClientID: "c", ClientSecret: "s", RefreshToken: "r10", APIDomain: "https://eu"},
				"Ann/abc": {ID: "abc", UserName: "Ann", ClientID: "c", ClientSecret: "s", RefreshToken: "r11"}, // no expiry without a token
			}
			if got := tokens(t, s); !reflect.DeepEqual(got, want) {
				t.Errorf("the table holds %v, want %v", got, want)
			}
			for _, name := range []string{"ann", "Ann"} {
				if found, err := s.FindToken(t.Context(), token{UserName: name}); err != nil || found.UserName != name {
					t.Errorf("%q finds %v, %v", name, found, err)
				}
			}
			if saved := save(t, s, token{UserName: "new", RefreshToken: "r"}); saved.ID != "11" {
				t.Errorf("the ID after 10 and abc is %q, want 11", saved.ID)
			}
			save(t, s, token{ID: "abc", AccessToken: "A3"})
			save(t, s, token{ID: "9", AccessToken: "A9"})
			var emptyThere, nullThere int
			row := db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM oauthtoken WHERE user_name = ''), "+
				"(SELECT count(*) FROM oauthtoken WHERE id = '11' AND grant_token IS NULL)")
			if err := row.Scan(&emptyThere, &nullThere); err != nil || emptyThere != 1 || nullThere != 1 {
				t.Errorf("%d rows have an empty user name and %d new ones no grant token (%v), want 1 and 1", emptyThere, nullThere, err)
			}
		})
	}
}

func TestTwoRowsOfOneUserAreAmbiguousUntilOneIsDeleted(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			execute(t, db, "CREATE TABLE oauthtoken "+columnsOfZoho)
			execute(t, db, "INSERT INTO oauthtoken (id, user_name, refresh_token) VALUES ('3', 'a', 'r3'), ('4', 'a', 'r4')")
			_, err := s.FindToken(t.Context(), token{UserName: "a"})
			refused(t, "FindToken", err, tokenkeep.ErrAmbiguous, `"3"`, `"4"`)
			_, err = s.SaveToken(t.Context(), token{UserName: "a", AccessToken: "A"})
			refused(t, "SaveToken", err, tokenkeep.ErrAmbiguous, `"3"`, `"4"`)
			if err := s.DeleteToken(t.Context(), "3"); err != nil {
				t.Fatal(err)
			}
			want := map[string]token{"a/4": save(t, s, token{UserName: "a", AccessToken: "A"})}
			if got := tokens(t, s); !reflect.DeepEqual(got, want) || got["a/4"].RefreshToken != "r4" {
				t.Errorf("the table holds %v, want %v", got, want)
			}
		})
	}
}

func TestARowThatIsNoTokenIsNamedAndKept(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			good := save(t, s, token{ID: "2", UserName: "b", RefreshToken: "r2"})
			execute(t, db, "INSERT INTO oauthtoken (id, user_name, refresh_token, expiry_time) VALUES ('5', 'a', 'r', 'soon'), ('', 'c', 'r', '')")
			list, err := s.GetTokens(t.Context())
			refused(t, "GetTokens", err, tokenkeep.ErrDamaged, `"5"`, "expiry_time", "has no id")
			if !reflect.DeepEqual(list, []token{good}) {
				t.Errorf("GetTokens = %v, want %v beside the error", list, good)
			}
			_, err = s.FindToken(t.Context(), token{UserName: "b"})
			refused(t, "FindToken", err, tokenkeep.ErrDamaged, `"5"`)
			_, err = s.SaveToken(t.Context(), token{UserName: "a", AccessToken: "A"})
			refused(t, "SaveToken", err, tokenkeep.ErrDamaged, `"5"`)
			if found, err := s.FindTokenByID(t.Context(), "2"); err != nil || !reflect.DeepEqual(found, good) {
				t.Errorf("FindTokenByID = %v, %v, want %v", found, err, good)
			}
			execute(t, db, "DELETE FROM oauthtoken WHERE id = ''")
			if err := s.DeleteToken(t.Context(), "5"); err != nil {
				t.Fatal(err)
			}
			if got := tokens(t, s); len(got) != 1 {
				t.Errorf("the table holds %v, want only %v", got, good)
			}
		})
	}
}

func TestAnExpiryIsKeptInMillisecondsAndOnlyBesideItsToken(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			s := newStore(t, d.fresh(t)(), d.dialect)
			at := time.UnixMilli(1924992000123).UTC()
			saved := save(t, s, token{UserName: "a", RefreshToken: "r", AccessToken: "A"})
			for _, step := range []struct {
				accessToken   string
				given, stored time.Time
			}{{"A", at.Add(999 * time.Microsecond), at}, {"", at, time.Time{}}} {
				saved.AccessToken, saved.ExpiresAt = step.accessToken, step.stored
				updated, err := s.UpdateToken(t.Context(), saved.ID, func(t token) (token, error) {
					t.AccessToken, t.ExpiresAt = step.accessToken, step.given
					return t, nil
				})
				if err != nil || !reflect.DeepEqual(updated, saved) {
					t.Errorf("UpdateToken = %v, %v, want %v", updated, err, saved)
				}
				if got := tokens(t, s); !reflect.DeepEqual(got, map[string]token{"a/1": saved}) {
					t.Errorf("the table holds %v, want %v", got, saved)
				}
			}
		})
	}
}

func TestIDsAreNotGivenTwiceByOneStore(t *testing.T) {
	s := newStore(t, databases[0].fresh(t)(), sqlstore.SQLite)
	for _, step := range []struct{ given, want string }{
		{"", "1"}, {"9", "9"}, {"", "10"}, {"999999999", "999999999"}, {"1000000000", "1000000000"}, {"", "1000000001"},
		{"999999999999999", "999999999999999"}, {"", "1000000002"},
	} {
		saved := save(t, s, token{ID: step.given, UserName: "u" + step.want, RefreshToken: "r"})
		if saved.ID != step.want {
			t.Errorf("the ID is %q, want %q", saved.ID, step.want)
		}
		if step.given == "" {
			if err := s.DeleteToken(t.Context(), saved.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	db := databases[1].fresh(t)()
	for _, o := range []sqlstore.Options{
		{}, {Dialect: 3}, {Dialect: sqlstore.SQLite, Table: `a"; drop table b`}, {Dialect: sqlstore.MySQL, Table: "a`b"},
		{Dialect: sqlstore.MySQL, Table: "zoho.oauthtoken"}, {Dialect: sqlstore.MySQL, Table: strings.Repeat("a", 65)},
	} {
		_, err := sqlstore.New(db, o)
		refused(t, fmt.Sprintf("New(%+v)", o), err, tokenkeep.ErrInvalid, "Options.")
	}
	_, err := sqlstore.New(nil, sqlstore.Options{Dialect: sqlstore.MySQL})
	refused(t, "New(nil)", err, tokenkeep.ErrInvalid)
}

func TestWhatDoesNotFitAColumnIsRefused(t *testing.T) {
	longText := strings.Repeat("ü", 256)
	for _, mode := range []string{"STRICT_ALL_TABLES", ""} {
		t.Run("in SQL mode '"+mode+"'", func(t *testing.T) {
			db := open(t, "mysql", mariadbtest.Start(t)+"?sql_mode=%27"+mode+"%27")
			s := newStore(t, db, sqlstore.MySQL)
			save(t, s, token{UserName: "b", RefreshToken: longText[:2*255]}) // 255 characters
			if err := s.DeleteTokens(t.Context()); err != nil {
				t.Fatal(err)
			}
			saved := save(t, s, token{ID: "1", UserName: "a", RefreshToken: "r"})
			for column, tt := range map[string]struct {
				token
				alter string
			}{
				"id":            {token{ID: "12345678901", RefreshToken: "r2"}, "ALTER TABLE `oauthtoken` MODIFY id varchar(128) NOT NULL"},
				"user_name":     {token{UserName: longText, RefreshToken: "r2"}, "ALTER TABLE `oauthtoken` MODIFY user_name text"},
				"access_token":  {token{UserName: "a", AccessToken: longText}, "ALTER TABLE `oauthtoken` MODIFY access_token text"},
				"refresh_token": {token{UserName: "a", RefreshToken: longText}, "ALTER TABLE `oauthtoken` MODIFY refresh_token text"},
			} {
				_, err := s.SaveToken(t.Context(), tt.token)
				refused(t, column, err, tokenkeep.ErrTooLarge, "column "+column+" takes", tt.alter)
				if err != nil && strings.Contains(err.Error(), "üüü") {
					t.Errorf("the error shows the value: %v", err)
				}
				if got := tokens(t, s); !reflect.DeepEqual(got, map[string]token{"a/1": saved}) {
					t.Errorf("after a refused %s the table holds %v", column, got)
				}
				execute(t, db, tt.alter)
				save(t, s, tt.token)
				if err := s.DeleteTokens(t.Context()); err != nil {
					t.Fatal(err)
				}
				saved = save(t, s, token{ID: "1", UserName: "a", RefreshToken: "r"})
			}
		})
	}
}

func TestWhatADatabaseWouldChangeIsRefused(t *testing.T) {
	db := open(t, "mysql", mariadbtest.Start(t)+"?sql_mode=%27%27")
	s := newStore(t, db, sqlstore.MySQL)
	columns := strings.NewReplacer("access_token varchar(255)", "access_token varchar(20)", "id varchar(10)", "id varchar(5)").Replace(columnsOfZoho)
	execute(t, db, "CREATE TABLE oauthtoken "+columns+" CHARACTER SET latin1")
	for column, token := range map[string]token{
		"redirect_url": {UserName: "a", RefreshToken: "r", RedirectURL: "https://example.com/漢"},
		"access_token": {UserName: "a", AccessToken: strings.Repeat("x", 21)},
		"id":           {ID: "123456", UserName: "a", RefreshToken: "r"},
	} {
		_, err := s.SaveToken(t.Context(), token)
		refused(t, column, err, tokenkeep.ErrInvalid, "column "+column)
	}
	if got := tokens(t, s); len(got) != 0 {
		t.Errorf("the table holds %v, want nothing", got)
	}
	saved := save(t, s, token{UserName: "é", RefreshToken: "r"}) // which latin1 has
	if found, err := s.FindToken(t.Context(), token{UserName: "é"}); err != nil || !reflect.DeepEqual(found, saved) {
		t.Errorf("FindToken = %v, %v, want %v", found, err, saved)
	}
}

func TestIDsAndUserNamesAreComparedByTheirBytes(t *testing.T) {
	// Without a primary key, and by a collation that takes the IDs for the same.
	columns := strings.Replace(columnsOfZoho, ", PRIMARY KEY (id)", "", 1)
	tables := map[sqlstore.Dialect]string{
		sqlstore.SQLite: strings.Replace(columns, "id varchar(10)", "id varchar(10) COLLATE NOCASE", 1),
		sqlstore.MySQL:  columns + " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
	}
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			execute(t, db, "CREATE TABLE oauthtoken "+tables[d.dialect])
			ids := []string{"A", "a", "á", "a "}
			for _, id := range ids {
				execute(t, db, "INSERT INTO oauthtoken (id, user_name, refresh_token) VALUES (?, ?, 'r')", id, "user "+id)
			}
			for i, id := range ids {
				got, err := s.FindTokenByID(t.Context(), id)
				if err != nil || got.ID != id {
					t.Errorf("the ID %q finds %v, %v", id, got, err)
				}
				if got, err = s.FindToken(t.Context(), token{UserName: "user " + id}); err != nil || got.ID != id {
					t.Errorf("the user %q finds %v, %v", "user "+id, got, err)
				}
				save(t, s, token{ID: id, AccessToken: "A"})
				if err := s.DeleteToken(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				for _, left := range ids[i+1:] {
					if got, err := s.FindTokenByID(t.Context(), left); err != nil || got.AccessToken != "" {
						t.Errorf("after a save and a delete of %q, %q finds %v, %v", id, left, got, err)
					}
				}
			}
		})
	}
}

func TestANewIDIsADecimalNumber(t *testing.T) {
	s := newStore(t, databases[1].fresh(t)(), sqlstore.SQLite)
	for _, id := range []string{"0", "01", "+1", "-1", " 1", "1 ", "1.0", "a", "1234567890123456", "1\n"} {
		_, err := s.SaveToken(t.Context(), token{ID: id, UserName: "a", RefreshToken: "r"})
		refused(t, fmt.Sprintf("%q", id), err, tokenkeep.ErrInvalid, "ID")
	}
	save(t, s, token{ID: "123456789012345", UserName: "a", RefreshToken: "r"})
}

func TestWhatNoTokenCanBeIsNotAskedFor(t *testing.T) {
	db := databases[1].fresh(t)()
	s := newStore(t, db, sqlstore.SQLite)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.FindToken(t.Context(), token{UserName: "a\xff"})
	refused(t, "FindToken", err, tokenkeep.ErrInvalid)
	_, err = s.FindTokenByID(t.Context(), "a\xff")
	refused(t, "FindTokenByID", err, tokenkeep.ErrInvalid)
	refused(t, "DeleteToken", s.DeleteToken(t.Context(), "a\xff"), tokenkeep.ErrInvalid)
}

func TestAnErrorOfTheDatabaseShowsNoCredential(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			s := newStore(t, db, d.dialect)
			save(t, s, token{UserName: "a", RefreshToken: "1000.canary", AccessToken: "A"})
			execute(t, db, "CREATE UNIQUE INDEX one_refresh_token ON oauthtoken (refresh_token)")
			_, err := s.SaveToken(t.Context(), token{UserName: "b", RefreshToken: "1000.canary"})
			if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "refresh_token") {
				t.Errorf("a duplicate refresh token: error %v, want one that names the column or index and shows no credential", err)
			}
		})
	}
}
