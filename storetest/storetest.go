// Package storetest checks that a token store keeps the contract of [tokenkeep.Store].
//
// Whoever writes a store of their own runs it from a test:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
//			dir := t.TempDir() // where the tokens of this one store lie
//			return func() tokenkeep.Store { return mystore.Open(dir) }
//		}, storetest.Limits{})
//	}
//
// The rules come from what Zoho's SDKs do with their file store, FileStore of the Python SDK 6.0.0 above all; where
// the SDKs contradict each other or themselves, the comment of [tokenkeep.Store] says which way was taken.
package storetest

import (
	"testing"

	"github.com/tokenkeep/tokenkeep"
)

// Limits tells what a store need not do. Its zero value requires everything.
type Limits struct {
	// TenColumns is for a store on the file or the table of Zoho's SDKs, whose columns are ID, UserName, ClientID,
	// ClientSecret, RefreshToken, AccessToken, GrantToken, ExpiresAt to the millisecond, RedirectURL and APIDomain.
	//
	// Such a store refuses AccountsURL, RefreshExpiresAt, Scopes and Extra, and a new ID that is no decimal number, with
	// [tokenkeep.ErrInvalid] and an error that names the field, and leaves RefreshedAt and Reauthorize out. It
	// recognises no old copy but a grant token beside the refresh token that it was exchanged for. The texts under test
	// that it must keep are at most 255 characters long.
	TenColumns bool
}

// Run checks a store, one rule of [tokenkeep.Store] per subtest.
//
// fresh makes an empty store; what it returns opens one more handle on that store, as another process would. The
// first handle is opened before anything is saved. Where a handle is a [tokenkeep.Updater], UpdateToken is checked
// too, and SaveTokens where it has that method of [tokenkeep.SecretStore]. Run makes some hundred calls, so it is quick
// also on a store at the other end of a network.
func Run(t *testing.T, fresh func(t *testing.T) func() tokenkeep.Store, limits Limits) {
	groups := []struct {
		name  string
		cases []scenario
	}{
		{"FindToken", findCases()},
		{"merge on find", mergeCases},
		{"SaveToken", saveCases},
		{"SaveTokens", bulkCases},
		{"identity", identityCases},
		{"refused saves", refusalCases},
		{"old copies", oldCopyCases},
		{"FindTokenByID", byIDCases},
		{"GetTokens", listCases},
		{"delete", deleteCases},
		{"UpdateToken", updateCases},
		{"values", valueCases},
		{"columns", columnCases},
		{"arguments", argumentCases},
		{"context", contextCases},
		{"secrecy", secrecyCases},
		{"concurrency", concurrencyCases},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) {
					open := fresh(t)
					c.run(&subject{T: t, Store: open(), open: open, limits: limits})
				})
			}
		})
	}
}

// scenario is one rule, and how to see that a store keeps it.
type scenario struct {
	name string
	run  func(s *subject)
}
