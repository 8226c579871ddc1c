package storeurl

import (
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenkeep/tokenkeep/sqlstore"
)

// tlsModes are the driver's.
var tlsModes = []string{"true", "skip-verify", "preferred", "false"}

func openMySQL(p parts) (Store, error) {
	cfg, err := configMySQL(p)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("mysql: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetConnMaxLifetime(3 * time.Minute) // before servers and firewalls end them, as the driver's README has it
	return openTable(db, sqlstore.Options{Dialect: sqlstore.MySQL, Table: p.parameters.Get("table"), Create: true})
}

// configMySQL returns the configuration for USER@HOST[:PORT]/DB or USER@/DB.
func configMySQL(p parts) (*mysql.Config, error) {
	authority, name, _ := strings.Cut(p.path, "/")
	at := strings.LastIndex(authority, "@") // a user's name may have one too
	if at < 1 {
		return nil, invalid("what follows mysql:// is not USER@")
	}
	user, host := authority[:at], authority[at+1:]
	switch {
	case strings.Contains(user, ":"):
		return nil, invalid("it has a password, which belongs in MYSQL_PWD")
	case name == "" || strings.Contains(name, "/"):
		return nil, invalid("what follows the host is not the name of a database")
	}
	if err := p.only("socket", "table", "tls"); err != nil {
		return nil, err
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = user, os.Getenv("MYSQL_PWD"), name
	cfg.Logger = &mysql.NopLogger{} // what goes wrong is in the errors
	if err := address(cfg, host, p.parameters); err != nil {
		return nil, err
	}
	return cfg, nil
}

// address sets where the server is, and whether the way there is encrypted.
func address(cfg *mysql.Config, host string, parameters url.Values) error {
	socket, tls := parameters.Get("socket"), parameters.Get("tls")
	switch {
	case socket != "" && (host != "" || tls != ""):
		return invalid("a socket has neither host nor tls")
	case socket != "":
		cfg.Net, cfg.Addr = "unix", socket
		return nil
	case tls == "":
		tls = "preferred"
	case !slices.Contains(tlsModes, tls):
		return invalid("the parameter tls is none of %s", strings.Join(tlsModes, ", "))
	}
	u, err := url.Parse("//" + host)
	if err != nil || u.Hostname() == "" {
		return invalid("what follows the @ is no host")
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	cfg.Net, cfg.Addr, cfg.TLSConfig = "tcp", net.JoinHostPort(u.Hostname(), port), tls
	return nil
}
