// Package zoho keeps programs logged in to Zoho: it refreshes tokens, exchanges grant tokens and logs people in, for
// Zoho CRM and the other services behind Zoho's accounts servers.
//
// A Lambda function that has a client and a refresh token in its environment needs one call:
//
//	client, err := zoho.NewClient(ctx, store, tokenkeep.Token{
//		ClientID:     os.Getenv("ZOHO_CLIENT_ID"),
//		ClientSecret: os.Getenv("ZOHO_CLIENT_SECRET"),
//		RefreshToken: os.Getenv("ZOHO_REFRESH_TOKEN"),
//		APIDomain:    zoho.EU.APIDomain,
//	})
//	if err != nil {
//		return err
//	}
//	resp, err := client.Get(zoho.EU.APIDomain + "/crm/v8/Leads?fields=Last_Name")
//
// The first process to run saves the token in the store; whoever finds it expired refreshes it for all. [Login] gets a
// first refresh token from a person at a browser, [LoginWithGrant] from the grant token of a self client.
//
// # Data centers
//
// A token is good in one data center, and in one of its environments: production, sandbox or developer. The API domain
// tells which. Where it is refreshed is told by the first of these that is there: the token's AccountsURL; its APIDomain,
// where [DataCenterByAPIDomain] knows it; Options.DataCenter; else it is a guess that the data center is [US]. While it
// is a guess, a refresh token that is refused is [tokenkeep.Misconfigured] and not [tokenkeep.Refused]: it may be
// perfectly good elsewhere. The first answer tells the API domain, and the guess is over.
//
// A data center that this package does not know is used by an AccountsURL on the token or in Options.DataCenter. A
// server that is named in the redirect of a login has to be one of the known ones, or the one where the login began.
//
// # Limits
//
// Zoho's pages disagree; these are the strictest numbers.
//
//	an access token lives for 1 hour
//	10 access tokens per refresh token in 10 minutes, then none for the rest of them   CRM v8, "Token Validity"
//	10 or 15 live access tokens per refresh token; one more ends the oldest            Accounts, "Token Limits"; CRM v8
//	20 refresh tokens per user; one more ends the oldest with its access tokens        Kaizen #43
//	a grant token works once, for 2 minutes                                            CRM v3, Accounts
//
// So a program must not log in at every start, nor refresh in every process.
//
// # Errors
//
// Zoho tells of most errors in the body, often with HTTP 200. They become the classes of [tokenkeep.RefreshError]:
//
//	Refused        invalid_code: revoked, used up or expired. errors.Is(err, oauth.ErrReauthorize)
//	Misconfigured  invalid_client, invalid_client_secret and the like: the wrong client, secret or data center
//	Throttled      "Access Denied" in whatever language, or HTTP 429. errors.Is(err, oauth.ErrThrottled)
//	Transient      general_error, HTTP 5xx, no answer, or one that makes no sense
//
// No error has any text of a server in it, but for error codes that this package knows.
package zoho
