package storetest

import "github.com/tokenkeep/tokenkeep"

var identityCases = []scenario{
	{"one user in two domains is two tokens", twoDomains},
	{"one user with two clients is two tokens", twoClients},
	{"a save without domain keeps the stored one", keepsDomain},
	{"a save fills the empty client and domain", fillsIdentity},
	{"a save under a user names the token without one", namesNameless},
	{"a token named by a save keeps its ID and its keys", keepsKeysWhenNamed},
	{"tokens without a user are one per credential", onePerCredential},
	{"a token stays one when its refresh token changes under its ID", staysOneByID},
	{"a token that was deleted is saved anew", savedAnewAfterDelete},
}

func twoDomains(s *subject) {
	us := s.save(token{UserName: "a", ClientID: "c", APIDomain: "https://us", RefreshToken: "r1"})
	eu := s.save(token{UserName: "a", ClientID: "c", APIDomain: "https://eu", RefreshToken: "r2"})
	s.holds(us, eu)
	s.saveFails(token{UserName: "a", AccessToken: "A"}, tokenkeep.ErrAmbiguous)
	us.AccessToken = "A1"
	s.same("a save in one domain", s.save(token{UserName: "a", APIDomain: "https://us", AccessToken: "A1"}), us)
	s.holds(us, eu)
}

func twoClients(s *subject) {
	one := s.save(token{UserName: "a", ClientID: "c1", RefreshToken: "r1"})
	two := s.save(token{UserName: "a", ClientID: "c2", RefreshToken: "r2"})
	one.AccessToken = "A1"
	s.same("a save of one client", s.save(token{UserName: "a", ClientID: "c1", AccessToken: "A1"}), one)
	s.holds(one, two)
}

func keepsDomain(s *subject) {
	want := s.save(token{UserName: "a", APIDomain: "https://eu", RefreshToken: "r1"})
	want.AccessToken = "A1"
	s.same("the saved token", s.save(token{UserName: "a", AccessToken: "A1"}), want)
	s.holds(want)
}

func fillsIdentity(s *subject) {
	want := s.save(token{UserName: "a", RefreshToken: "r1"})
	want.ClientID, want.APIDomain = "c", "https://eu"
	s.same("the saved token", s.save(token{UserName: "a", ClientID: "c", APIDomain: "https://eu"}), want)
	s.holds(want)
	s.same("what the full identity finds", s.find(token{UserName: "a", ClientID: "c", APIDomain: "https://eu"}), want)
	s.same("what the user finds", s.on(s.open()).find(token{UserName: "a"}), want)
	s.findFails(token{UserName: "a", ClientID: "d"}, tokenkeep.ErrNotFound)
}

func namesNameless(s *subject) {
	nameless := s.save(token{ClientID: "c", ClientSecret: "s", RefreshToken: "r1"})
	other := s.save(token{ClientID: "c", ClientSecret: "s", RefreshToken: "r2"})
	named := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r1", AccessToken: "A1"})
	nameless.UserName, nameless.AccessToken = "a", "A1"
	s.same("the named token", named, nameless)
	s.holds(named, other)

	eve := s.save(token{UserName: "eve", ClientID: "c", RefreshToken: "r1"})
	if eve.ID == named.ID {
		s.Errorf("the token of %q went to %q with its refresh token", "a", "eve")
	}
	s.holds(named, other, eve)
}

func keepsKeysWhenNamed(s *subject) {
	nameless := s.save(token{ClientID: "c", GrantToken: "g1"})
	named := s.save(token{ID: nameless.ID, UserName: "a", ClientID: "c"})
	if named.ID != nameless.ID {
		s.Errorf("naming the token changed its ID from %q to %q", nameless.ID, named.ID)
	}
	for _, handle := range []tokenkeep.Store{s.Store, s.open()} {
		s.same("what the user finds", s.on(handle).find(token{UserName: "a"}), named)
		s.same("what the grant token finds", s.on(handle).find(token{GrantToken: "g1"}), named)
		s.same("what user and client find", s.on(handle).find(token{UserName: "a", ClientID: "c"}), named)
	}
	s.holds(named)
}

func onePerCredential(s *subject) {
	one := s.save(token{ClientID: "c", ClientSecret: "s", RefreshToken: "r1"})
	two := s.save(token{ClientID: "c", ClientSecret: "s", RefreshToken: "r2"})
	three := s.save(token{ClientID: "c", ClientSecret: "s", GrantToken: "g3"})
	four := s.save(token{AccessToken: "A4"})
	other := s.save(token{ClientID: "d", ClientSecret: "s", RefreshToken: "r1"})
	s.holds(one, two, three, four, other)
}

// Zoho's database store looks for the new refresh token, finds none and inserts a second row.
func staysOneByID(s *subject) {
	stored := s.save(token{ClientID: "c", ClientSecret: "s", RefreshToken: "r1"})
	stored.RefreshToken, stored.AccessToken = "r2", "A2"
	s.same("the saved token", s.save(stored), stored)
	s.same("what the new refresh token finds", s.find(token{ClientID: "c", RefreshToken: "r2"}), stored)
	s.holds(stored)
}

func savedAnewAfterDelete(s *subject) {
	for _, t := range []token{{UserName: "a", ClientID: "c", RefreshToken: "r1"}, {RefreshToken: "r2"}} {
		first := s.save(t)
		t.RefreshToken += "-new"
		t.ID = first.ID
		s.save(t) // so that the first refresh token is an old one of this token
		s.delete(first.ID)

		t.ID, t.RefreshToken = "", first.RefreshToken
		again := s.save(t)
		t.ID = again.ID
		s.same("the token saved anew", again, t)
		s.same("what its refresh token finds", s.find(token{RefreshToken: t.RefreshToken}), t)
	}
}
