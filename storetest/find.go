package storetest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
)

// lookup is a query and what it must find among the rows of its group.
type lookup struct {
	name    string
	query   token
	want    int   // the row, counted from 1
	wantErr error // instead of a row
	names   []int // the rows that an ErrAmbiguous names
}

var findGroups = []struct {
	name    string
	rows    []token
	lookups []lookup
}{
	{"an empty store finds nothing", nil, []lookup{
		{"by refresh token and client", token{ClientID: "c", ClientSecret: "s", RefreshToken: "r"}, 0, tokenkeep.ErrNotFound, nil},
		{"by user", token{UserName: "a"}, 0, tokenkeep.ErrNotFound, nil},
		{"by ID", token{ID: "1"}, 0, tokenkeep.ErrNotFound, nil},
		{"by nothing", token{}, 0, tokenkeep.ErrNotFound, nil},
	}},
	{"the token of a user", []token{oneUser}, userLookups},
	{"tokens without a user", []token{
		{ClientID: "c", ClientSecret: "s", RefreshToken: "r1", AccessToken: "A1"},
		{ClientID: "c", ClientSecret: "s", GrantToken: "g2"},
		{ClientID: "c", ClientSecret: "s", RefreshToken: "r3"},
	}, namelessLookups},
	{"several tokens of one user", []token{
		{UserName: "ann", ClientID: "a", APIDomain: "https://us", RefreshToken: "r1"},
		{UserName: "ann", ClientID: "b", APIDomain: "https://us", RefreshToken: "r2"},
		{UserName: "ann", ClientID: "a", APIDomain: "https://eu", RefreshToken: "r3"},
	}, []lookup{
		{"the user alone fits all", token{UserName: "ann"}, 0, tokenkeep.ErrAmbiguous, []int{1, 2, 3}},
		{"a client of two fits two", token{UserName: "ann", ClientID: "a"}, 0, tokenkeep.ErrAmbiguous, []int{1, 3}},
		{"a client of one finds it", token{UserName: "ann", ClientID: "b"}, 2, nil, nil},
		{"a domain of one finds it", token{UserName: "ann", APIDomain: "https://eu"}, 3, nil, nil},
		{"client and domain find one", token{UserName: "ann", ClientID: "a", APIDomain: "https://us"}, 1, nil, nil},
		{"another client finds none", token{UserName: "ann", ClientID: "c"}, 0, tokenkeep.ErrNotFound, nil},
		{"another domain finds none", token{UserName: "ann", APIDomain: "https://in"}, 0, tokenkeep.ErrNotFound, nil},
		{"the refresh token does not narrow", token{UserName: "ann", RefreshToken: "r2"}, 0, tokenkeep.ErrAmbiguous, []int{1, 2, 3}},
		{"the refresh token without user finds one", token{RefreshToken: "r2"}, 2, nil, nil},
	}},
	{"a token with client and one without", []token{
		{UserName: "ann", ClientID: "a", RefreshToken: "r1"},
		{ID: "79", UserName: "ann", RefreshToken: "r2"},
	}, []lookup{
		{"an equal identity wins, empty fields included", token{UserName: "ann"}, 2, nil, nil},
		{"an equal identity wins over a compatible one", token{UserName: "ann", ClientID: "a"}, 1, nil, nil},
		{"a single compatible one is meant", token{UserName: "ann", ClientID: "c"}, 2, nil, nil},
		{"two compatible ones are ambiguous", token{UserName: "ann", APIDomain: "https://eu"}, 0, tokenkeep.ErrAmbiguous, []int{1, 2}},
		{"client and domain fit both", token{UserName: "ann", ClientID: "a", APIDomain: "https://eu"}, 0, tokenkeep.ErrAmbiguous, []int{1, 2}},
	}},
	{"two clients of one refresh token", []token{
		{ClientID: "a", RefreshToken: "r"},
		{ClientID: "b", RefreshToken: "r"},
	}, []lookup{
		{"the first client finds its own", token{ClientID: "a", RefreshToken: "r"}, 1, nil, nil},
		{"the second client finds its own", token{ClientID: "b", RefreshToken: "r"}, 2, nil, nil},
		{"a third client finds none", token{ClientID: "c", RefreshToken: "r"}, 0, tokenkeep.ErrNotFound, nil},
	}},
}

var oneUser = token{
	UserName: "a", ClientID: "c", ClientSecret: "s", RedirectURL: "https://example.com", APIDomain: "https://eu",
	RefreshToken: "r1", AccessToken: "A1", ExpiresAt: later,
}

