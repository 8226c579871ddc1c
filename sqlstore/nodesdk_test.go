package sqlstore_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/internal/zohonode"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

var (
	sdkExpiry = time.UnixMilli(1925363289123).UTC()

	// sdkTokens are those that testdata/sdk.mjs writes.
	sdkTokens = []token{
		{ID: "1", UserName: "änn 漢@example.com", ClientID: "1000.CLIENT", ClientSecret: `se"cret`, RefreshToken: "1000.refresh",
			AccessToken: "1000.access", ExpiresAt: sdkExpiry, RedirectURL: "https://example.com/cb?a=1&b=2", APIDomain: "https://www.zohoapis.eu"},
		{ID: "2", ClientID: "1000.CLIENT", ClientSecret: `se"cret`, GrantToken: "1000.grant"},
		{ID: "3", AccessToken: "1000.passing"},
	}
)

// shared is a database that the SDK and a store work on.
type shared struct {
	t     *testing.T
	store *sqlstore.Store
	sdk   func(args ...string) [][]string
}

func share(t *testing.T, node func(args ...string) [][]string, definition string) shared {
	source := mariadbtest.Start(t)
	cfg, err := mysql.ParseDSN(source)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, "mysql", source)
	s := newStore(t, db, sqlstore.MySQL)
	if definition != "" {
		execute(t, db, definition)
	} else if err := s.DeleteTokens(t.Context()); err != nil { // which makes the table
		t.Fatal(err)
	}
	port := mariadbtest.Forward(t, cfg.Addr)
	return shared{t, s, func(args ...string) [][]string { return node(append([]string{port, cfg.DBName}, args...)...) }}
}

// holds checks what the store reads.
func (s shared) holds(want ...token) {
	s.t.Helper()
	byName := map[string]token{}
	for _, token := range want {
		byName[token.UserName+"/"+token.ID] = token
	}
	if got := tokens(s.t, s.store); !reflect.DeepEqual(got, byName) {
		s.t.Errorf("the store reads\n%#v\nwant\n%#v", got, byName)
	}
}

// reads checks what the SDK reads after it did something.
func (s shared) reads(do, argument string, want ...[]string) {
	s.t.Helper()
	if got := s.sdk(do, argument); !reflect.DeepEqual(got, want) {
		s.t.Errorf("after %s %s the SDK reads\n%q\nwant\n%q", do, argument, got, want)
	}
}

func TestZohosNodeSDKAndThePackageShareATable(t *testing.T) {
	node := zohonode.Install(t, filepath.Join("testdata", "sdk.mjs"))
	t.Run("that the package makes", func(t *testing.T) {
		s := share(t, node, "")
		s.sdk("write")
		s.holds(sdkTokens...)
	})
	t.Run("of the SDK's README", func(t *testing.T) {
		s := share(t, node, "CREATE TABLE oauthtoken "+columnsOfZoho+" CHARACTER SET utf8mb4")
		rows := s.sdk("write")
		ann, nameless, passing := sdkTokens[0], sdkTokens[1], sdkTokens[2]
		s.holds(ann, nameless, passing)

		jorg := save(t, s.store, token{UserName: `Jörg "J" 漢`, ClientID: "c", ClientSecret: `o'brien\`, RefreshToken: "r", AccessToken: "A",
			ExpiresAt: sdkExpiry, RedirectURL: "https://example.com/'", APIDomain: "https://www.zohoapis.com"})
		row := []string{"4", `Jörg "J" 漢`, "c", `o'brien\`, "r", "A", "", "1925363289123", "https://example.com/'", "https://www.zohoapis.com"}
		s.reads("find", jorg.UserName, row, rows[0], rows[1], rows[2], row)

		row[5], row[7] = "1000.new", "1925363289456"
		s.reads("update", jorg.UserName, rows[0], rows[1], rows[2], row)
		jorg.AccessToken, jorg.ExpiresAt = "1000.new", time.UnixMilli(1925363289456).UTC()
		s.holds(ann, nameless, passing, jorg)

		ann = save(t, s.store, token{UserName: ann.UserName, AccessToken: "1000.other", ExpiresAt: sdkExpiry.Add(time.Second)})
		rows[0][5], rows[0][7] = "1000.other", "1925363290123"
		s.reads("find", ann.UserName, rows[0], rows[0], rows[1], rows[2], row)

		s.reads("delete", passing.ID, rows[0], rows[1], row)
		s.holds(ann, nameless, jorg)
		if err := s.store.DeleteToken(t.Context(), nameless.ID); err != nil {
			t.Fatal(err)
		}
		s.reads("list", "", rows[0], row)
	})
}
