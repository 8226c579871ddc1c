package storetest

import (
	"slices"
)

var listCases = []scenario{
	{"an empty store lists an empty slice", listsEmpty},
	{"every token is listed once, ordered by the bytes of its ID", listsInOrder},
	{"another handle lists the same", listsElsewhere},
}

// Zoho's SDKs answer null here and there (DBStore of the Node SDK 8.0).
func listsEmpty(s *subject) {
	check := func(when string) {
		if tokens := s.list(); tokens == nil || len(tokens) != 0 {
			s.Errorf("%s: GetTokens = %#v, want an empty slice that is not nil", when, tokens)
		}
	}
	check("before any save")
	s.delete(s.save(token{UserName: "a", RefreshToken: "r"}).ID)
	check("after a delete")
}

func listsInOrder(s *subject) {
	ids := []string{"9", "10", "b", "B", "a", "_", "é", "-", "ab"}
	if s.limits.TenColumns {
		ids = []string{"9", "10", "2", "100", "99", "1"}
	}
	var want []token
	for _, id := range ids {
		want = append(want, s.save(token{ID: id, UserName: "user " + id, RefreshToken: "r" + id}))
	}
	s.holds(want...)
	slices.Sort(ids)
	var got []string
	for _, t := range s.list() {
		got = append(got, t.ID)
	}
	if !slices.Equal(got, ids) {
		s.Errorf("GetTokens lists %q, want %q", got, ids)
	}
}

func listsElsewhere(s *subject) {
	other := s.on(s.open())
	other.holds()
	one := s.save(full("a"))
	other.holds(one)
	two := other.save(full("b"))
	s.holds(one, two)
	s.delete(two.ID)
	other.holds(one)
}
