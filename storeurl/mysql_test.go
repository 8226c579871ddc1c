package storeurl_test

import (
	"crypto/tls"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/mariadbtest"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

// newMySQL makes a database and a user of it whose name is name and whose password is canary.
func newMySQL(t *testing.T, name string) *mysql.Config {
	t.Helper()
	source := mariadbtest.Start(t)
	cfg, err := mysql.ParseDSN(source)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", source)
	if err != nil {
		t.Fatal(err)
	}
	execute := func(statement string) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	execute("CREATE USER '" + name + "' IDENTIFIED BY 'canary'")
	execute("GRANT ALL ON " + cfg.DBName + ".* TO '" + name + "'")
	t.Cleanup(func() {
		execute("DROP USER '" + name + "'")
		_ = db.Close()
	})
	return cfg
}

func TestMySQLIsOpenedWithThePasswordOfTheEnvironment(t *testing.T) {
	environment(t)
	const user = "ann@work"
	cfg := newMySQL(t, user)
	byPort := "mysql://" + user + "@127.0.0.1:" + mariadbtest.Forward(t, cfg.Addr) + "/" + cfg.DBName
	bySocket := "mysql://" + user + "@/" + cfg.DBName + "?socket=" + cfg.Addr
	for i, url := range []string{byPort, bySocket, byPort + "?table=more&tls=preferred", bySocket + "&table=more"} {
		for _, password := range []string{"", "canary!", "canary"} {
			t.Setenv("MYSQL_PWD", password)
			store, err := storeurl.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			tokens, err := store.GetTokens(t.Context())
			switch {
			case password == "canary" && (err != nil || len(tokens) != i%2): // the socket leads to the table that has one by now
				t.Errorf("form %d: %d tokens, %v; want %d", i, len(tokens), err, i%2)
			case password != "canary" && (!errors.Is(err, tokenkeep.ErrPermission) || strings.Contains(err.Error(), "canary")):
				t.Errorf("form %d with another password: error %v; want ErrPermission, and no password", i, err)
			case password == "canary":
				if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "ann", RefreshToken: "r"}); err != nil {
					t.Error(err)
				}
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
			if _, err := store.GetTokens(t.Context()); err == nil {
				t.Error("a closed store answers")
			}
		}
	}
}

func TestAURLOfMySQLSaysWhereWhoAndWhat(t *testing.T) {
	for rest, want := range map[string][4]string{
		"u@host/db":              {"tcp", "host:3306", "u", "db"},
		"u@host:/db":             {"tcp", "host:3306", "u", "db"},
		"u@host:3307/db":         {"tcp", "host:3307", "u", "db"},
		"u@[::1]/db?tls=true":    {"tcp", "[::1]:3306", "u", "db"},
		"u@[::1]:3307/d%62":      {"tcp", "[::1]:3307", "u", "d%62"},
		"a%62@srv@host/db-1":     {"tcp", "host:3306", "a%62@srv", "db-1"},
		"u@/db?socket=/tmp/s%20": {"unix", "/tmp/s ", "u", "db"},
	} {
		cfg, err := storeurl.ConfigMySQL(rest)
		if err != nil {
			t.Errorf("%s: %v", rest, err)
			continue
		}
		if got := [4]string{cfg.Net, cfg.Addr, cfg.User, cfg.DBName}; got != want {
			t.Errorf("%s is %q, want %q", rest, got, want)
		}
	}
}

func TestTheWayToMySQLIsEncryptedAsTheURLSays(t *testing.T) {
	environment(t)
	t.Setenv("MYSQL_PWD", "canary")
	for parameter, want := range map[string]string{
		"": "encrypted", "?tls=preferred": "encrypted", "?tls=skip-verify": "encrypted", "?tls=false": "plain",
		"?tls=true": "left", // the certificate is one that nobody trusts
	} {
		t.Run(parameter, func(t *testing.T) {
			address, way := greet(t)
			store, err := storeurl.Open(t.Context(), "mysql://u@"+address+"/db"+parameter)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.GetTokens(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %v; want one, and no password", err)
			}
			if got := <-way; got != want {
				t.Errorf("the client's way is %q, want %q", got, want)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// greeting is how a MySQL server with TLS begins: its length, protocol, version, thread, half a nonce, capabilities, the
// other half of the nonce, and the way of the password.
const greeting = "\x49\x00\x00\x00" + "\x0a" + "8.0.0\x00" + "\x01\x00\x00\x00" + "abcdefgh\x00" + "\x00\x8a\x2d\x02\x00\x08\x00" + "\x15" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "abcdefghijkl\x00" + "mysql_native_password\x00"

// greet is a server that finds out how its first client logs in: plain, encrypted, or not at all.
func greet(t *testing.T) (address string, way <-chan string) {
	t.Helper()
	certificates := httptest.NewTLSServer(nil)
	certificates.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	found := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		_ = listener.Close()
		if err != nil {
			found <- err.Error()
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(conn, greeting)
		request := make([]byte, 4+32) // what asks for TLS has this length, and a login is longer
		if _, err := io.ReadFull(conn, request); err != nil || request[0] != 32 {
			found <- "plain"
			return
		}
		encrypted := tls.Server(conn, certificates.TLS)
		if _, err := io.ReadFull(encrypted, request); err != nil {
			found <- "left"
			return
		}
		found <- "encrypted"
	}()
	return listener.Addr().String(), found
}
