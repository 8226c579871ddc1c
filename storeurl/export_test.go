package storeurl

import "github.com/go-sql-driver/mysql"

// ConfigMySQL is what becomes of what follows mysql://.
func ConfigMySQL(rest string) (*mysql.Config, error) {
	p, err := split(rest)
	if err != nil {
		return nil, err
	}
	return configMySQL(p)
}
