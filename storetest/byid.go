package storetest

import (
	"strings"

	"github.com/tokenkeep/tokenkeep"
)

var byIDCases = []scenario{
	{"an ID finds its token whole", byIDWhole},
	{"an unknown ID is not found", byIDUnknown},
	{"an ID that no token can have is invalid", byIDInvalid},
}

func byIDWhole(s *subject) {
	one, two := s.save(full("a")), s.save(token{ID: "72", UserName: "b", RefreshToken: "r"})
	for _, handle := range []tokenkeep.Store{s.Store, s.open()} {
		s.same("the first token", s.on(handle).get(one.ID), one)
		s.same("the second token", s.on(handle).get("72"), two)
	}
}

// Of Zoho's stores some fail here and some answer null (DBStore of the PHP SDK 8.0).
func byIDUnknown(s *subject) {
	s.getFails("1", tokenkeep.ErrNotFound)
	s.save(token{ID: "77", UserName: "b", RefreshToken: "r"})
	for _, id := range []string{"", "1", "7", "777", "077", "77 ", "id", "%", "*", "7*"} {
		s.getFails(id, tokenkeep.ErrNotFound)
	}
}

func byIDInvalid(s *subject) {
	for _, id := range []string{"\xff", "a\xc3", strings.Repeat("i", maxID+1)} {
		s.getFails(id, tokenkeep.ErrInvalid)
		if err := s.DeleteToken(s.Context(), id); err == nil {
			s.Errorf("DeleteToken(%q) succeeded, want an error that is %q", id, tokenkeep.ErrInvalid)
		} else {
			s.failed("DeleteToken", token{}, err, tokenkeep.ErrInvalid)
		}
	}
}