var userLookups = []lookup{
	{"is found by the user", token{UserName: "a"}, 1, nil, nil},
	{"is found by user, client and domain", token{UserName: "a", ClientID: "c", APIDomain: "https://eu"}, 1, nil, nil},
	{"is found by the access token without client", token{AccessToken: "A1"}, 1, nil, nil},
	{"is not found by the access token with client", token{AccessToken: "A1", ClientID: "c", ClientSecret: "s"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the access token with client ID", token{AccessToken: "A1", ClientID: "c"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the access token with client secret", token{AccessToken: "A1", ClientSecret: "s"}, 0, tokenkeep.ErrNotFound, nil},
	{"is found by the refresh token without client", token{RefreshToken: "r1"}, 1, nil, nil},
	{"is found by the refresh token with its client", token{RefreshToken: "r1", ClientID: "c"}, 1, nil, nil},
	{"is not found by the refresh token with another client", token{RefreshToken: "r1", ClientID: "d"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the refresh token in another domain", token{RefreshToken: "r1", APIDomain: "https://us"}, 0, tokenkeep.ErrNotFound, nil},
	{"is found by the user whatever the refresh token", token{UserName: "a", RefreshToken: "r9"}, 1, nil, nil},
	{"is not found by another user with its refresh token", token{UserName: "z", ClientID: "c", ClientSecret: "s", RefreshToken: "r1"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by another user with its access token", token{UserName: "z", AccessToken: "A1"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the user in other case", token{UserName: "A"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the user with a space", token{UserName: "a "}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the user with another client", token{UserName: "a", ClientID: "d"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the user in another domain", token{UserName: "a", APIDomain: "https://us"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by an unknown ID with its user", token{ID: "none", UserName: "a", RefreshToken: "r1"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by nothing", token{}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the client ID", token{ClientID: "c"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by the client", token{ClientID: "c", ClientSecret: "s"}, 0, tokenkeep.ErrNotFound, nil},
	{"is not found by what is no key", token{RedirectURL: "https://example.com", APIDomain: "https://eu", ExpiresAt: later}, 0, tokenkeep.ErrNotFound, nil},
	{"is found by the access token whatever the refresh token", token{AccessToken: "A1", RefreshToken: "r9"}, 1, nil, nil},
	{"is not found by another access token with its refresh token", token{AccessToken: "A9", RefreshToken: "r1"}, 0, tokenkeep.ErrNotFound, nil},
}

var namelessLookups = []lookup{
	{"are found by refresh token", token{ClientID: "c", ClientSecret: "s", RefreshToken: "r3"}, 3, nil, nil},
	{"are found by grant token", token{ClientID: "c", ClientSecret: "s", GrantToken: "g2"}, 2, nil, nil},
	{"are found by grant token without client", token{GrantToken: "g2"}, 2, nil, nil},
	{"are found by grant token before refresh token", token{ClientID: "c", GrantToken: "g2", RefreshToken: "r1"}, 2, nil, nil},
	{"are found by refresh token where the grant token is unknown", token{ClientID: "c", GrantToken: "g9", RefreshToken: "r1"}, 1, nil, nil},
	{"are found by a user that has none, with the refresh token", token{UserName: "z", ClientID: "c", RefreshToken: "r1"}, 1, nil, nil},
	{"are found by a user that has none, with the grant token", token{UserName: "z", GrantToken: "g2"}, 2, nil, nil},
	{"are not found by a user with the access token", token{UserName: "z", AccessToken: "A1"}, 0, tokenkeep.ErrNotFound, nil},
	{"are not found by the client they have in common", token{ClientID: "c", ClientSecret: "s"}, 0, tokenkeep.ErrNotFound, nil},
	{"are not found by the grant token with another client", token{ClientID: "d", GrantToken: "g2"}, 0, tokenkeep.ErrNotFound, nil},
}

// findCases makes a scenario of each group: its rows are saved once, its look-ups only read.
func findCases() []scenario {
	cases := []scenario{
		{"an ID decides alone", findByIDAlone},
		{"queries that no token can have are invalid", findInvalid},
	}
	for _, group := range findGroups {
		cases = append(cases, scenario{group.name, func(s *subject) {
			var rows []token
			for _, row := range group.rows {
				rows = append(rows, s.save(row))
			}
			cold := s.open()
			for _, l := range group.lookups {
				sub := *s
				s.Run(l.name, func(t *testing.T) {
					sub.T = t
					sub.check(l, rows)
					sub.on(cold).check(l, rows)
				})
			}
		}})
	}
	return cases
}

// check looks l up among rows.
func (s *subject) check(l lookup, rows []token) {
	s.Helper()
	if l.wantErr == nil {
		if got, want := s.find(l.query), rows[l.want-1]; got.ID != want.ID {
			s.Errorf("FindToken(%v) = %v, want %v", l.query, got, want)
		}
		return
	}
	got, err := s.FindToken(s.Context(), l.query)
	s.failed("FindToken", got, err, l.wantErr)
	if l.names == nil || err == nil {
		return
	}
	for i, row := range rows {
		named := slices.Contains(l.names, i+1)
		if named && !strings.Contains(err.Error(), row.ID) {
			s.Errorf("error %q does not name the ID %q, which fits", err, row.ID)
		}
		if !named && strings.Contains(err.Error(), strconv.Quote(row.ID)) {
			s.Errorf("error %q names the ID %q, which does not fit", err, row.ID)
		}
	}
}

func findByIDAlone(s *subject) {
	one := s.save(token{ID: "71", UserName: "a", RefreshToken: "r1", AccessToken: "A1"})
	two := s.save(token{ID: "72", UserName: "b", RefreshToken: "r2", AccessToken: "A2"})
	s.same("what its ID finds", s.find(token{ID: "72"}), two)
	if got := s.find(token{ID: "72", UserName: "a", RefreshToken: "r1"}); got.ID != "72" {
		s.Errorf("the ID %q with user and refresh token of %q found %q", "72", "71", got.ID)
	}
	s.findFails(token{ID: "73", UserName: "a", RefreshToken: "r1"}, tokenkeep.ErrNotFound)
	s.holds(one, two)
}

func findInvalid(s *subject) {
	for _, query := range []token{
		{ID: "\xff"}, {UserName: "a\xff"}, {RefreshToken: "\xc3("}, {UserName: "a", Extra: map[string]string{"\xff": "b"}},
		{ID: strings.Repeat("i", maxID+1)}, {UserName: strings.Repeat("u", maxUserName+1)},
	} {
		s.findFails(query, tokenkeep.ErrInvalid)
	}
}
