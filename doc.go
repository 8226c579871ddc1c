// Package tokenkeep keeps OAuth tokens in a cloud secrets manager, for programs that have no disk of their own: Lambda
// functions, containers, services. Any number of processes share the tokens. There is no second system beside the
// secrets manager: every write is a compare-and-swap on the secret that it changes.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), awssm.Options{Prefix: "crm/prod"})
//	if err != nil {
//		return err
//	}
//	saved, err := store.SaveToken(ctx, tokenkeep.Token{
//		UserName:     "ann@example.com",
//		ClientID:     clientID,
//		ClientSecret: clientSecret,
//		RefreshToken: refreshToken,
//	})
//	…
//	token, err := store.FindToken(ctx, tokenkeep.Token{UserName: "ann@example.com"})
//
// [Store] is the contract, the TokenStore of Zoho's CRM SDKs without its contradictions. [SecretStore] keeps it on a
// secrets manager, and package awssm makes one for AWS Secrets Manager. Package localstack is a Secrets Manager inside
// your own process, for development and tests; package memstore keeps tokens in memory.
//
// # Identity
//
// The identity of a token is its user name, client ID and API domain: two clients of one user, or the sandbox and the
// production of one user, are two tokens. A token without a user goes by the credential that it was created with.
// Saves of one identity without an ID meet in one token, in whatever process they run, since its ID is derived from the
// identity; docs/architecture.md has the one exception. [Store] says which token a query means.
//
// Give the user name and the client wherever you know them. Such a query is answered in one call, and it does not
// become ambiguous when the user gets a second client.
//
// # Old copies
//
// A program that has read a token and saves it later, whole, does not undo what happened in between: a refresh or grant
// token that was used up, or that another save replaced, is ignored, and the access token beside it. To clear a field,
// or to put an old credential back on purpose, use UpdateToken.
//
// # Errors
//
// Compare with [errors.Is]; [errors.As] finds an [*Error] with the operation, the token's ID and the secret's name. No error
// holds a credential.
//
//	ErrNotFound     no token is the one that was asked for
//	ErrAmbiguous    several are; the text names their IDs
//	ErrIncomplete   nothing matches, and the token lacks what a new one needs
//	ErrInvalid      the input can never be stored or looked up
//	ErrConflict     another token has this identity, or other writers won every attempt
//	ErrTooLarge     the token, or the index with it, is larger than the manager takes
//	ErrQuota        no more writes or calls for now
//	ErrPermission   the policy, the key or the credentials
//	ErrUnavailable  no useful answer; the same call may succeed later
//	ErrForeign      a secret in our folder that this version did not write; it is left alone
//	ErrDamaged      a secret of ours that cannot be understood
//
// After the first six no token was written, unless the reply to an earlier attempt was lost on the network. After the
// others, and after a context that ended, a save may have taken effect; saving the same token again is safe.
//
// # Costs
//
// Each token is a secret, and one more, the index, says which there are. A look-up by ID, or by user and client, is one
// call; so is a save onto a token that the handle has read or written, and a delete. A new token takes two calls, three
// at the first use of a handle. Keep the handle, and keep an access token in memory until it expires: the manager
// charges for every call. docs/operations.md has the table, the limits and the policies.
//
// # Printing
//
// A [Token] prints without its credentials under every verb of package fmt, in log/slog and in encoding/json. Only
// [EncodeToken] writes them.
package tokenkeep
