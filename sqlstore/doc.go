// Package sqlstore keeps tokens in the table of Zoho's SDKs, oauthtoken, on MySQL, MariaDB or SQLite.
//
//	db, err := sql.Open("mysql", "user@tcp(127.0.0.1:3306)/zohooauth")
//	…
//	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.MySQL, Create: true})
//
// The package imports no driver. It is tested with github.com/go-sql-driver/mysql on MariaDB, and with
// modernc.org/sqlite on files and on ":memory:".
//
// # The table
//
// It is that of the SDKs' DBStore, as their README files give it: id varchar(10) as the primary key, expiry_time
// varchar(20) in milliseconds since 1970, and user_name, client_id, client_secret, refresh_token, access_token,
// grant_token, redirect_url and api_domain varchar(255). NULL and "" are the same. So a program with an SDK and one with
// this package can work on one table.
//
// There is no column for RefreshExpiresAt, AccountsURL, Scopes and Extra: a save with one of them is
// [tokenkeep.ErrInvalid]. RefreshedAt, Reauthorize and the digests of past credentials, by which old copies are known,
// have none either and are left out: a save of an old copy brings its refresh token back, and a token that the provider
// refused is tried again. A value that is longer than its column is [tokenkeep.ErrTooLarge], in MySQL; SQLite does not
// limit them. Every write is read back before it is committed, so that a database that cuts or replaces characters gets
// no chance to do so unnoticed.
//
// With Options.Create the table is made by the first change, not by a look into it, and where it is there already nothing
// is made. So a user who may only read (SELECT) can, and one who saves needs INSERT, UPDATE and DELETE too. What the database
// does not allow is [tokenkeep.ErrPermission], in MySQL.
//
// # What is one step
//
// Every method is one transaction. A save reads and locks all rows (SELECT … FOR UPDATE at the level SERIALIZABLE; BEGIN
// IMMEDIATE on SQLite), so saves at once of one user make one token, and a save takes a time that grows with the table; save
// many tokens with SaveTokens, which reads it once. Where the database ends a transaction in favour of another, it runs
// again, for up to ten seconds; then the error is [tokenkeep.ErrUnavailable], and a later try may succeed. Zoho's SDKs do not
// lock: what they write at the same moment may be a second row of a user, which look-ups then report as
// [tokenkeep.ErrAmbiguous].
//
// Tokens saved without an ID get decimal ones, one above the highest. A Store gives none twice, but another process may
// give that of a deleted token again.
package sqlstore
