package storetest

import (
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

var refusalCases = []scenario{
	{"a new token without a credential is incomplete", refusesIncomplete},
	{"an ID whose identity another token has is a conflict", refusesTakenIdentity},
	{"a rename to a user who has a token is a conflict", refusesRename},
	{"filling an identity that another token has is a conflict", refusesFilling},
	{"a save that fits several tokens is ambiguous", refusesAmbiguous},
	{"invalid UTF-8 in any field is invalid", refusesInvalidText},
	{"a year that no JSON time has is invalid", refusesInvalidTime},
	{"IDs and user names that are too long are invalid", refusesTooLong},
	{"a huge token is stored whole or too large", storesHugeOrRefuses},
}

func refusesIncomplete(s *subject) {
	for _, t := range []token{
		{}, {ID: "9"}, {UserName: "nobody"}, {ClientID: "c", ClientSecret: "s"}, {UserName: "a", ClientID: "c"},
		{UserName: "a", ClientSecret: "s"}, {ID: "9", ClientID: "c", APIDomain: "https://eu", ExpiresAt: later},
		{UserName: "a", RedirectURL: "https://example.com", Scopes: []string{"x"}, Extra: map[string]string{"k": "v"}},
	} {
		s.saveFails(s.fit(t), tokenkeep.ErrIncomplete)
	}
	s.holds()
	s.getFails("9", tokenkeep.ErrNotFound)
}

func refusesTakenIdentity(s *subject) {
	user := s.save(token{UserName: "a", ClientID: "c", APIDomain: "https://eu", RefreshToken: "r1"})
	nameless := s.save(token{ClientID: "c", RefreshToken: "r2"})
	for _, tt := range []struct {
		save token
		has  token
	}{
		{token{ID: "79", UserName: "a", ClientID: "c", APIDomain: "https://eu", RefreshToken: "r3"}, user},
		{token{ID: "79", ClientID: "c", RefreshToken: "r2", AccessToken: "A2"}, nameless},
	} {
		if err := s.saveFails(tt.save, tokenkeep.ErrConflict); err != nil && !strings.Contains(err.Error(), tt.has.ID) {
			s.Errorf("error %q does not name the ID %q, which has the identity", err, tt.has.ID)
		}
	}
	s.getFails("79", tokenkeep.ErrNotFound)
	s.findFails(token{RefreshToken: "r3"}, tokenkeep.ErrNotFound)
	s.holds(user, nameless)

	free := s.save(token{ID: "79", UserName: "a", ClientID: "d", APIDomain: "https://eu", RefreshToken: "r3"})
	s.holds(user, nameless, free)
}

func refusesRename(s *subject) {
	ann := s.save(token{UserName: "ann", ClientID: "c", RefreshToken: "r1"})
	bob := s.save(token{UserName: "bob", ClientID: "c", RefreshToken: "r2"})
	err := s.saveFails(token{ID: bob.ID, UserName: "ann", RefreshToken: "r9", AccessToken: "A9"}, tokenkeep.ErrConflict)
	if err != nil && !strings.Contains(err.Error(), ann.ID) {
		s.Errorf("error %q does not name the ID %q, which has the identity", err, ann.ID)
	}
	s.holds(ann, bob)
	s.findFails(token{RefreshToken: "r9"}, tokenkeep.ErrNotFound)

	s.delete(ann.ID)
	bob.UserName = "ann"
	s.same("the rename after a delete", s.save(token{ID: bob.ID, UserName: "ann"}), bob)
	s.holds(bob)
}

func refusesFilling(s *subject) {
	full := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r1"})
	plain := s.save(token{ID: "79", UserName: "a", RefreshToken: "r2"})
	s.saveFails(token{ID: "79", ClientID: "c", AccessToken: "A9"}, tokenkeep.ErrConflict)
	s.holds(full, plain)
}

func refusesAmbiguous(s *subject) {
	us := s.save(token{UserName: "a", APIDomain: "https://us", RefreshToken: "r1"})
	eu := s.save(token{UserName: "a", APIDomain: "https://eu", RefreshToken: "r2"})
	err := s.saveFails(token{UserName: "a", RefreshToken: "r9", AccessToken: "A9"}, tokenkeep.ErrAmbiguous)
	for _, fit := range []token{us, eu} {
		if err != nil && !strings.Contains(err.Error(), fit.ID) {
			s.Errorf("error %q does not name the ID %q, which fits", err, fit.ID)
		}
	}
	s.holds(us, eu)
}

func refusesInvalidText(s *subject) {
	const bad = "a\xff"
	fields := map[string]func(t *token){
		"ID":           func(t *token) { t.ID = bad },
		"UserName":     func(t *token) { t.UserName = bad },
		"ClientID":     func(t *token) { t.ClientID = bad },
		"ClientSecret": func(t *token) { t.ClientSecret = bad },
		"RedirectURL":  func(t *token) { t.RedirectURL = bad },
		"GrantToken":   func(t *token) { t.GrantToken = bad },
		"RefreshToken": func(t *token) { t.RefreshToken = bad },
		"AccessToken":  func(t *token) { t.AccessToken = bad },
		"APIDomain":    func(t *token) { t.APIDomain = bad },
		"AccountsURL":  func(t *token) { t.AccountsURL = bad },
		"Scopes":       func(t *token) { t.Scopes = []string{"good", bad} },
		"Extra value":  func(t *token) { t.Extra = map[string]string{"good": bad} },
		"Extra key":    func(t *token) { t.Extra = map[string]string{bad: "good"} },
		"Reauthorize":  func(t *token) { t.Reauthorize = &tokenkeep.Reauthorize{Since: earlier, Reason: bad} },
	}
	for field, spoil := range fields {
		t := s.fit(full("a"))
		spoil(&t)
		if err := s.saveFails(t, tokenkeep.ErrInvalid); err == nil {
			s.Errorf("a token with invalid UTF-8 in %s is saved", field)
		}
		s.findFails(t, tokenkeep.ErrInvalid)
	}
	s.holds()
}

func refusesInvalidTime(s *subject) {
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, t := range []token{
		{UserName: "a", AccessToken: "A", ExpiresAt: far},
		{UserName: "a", RefreshToken: "r", RefreshExpiresAt: far},
		{UserName: "a", RefreshToken: "r", RefreshedAt: far},
		{UserName: "a", RefreshToken: "r", Reauthorize: &tokenkeep.Reauthorize{Since: far}},
	} {
		s.saveFails(t, tokenkeep.ErrInvalid)
	}
	s.holds()
}

func refusesTooLong(s *subject) {
	s.saveFails(token{ID: strings.Repeat("i", maxID+1), RefreshToken: "r"}, tokenkeep.ErrInvalid)
	s.saveFails(token{ID: strings.Repeat("é", maxID/2) + "i", RefreshToken: "r"}, tokenkeep.ErrInvalid)
	s.saveFails(token{UserName: strings.Repeat("u", maxUserName+1), RefreshToken: "r"}, tokenkeep.ErrInvalid)
	s.holds()
}

// AWS Secrets Manager and Google Secret Manager take 64 KiB.
func storesHugeOrRefuses(s *subject) {
	huge := token{ID: "78", UserName: "a", RefreshToken: "r", AccessToken: strings.Repeat("x", 70<<10)}
	small := s.save(token{ID: "79", UserName: "b", RefreshToken: "r"})
	saved, err := s.SaveToken(s.Context(), huge)
	if err == nil {
		s.same("the huge token", saved, huge)
		s.holds(huge, small)
		return
	}
	s.failed("SaveToken of a huge token", saved, err, tokenkeep.ErrTooLarge)
	s.getFails("78", tokenkeep.ErrNotFound)
	s.saveFails(token{ID: "79", AccessToken: huge.AccessToken}, tokenkeep.ErrTooLarge)
	s.holds(small)
}
