package tokenkeep

import "context"

// Store keeps tokens. It is the TokenStore of Zoho's CRM SDKs (find_token, find_token_by_id, save_token,
// delete_token, get_tokens, delete_tokens) with its contradictions settled; package storetest checks that a store
// keeps the rules below.
//
// # Which token a query means
//
// The first of these that applies decides alone:
//
//  1. ID: the token with that ID.
//  2. UserName: exact and case-sensitive. If no token has it, GrantToken and RefreshToken are tried as in rule 4, but
//     only among tokens without a user name.
//  3. AccessToken, where the query has neither ClientID nor ClientSecret.
//  4. GrantToken and, if no token has it, RefreshToken: the token that holds it, or held it until it was used up.
//     A refresh token that only a refresh brought, and no save, is no key to rely on.
//
// The identity of a token is its UserName, ClientID and APIDomain. Two identities are compatible if each of the
// three is equal or empty on one side. What rules 2 to 4 find is narrowed to compatible tokens; one of equal
// identity wins, a single one is meant, several are ErrAmbiguous and none is ErrNotFound. A token without a user
// has as its identity the grant token, else refresh token, else access token that it was created with; a query by that
// credential alone may be answered with that token, without a look for others that hold the credential too.
//
// # What old copies do
//
// A store remembers digests of the credentials that a token had. A refresh or grant token in a save that was used
// up, or that a later save replaced, is ignored together with the access token beside it; so a program that saves an
// old copy of a token does not undo a refresh or a login.
//
// Every method is safe for concurrent use and stops when ctx ends, with an error that wraps ctx.Err(). A token with
// invalid UTF-8 anywhere, an ID over 128 bytes or a user name over 1,024 is ErrInvalid, also in look-ups and deletes.
// An empty ID is ErrNotFound, and nil for a delete. Arguments are never changed.
type Store interface {
	// FindToken returns the token that query means. The non-empty fields of query win over the stored ones, AccessToken
	// together with ExpiresAt and RefreshToken together with RefreshExpiresAt; but where the query's grant or refresh
	// token was used up, the stored credentials win.
	//
	// The errors are ErrNotFound and ErrAmbiguous, and those of the store's medium.
	FindToken(ctx context.Context, query Token) (Token, error)

	// FindTokenByID returns the token with this ID, or ErrNotFound.
	FindTokenByID(ctx context.Context, id string) (Token, error)

	// SaveToken updates the token that FindToken would find, or creates one, and returns it as stored, with its ID.
	//
	// Empty fields keep what is stored, Scopes are replaced whole and Extra key by key; nothing can be cleared.
	// RefreshedAt and Reauthorize count only where the save creates the token; a refresh or grant token other than the
	// stored one clears Reauthorize. A grant token saved together with a new refresh token counts as used up.
	//
	// Several tokens that fit are ErrAmbiguous. A token to create that has neither a grant, a refresh nor an access token is
	// ErrIncomplete, unless it has client ID and secret and an ID or a user. An ID, or a change of identity, whose
	// identity another token has, is ErrConflict. A token larger than the medium takes is ErrTooLarge. After these,
	// nothing is written.
	SaveToken(ctx context.Context, token Token) (Token, error)

	// DeleteToken removes the token with this ID; that there is none is no error.
	DeleteToken(ctx context.Context, id string) error

	// GetTokens returns all tokens ordered by the bytes of their IDs; none is an empty slice, never nil. What cannot be
	// read is left out and reported in the error, which comes together with the rest.
	GetTokens(ctx context.Context) ([]Token, error)

	// DeleteTokens removes all tokens. Tokens saved while it runs may stay.
	DeleteTokens(ctx context.Context) error
}

// Updater is a store that changes a token atomically.
type Updater interface {
	// UpdateToken replaces the token with this ID by what f makes of it, whole: unlike SaveToken it can clear fields,
	// and old copies are not ignored. A new grant or refresh token counts as saved. Where another writer was faster, f
	// runs again on what that one stored; it should be quick and do nothing else.
	//
	// A token that is not there, or is deleted meanwhile, is ErrNotFound and never comes back. A change of the ID is
	// ErrInvalid, a change to the identity of another token ErrConflict. An error of f is returned as it is, wrapped.
	// Nothing is written after any of these.
	UpdateToken(ctx context.Context, id string, f func(Token) (Token, error)) (Token, error)
}
