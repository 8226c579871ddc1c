package storetest

import "github.com/tokenkeep/tokenkeep"

var deleteCases = []scenario{
	{"a deleted token is gone and the others stay", deletes},
	{"deleting what is not there succeeds", deletesMissing},
	{"DeleteTokens removes all and the store works on", deletesAll},
	{"a deleted token saved with its ID is back under that ID", savesUnderDeletedID},
	{"a delete is seen by another handle", deletesElsewhere},
}

func deletes(s *subject) {
	one := s.save(token{ID: "1", UserName: "a", ClientID: "c", RefreshToken: "r1", AccessToken: "A1"})
	two := s.save(token{ID: "11", UserName: "b", ClientID: "c", RefreshToken: "r2"})
	s.delete("1")
	s.getFails("1", tokenkeep.ErrNotFound)
	for _, query := range []token{{ID: "1"}, {UserName: "a"}, {UserName: "a", ClientID: "c"}, {RefreshToken: "r1"}, {AccessToken: "A1"}} {
		s.findFails(query, tokenkeep.ErrNotFound)
	}
	s.holds(two)
	s.saveFails(token{UserName: "a"}, tokenkeep.ErrIncomplete)
	one.ID = ""
	s.save(one)
	s.find(token{UserName: "a"})
}

// Zoho's file store fails here and its database store does not.
func deletesMissing(s *subject) {
	s.delete("1")
	two := s.save(token{ID: "2", UserName: "b", RefreshToken: "r"})
	for _, id := range []string{"", "1", "id", "*", "%", "2 ", "2' or '1'='1", "1 or 1=1"} {
		s.delete(id)
	}
	s.holds(two)
	s.delete("2")
	s.delete("2")
	s.holds()
}

func deletesAll(s *subject) {
	deleteAll := func(handle tokenkeep.Store) {
		s.Helper()
		if err := handle.DeleteTokens(s.Context()); err != nil {
			s.Fatalf("DeleteTokens: %v", err)
		}
	}
	deleteAll(s.Store)
	s.save(full("a"))
	s.save(token{ID: "72", UserName: "b", RefreshToken: "r2"})
	s.save(token{RefreshToken: "r3"})
	other := s.on(s.open())
	deleteAll(s.Store)
	deleteAll(s.Store)
	s.holds()
	other.holds()
	s.findFails(token{UserName: "a"}, tokenkeep.ErrNotFound)

	again := s.save(token{UserName: "a", RefreshToken: "r1"})
	s.on(s.open()).holds(again)
	deleteAll(other)
	s.on(s.open()).holds()
}

func savesUnderDeletedID(s *subject) {
	saved := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r1"})
	s.delete(saved.ID)
	s.same("the token saved again", s.save(saved), saved)
	s.same("what the user finds", s.find(token{UserName: "a"}), saved)
	s.holds(saved)
}

func deletesElsewhere(s *subject) {
	other := s.on(s.open())
	saved := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r1"})
	s.same("what another handle finds", other.find(token{UserName: "a"}), saved)
	s.delete(saved.ID)
	other.getFails(saved.ID, tokenkeep.ErrNotFound)
	other.findFails(token{UserName: "a"}, tokenkeep.ErrNotFound)
	other.findFails(token{UserName: "a", ClientID: "c"}, tokenkeep.ErrNotFound)
	again := other.save(token{UserName: "a", ClientID: "c", RefreshToken: "r2"})
	s.same("what the first handle finds", s.find(token{UserName: "a"}), again)
}
