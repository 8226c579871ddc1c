package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"net"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

func TestADatabaseThatIsNotThereIsUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s := newStore(t, open(t, "mysql", "root@tcp("+address+")/zohooauth"), sqlstore.MySQL)
	_, err = s.FindToken(t.Context(), token{UserName: "a"})
	refused(t, "FindToken", err, tokenkeep.ErrUnavailable, address)
	_, err = s.SaveToken(t.Context(), token{UserName: "a", RefreshToken: "r"})
	refused(t, "SaveToken", err, tokenkeep.ErrUnavailable, address)
}

func TestAStatementStopsWhenItsContextEnds(t *testing.T) {
	// It takes minutes to read.
	const view = "CREATE VIEW oauthtoken AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000000000) " +
		"SELECT '1' AS id, max(i) AS user_name, '' AS client_id, '' AS client_secret, '' AS refresh_token, '' AS access_token, " +
		"'' AS grant_token, '' AS expiry_time, '' AS redirect_url, '' AS api_domain FROM n"
	for _, d := range databases {
		if d.dialect == sqlstore.MySQL {
			continue // whose driver leaves at once, and the server goes on for a while
		}
		t.Run(d.name, func(t *testing.T) {
			db := d.fresh(t)()
			execute(t, db, view)
			s, err := sqlstore.New(db, sqlstore.Options{Dialect: d.dialect})
			if err != nil {
				t.Fatal(err)
			}
			for name, call := range map[string]func(context.Context) error{
				"FindToken": func(ctx context.Context) error { _, err := s.FindToken(ctx, token{UserName: "a"}); return err },
				"SaveToken": func(ctx context.Context) error {
					_, err := s.SaveToken(ctx, token{UserName: "a", RefreshToken: "r"})
					return err
				},
			} {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				refused(t, name, call(ctx), context.DeadlineExceeded)
				cancel()
			}
			if inUse := db.Stats().InUse; inUse != 0 {
				t.Errorf("%d connections are in use after the calls, want 0", inUse)
			}
		})
	}
}

func TestAConnectionThatWasLeftForTheContextSaysSo(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err := sqlstore.Explain(ended, driver.ErrBadConn)
	refused(t, "after the context", err, context.Canceled)
	refused(t, "after the context", err, driver.ErrBadConn)
	if err := sqlstore.Explain(t.Context(), driver.ErrBadConn); err != driver.ErrBadConn {
		t.Errorf("before the context ended the error is %v, want it as it was", err)
	}
}

func TestAUserWhomTheDatabaseRefusesHasNoPermission(t *testing.T) {
	for number, state := range map[uint16]string{1044: "42000", 1045: "28000", 1142: "42000", 1143: "42000", 1698: "28000"} {
		cause := &mysql.MySQLError{Number: number, SQLState: [5]byte([]byte(state)), Message: "denied"}
		err := sqlstore.Explain(t.Context(), cause)
		refused(t, "a refusal", err, tokenkeep.ErrPermission, "denied")
		refused(t, "a refusal", err, cause)
	}
	unknown := &mysql.MySQLError{Number: 1049, SQLState: [5]byte([]byte("42000")), Message: "unknown database"}
	if err := sqlstore.Explain(t.Context(), unknown); err != error(unknown) {
		t.Errorf("another error is %v, want it as it was", err)
	}
}
