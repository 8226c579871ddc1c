// Package filestore keeps tokens in the CSV file of Zoho's CRM SDKs, sdk_tokens.txt, for programs on one machine.
//
//	store := filestore.New("/var/lib/crm/sdk_tokens.txt")
//	token, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann@example.com"})
//
// It reads what FileStore of the SDKs for Python, Java, Ruby, Node.js, PHP and C# writes: nine or ten columns in any
// order, user_mail for user_name, redirect_uri for redirect_url and expires_in for expiry_time, quoted or not, with any
// line ends, blank lines and a byte order mark. A file with a row that it cannot understand is
// [tokenkeep.ErrDamaged], with the number of the line, and nothing of it is read or changed.
//
// # What it writes
//
// One form: UTF-8, the ten columns of the SDKs 8.0 in their order, a line feed after each line, and quotes (RFC 4180)
// only around values with a comma, a quote or a line end, which the SDKs for Node.js, PHP and C# cannot read. The rest
// of the form all of them read. The file is replaced as a whole, from PATH.tmp by a rename, with mode 0600: readers see
// the old file or the new one, and so does the next process if the writer is killed. Each change reads and writes all of it,
// and waits for the disk; SaveTokens does so once for many tokens.
//
// Any number of processes on one machine may share the file: writers take turns by flock(2) on PATH.lock, and readers
// need no turn. Zoho's SDKs take none and write in place: let none of them write while this package is in use. PATH must
// be on a file system with flock and atomic renames, as those of local disks are. On Windows, and wherever flock is
// missing, writes fail with [errors.ErrUnsupported].
//
// # IDs
//
// Tokens saved without an ID get the next decimal number. None comes twice, also after a delete: PATH.lock holds the
// highest one that was in use. Whoever removes PATH.lock lets the numbers of the last deleted tokens come again. IDs
// given explicitly must be decimal numbers of at most 15 digits, since several SDKs fail on a file with another one; rows
// with another ID that are there are kept.
//
// # What it does not keep
//
// The file has no column for AccountsURL, RefreshExpiresAt, Scopes and Extra: a token with one of them is
// [tokenkeep.ErrInvalid], and the error names it. The token that zoho.Login returns has AccountsURL and Scopes; clear
// them before you save it. RefreshedAt and Reauthorize are left out, ExpiresAt is cut to the millisecond, and there is
// no memory of past credentials: an old copy that is saved undoes what came after it, except that a grant token beside a
// refresh token counts as used up. A token without a user has as its identity the credential that it has now, not the
// one that it was created with.
package filestore
