// Package oauth gives programs an oauth2.TokenSource whose tokens outlive the process, and are refreshed once for all processes
// that share a store.
//
// A function with client, secret and refresh token in its environment needs one call:
//
//	client := oauth.NewSource(store, tokenkeep.Token{RefreshToken: os.Getenv("REFRESH_TOKEN")}, oauth.Options{
//		Config: &oauth2.Config{
//			ClientID:     os.Getenv("CLIENT_ID"),
//			ClientSecret: os.Getenv("CLIENT_SECRET"),
//			Endpoint:     oauth2.Endpoint{TokenURL: "https://accounts.example.com/token"},
//		},
//		Hosts: []string{"api.example.com"},
//	}).Client(ctx)
//	resp, err := client.Get("https://api.example.com/things")
//
// The first run saves the token. Every later cold start finds it, with its access token, in one call of the store, even when the
// provider has replaced the refresh token since. A new refresh token in the environment is a new login.
//
// # What happens when a token expires
//
// A token that is good is returned from memory. Some minutes before it ends (Options.Margin) one process of all that share the store
// takes a lease in the token's secret, asks the provider and stores the answer; the others go on with the old token, and find
// the new one in the store when theirs comes to its end. That takes a store that is a tokenkeep.Refresher, as
// tokenkeep.SecretStore is.
//
// Over any other store the sources of one process take turns, and those of two processes may both refresh a token. A provider that
// rotates refresh tokens may take that for theft and end the login: use such a store in one process. A store that is a
// tokenkeep.Updater at least never loses a login that happened meanwhile. Where a store has no place for the end of a refresh
// token, as Zoho's file and table, the token is stored without it.
//
// [Source.Refresh] asks the provider although the token is good: for a job that keeps tokens alive whose refresh tokens would end for
// lying idle, or after a person has put right why a refresh failed.
//
// There is one case that nobody can save: the provider rotates refresh tokens, takes no old one, and the process dies between its
// answer and the store. It ends in ErrReauthorize and OnReauthorize, not in silence.
//
// # Errors
//
// Where a token comes at all, it is good. TokenContext returns a token and a *tokenkeep.UnsavedError together while the store
// does not take what the provider gave; Token returns the token alone. Such a token is kept, and saved again at later calls: see
// OnPersistError and [Source.Err].
//
//	ErrReauthorize            the provider refused the credential for good; a person must log in
//	ErrThrottled              it has been asked too often
//	*tokenkeep.RefreshError   any failure of the provider: the class, and for how long no process will ask it again
//	*oauth2.RetrieveError     status and code of its answer, never the body
//	tokenkeep.ErrNotFound     no stored token is the one that the query means, or it has been deleted
//
// A token that is deleted while a source lives stays deleted, as a logout should: the source is ErrNotFound until somebody saves one
// that its query means.
//
// # With oauth2.NewClient and Google's libraries
//
// A Source is an oauth2.TokenSource, so it goes into oauth2.NewClient or Google's option.WithTokenSource. Both put an
// oauth2.ReuseTokenSource before it, which keeps each token until 10 seconds before it expires. That hides three things from the
// source: a token is refreshed late rather than early, with nobody else's help if that fails; Invalidate does not reach the copy, so
// a token that was revoked is used on; and what the store did not take is saved again only when the copy has ended. Prefer
// [Source.Client], or put the source into an oauth2.Transport{Source: source} yourself: that keeps no copy. Only Client keeps to
// Options.Hosts and repeats what was answered 401.
//
// # Another kind of server
//
// [Provider] is what a source asks. [NewConfigProvider] makes one of an oauth2.Config, and takes what else is known of the server: see
// [Traits].
package oauth
