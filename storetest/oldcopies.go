package storetest

import (
	"fmt"

	"github.com/tokenkeep/tokenkeep"
)

// Programs keep copies of tokens for long: in a variable while another process refreshes the token, in an environment
// variable that a deployment sets. A save of such a copy must not undo a login.
var oldCopyCases = []scenario{
	{"a replaced refresh token does not come back", replacedStays},
	{"two deployments with two refresh tokens do not swap them", deploymentsDoNotSwap},
	{"a copy from before a login changes other fields only", copyFromBeforeLogin},
	{"a new credential beside a replaced one counts", newBesideReplaced},
	{"no query finds a token by a replaced refresh token", notFoundByReplaced},
	{"a save by the replaced first refresh token meets its token", savedByReplaced},
	{"a grant token beside a refresh token is used up", grantIsSpent},
	{"the stored credentials win over a used up grant token", storedWinOverSpent},
	{"a new grant token alone keeps the refresh token", newGrantKeepsRefresh},
	{"an update is no old copy", updateIsNoOldCopy},
	{"a deleted token leaves no memory", deleteForgets},
}

func replacedStays(s *subject) {
	s.needs("old credentials")
	s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A1"})
	want := s.save(token{UserName: "a", RefreshToken: "r2", AccessToken: "A2"})
	s.same("a save of the replaced token", s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A1"}), want)
	s.same("the same with an expiry", s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A0", ExpiresAt: later}), want)
	s.same("the same by ID", s.save(token{ID: want.ID, RefreshToken: "r1", AccessToken: "A1"}), want)
	s.same("the same by another handle", s.on(s.open()).save(token{UserName: "a", RefreshToken: "r1"}), want)

	for _, next := range []string{"r3", "r4"} {
		want.RefreshToken = next
		s.same("a new refresh token", s.save(token{UserName: "a", RefreshToken: next}), want)
	}
	for _, old := range []string{"r1", "r2", "r3"} {
		s.same("a save of "+old, s.save(token{UserName: "a", RefreshToken: old, AccessToken: "A9"}), want)
	}
	s.holds(want)
}

func deploymentsDoNotSwap(s *subject) {
	s.needs("old credentials")
	old := token{UserName: "a", ClientID: "c", RefreshToken: "r-old", AccessToken: "A-old"}
	login := token{UserName: "a", ClientID: "c", RefreshToken: "r-new", AccessToken: "A-new"}
	s.save(old)
	want := s.save(login)
	for i := range 3 {
		s.same(fmt.Sprint("cold start of the old deployment ", i), s.save(old), want)
		s.same(fmt.Sprint("cold start of the new deployment ", i), s.save(login), want)
	}
	s.holds(want)
}

func copyFromBeforeLogin(s *subject) {
	s.needs("old credentials")
	before := s.save(full("a"))
	other := s.on(s.open())
	want := other.save(token{UserName: "a", RefreshToken: "r-login", AccessToken: "A-login", ExpiresAt: earlier})

	before.RedirectURL = "https://example.com/new"
	want.RedirectURL = before.RedirectURL
	s.same("the saved copy", s.save(before), want)
	s.same("what another handle reads", other.get(want.ID), want)
}

func newBesideReplaced(s *subject) {
	s.needs("old credentials")
	s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A1"})
	want := s.save(token{UserName: "a", RefreshToken: "r2", AccessToken: "A2"})
	want.GrantToken, want.AccessToken = "g3", "A3"
	s.same("the saved token", s.save(token{UserName: "a", GrantToken: "g3", RefreshToken: "r1", AccessToken: "A3"}), want)
	s.holds(want)
}

func notFoundByReplaced(s *subject) {
	s.save(token{UserName: "a", RefreshToken: "r1"})
	want := s.save(token{UserName: "a", RefreshToken: "r2"})
	nameless := s.save(token{RefreshToken: "r3"})
	s.save(token{ID: nameless.ID, RefreshToken: "r4"})
	for _, handle := range []tokenkeep.Store{s.Store, s.open()} {
		s.on(handle).findFails(token{RefreshToken: "r1"}, tokenkeep.ErrNotFound)
		s.on(handle).findFails(token{RefreshToken: "r3"}, tokenkeep.ErrNotFound)
		s.same("what the new one finds", s.on(handle).find(token{RefreshToken: "r2"}), want)
	}
}

func savedByReplaced(s *subject) {
	s.needs("old credentials")
	first := s.save(token{ClientID: "c", RefreshToken: "r1"})
	want := s.save(token{ID: first.ID, RefreshToken: "r2", AccessToken: "A2"})
	want.RedirectURL = "https://example.com"
	got := s.save(token{ClientID: "c", RefreshToken: "r1", AccessToken: "A1", RedirectURL: "https://example.com"})
	s.same("the saved token", got, want)
	s.holds(want)
}

func grantIsSpent(s *subject) {
	want := s.save(token{UserName: "a", GrantToken: "g1", RefreshToken: "r1", AccessToken: "A1"})
	s.same("a save of the grant token", s.save(token{UserName: "a", GrantToken: "g1", AccessToken: "A9"}), want)
	s.same("the same without user", s.save(token{GrantToken: "g1"}), want)
	s.same("what the grant token finds", s.find(token{GrantToken: "g1"}), want)

	nameless := s.save(token{ClientID: "c", GrantToken: "g3"})
	nameless.RefreshToken = "r3"
	s.same("an exchange saved to a token without user", s.save(token{ClientID: "c", GrantToken: "g3", RefreshToken: "r3"}), nameless)
	s.same("a second save of its grant token", s.save(token{ClientID: "c", GrantToken: "g3", AccessToken: "A9"}), nameless)
	s.holds(want, nameless)

	s.needs("old credentials")
	want.GrantToken = "g2"
	s.same("a save of a new grant token", s.save(token{UserName: "a", GrantToken: "g2"}), want)
	s.same("a save of the first", s.save(token{UserName: "a", GrantToken: "g1", AccessToken: "A9"}), want)
	s.same("what the first finds", s.find(token{GrantToken: "g1"}), want)
	s.same("what the first finds through another handle", s.on(s.open()).find(token{GrantToken: "g1"}), want)
	s.holds(want, nameless)
}

func storedWinOverSpent(s *subject) {
	want := s.save(token{
		UserName: "a", GrantToken: "g1", RefreshToken: "r1", RefreshExpiresAt: later, AccessToken: "A1", ExpiresAt: later,
	})
	got := s.find(token{UserName: "a", GrantToken: "g1", RefreshToken: "r9", AccessToken: "A9", ExpiresAt: earlier, RedirectURL: "https://x"})
	want.RedirectURL = "https://x"
	s.same("the found token", got, want)
}

func newGrantKeepsRefresh(s *subject) {
	stored := s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A1"})
	stored.GrantToken = "g1"
	s.same("the saved token", s.save(token{UserName: "a", GrantToken: "g1"}), stored)
	s.same("what the grant token finds", s.find(token{GrantToken: "g1"}), stored)
	s.same("what the refresh token finds", s.find(token{RefreshToken: "r1"}), stored)

	stored.GrantToken = "g2"
	s.same("a newer grant token", s.save(token{UserName: "a", GrantToken: "g2"}), stored)
	s.needs("old credentials")
	s.same("a save of the older", s.save(token{UserName: "a", GrantToken: "g1"}), stored)
	s.findFails(token{GrantToken: "g1"}, tokenkeep.ErrNotFound)
	s.holds(stored)
}

func updateIsNoOldCopy(s *subject) {
	s.updater()
	s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A1"})
	want := s.save(token{UserName: "a", RefreshToken: "r2", AccessToken: "A2"})
	want.RefreshToken, want.AccessToken = "r1", "A1"
	s.same("the update", s.update(want.ID, func(t *token) { t.RefreshToken, t.AccessToken = "r1", "A1" }), want)
	s.holds(want)
	s.needs("old credentials")
	s.same("a save of what it put away", s.save(token{UserName: "a", RefreshToken: "r2", AccessToken: "A2"}), want)
	s.same("what the refresh token finds", s.find(token{RefreshToken: "r1"}), want)
	s.findFails(token{RefreshToken: "r2"}, tokenkeep.ErrNotFound)
	s.holds(want)
}

func deleteForgets(s *subject) {
	s.save(token{UserName: "a", RefreshToken: "r1"})
	saved := s.save(token{UserName: "a", RefreshToken: "r2"})
	s.delete(saved.ID)
	again := s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A1"})
	s.same("the token after a delete", again, token{ID: again.ID, UserName: "a", RefreshToken: "r1", AccessToken: "A1"})
}
