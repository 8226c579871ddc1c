// Package storeurl opens a token store by a URL, for programs that are told at run time where tokens lie.
//
//	store, err := storeurl.Open(ctx, os.Getenv("TOKENKEEP_STORE"))
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// The forms:
//
//	awssm://REGION/PREFIX               AWS Secrets Manager; credentials as in any AWS program
//	gcpsm://PROJECT/PREFIX              Google Secret Manager; application default credentials
//	gcpsm://PROJECT/LOCATION/PREFIX     the same, regional secrets
//	vault://HOST[:PORT]/PREFIX?mount=M  HashiCorp Vault or OpenBao over https; M is "secret" where it is left out
//	vault:///PREFIX                     the same at VAULT_ADDR, which may be http
//	localstack://PREFIX                 the Secrets Manager that LOCALSTACK_ENDPOINT, AWS_ENDPOINT_URL_SECRETS_MANAGER or
//	                                    AWS_ENDPOINT_URL names
//	file:PATH                           the CSV file of Zoho's SDKs; made by the first save
//	sqlite:PATH                         the table oauthtoken of Zoho's SDKs in an SQLite file
//	mysql://USER@HOST[:PORT]/DB         that table in MySQL or MariaDB; ?table=TABLE names another
//	mysql://USER@/DB?socket=PATH        the same by the socket of a server on this machine
//	mem:                                a new, empty store in memory
//
// PREFIX is the folder of the secrets, such as crm/prod (of gcpsm crm-prod), as it is: nothing in it is decoded. No form holds a password:
// Vault's token is in VAULT_TOKEN, its namespace in VAULT_NAMESPACE, the password of a user of MySQL in MYSQL_PWD, and AWS has
// its own variables and files.
//
// The tables of sqlite and mysql are made by the first change, where there are none: to read, a user of MySQL needs the right
// SELECT only, and without a table there are no tokens. Package sqlstore says what a table can hold.
//
// The way to HOST of mysql is encrypted if the server offers that, and the server's certificate is not looked at, as MySQL's
// own clients do it: tls=preferred. Over a network that others use too, give ?tls=true, which demands a certificate that this
// machine trusts. The others of the driver are tls=skip-verify, which demands encryption, and tls=false.
//
// With SECRET_MANAGER_EMULATOR_HOST=HOST:PORT, gcpsm is the emulator there, for all projects and locations, such as a server
// of package gcpsmtest. Nothing is encrypted on the way to it, and no credentials are sent or looked for.
package storeurl
