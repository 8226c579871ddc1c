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
//	sqlite:PATH                         the table oauthtoken of Zoho's SDKs in an SQLite file; made where there is none
//	mem:                                a new, empty store in memory
//
// PREFIX is the folder of the secrets, such as crm/prod (of gcpsm crm-prod), as it is: nothing in it is decoded. No form holds a password:
// Vault's token is in VAULT_TOKEN, its namespace in VAULT_NAMESPACE, and AWS has its own variables and files.
package storeurl
