package tokenkeep

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rowOf returns the record that a save of t creates, after further saves.
func rowOf(t *testing.T, token Token, saves ...Token) record {
	t.Helper()
	r, err := newRecord(token)
	if err != nil {
		t.Fatalf("newRecord(%v): %v", token, err)
	}
	for _, next := range saves {
		r = r.save(next)
	}
	return r
}

// spending returns the record after a refresh that put another refresh token in the place of the one held.
func spending(r record, refresh string) record {
	r = r.clone()
	d := digestOf(r.RefreshToken)
	if slices.Contains(r.saved, d) {
		r.saved, r.spentSaved = without(r.saved, d), append(r.spentSaved, d)
	} else {
		r.spent = append(r.spent, d)
	}
	r.RefreshToken = refresh
	return r
}

type matchCase struct {
	name    string
	query   Token
	want    string // ID
	wantErr error
	names   []string // IDs in the message
}

func checkMatches(t *testing.T, rows []record, tests []matchCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i, err := match(rows, tt.query)
			got := ""
			if i >= 0 {
				got = rows[i].ID
			}
			if !errors.Is(err, tt.wantErr) || got != tt.want {
				t.Fatalf("match(%v) = token %q, error %v; want token %q, error %v", tt.query, got, err, tt.want, tt.wantErr)
			}
			if err == nil || tt.names == nil {
				return
			}
			list := make([]string, len(tt.names))
			for i, id := range tt.names {
				list[i] = strconv.Quote(id)
			}
			if want := "tokens " + strings.Join(list, ", ") + " fit"; !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		})
	}
}

func TestMatchByTheFirstRuleThatApplies(t *testing.T) {
	rows := []record{
		rowOf(t, Token{ID: "1", UserName: "ann", ClientID: "c", ClientSecret: "s", APIDomain: "eu", RefreshToken: "r1", AccessToken: "A1"}),
		rowOf(t, Token{ID: "2", UserName: "bob", ClientID: "c", ClientSecret: "s", RefreshToken: "r2", AccessToken: "A2"}),
		rowOf(t, Token{ID: "3", ClientID: "c", ClientSecret: "s", RefreshToken: "r3", AccessToken: "A3"}),
		rowOf(t, Token{ID: "4", ClientID: "c", ClientSecret: "s", GrantToken: "g4"}),
	}
	checkMatches(t, rows, []matchCase{
		{"an ID finds its token", Token{ID: "2"}, "2", nil, nil},
		{"an ID decides alone", Token{ID: "2", UserName: "ann", RefreshToken: "r1"}, "2", nil, nil},
		{"an unknown ID finds nothing", Token{ID: "9", UserName: "ann", RefreshToken: "r1"}, "", ErrNotFound, nil},
		{"a user finds its token", Token{UserName: "bob"}, "2", nil, nil},
		{"user names are case-sensitive", Token{UserName: "Ann"}, "", ErrNotFound, nil},
		{"user names are exact", Token{UserName: "ann "}, "", ErrNotFound, nil},
		{"a user goes before credentials", Token{UserName: "ann", AccessToken: "A2", RefreshToken: "r2", GrantToken: "g4"}, "1", nil, nil},
		{"a user that misses does not fall through to another user's token", Token{UserName: "eve", RefreshToken: "r1"}, "", ErrNotFound, nil},
		{"a user that misses finds a nameless refresh token", Token{UserName: "eve", RefreshToken: "r3"}, "3", nil, nil},
		{"a user that misses finds a nameless grant token", Token{UserName: "eve", GrantToken: "g4"}, "4", nil, nil},
		{"a user that misses finds no nameless access token", Token{UserName: "eve", AccessToken: "A3"}, "", ErrNotFound, nil},
		{"a user of another client finds a nameless refresh token", Token{UserName: "ann", APIDomain: "us", RefreshToken: "r3"}, "3", nil, nil},
		{"an access token finds its token", Token{AccessToken: "A1"}, "1", nil, nil},
		{"an access token with client ID is no key", Token{AccessToken: "A1", ClientID: "c"}, "", ErrNotFound, nil},
		{"an access token with client secret is no key", Token{AccessToken: "A1", ClientSecret: "s"}, "", ErrNotFound, nil},
		{"an access token with client leaves the refresh token", Token{AccessToken: "A1", ClientID: "c", RefreshToken: "r2"}, "2", nil, nil},
		{"an access token without client goes before the refresh token", Token{AccessToken: "A1", RefreshToken: "r2"}, "1", nil, nil},
		{"an access token that misses decides alone", Token{AccessToken: "A9", RefreshToken: "r2"}, "", ErrNotFound, nil},
		{"a refresh token finds its token without client", Token{RefreshToken: "r1"}, "1", nil, nil},
		{"a refresh token finds its token with client", Token{ClientID: "c", ClientSecret: "s", RefreshToken: "r3"}, "3", nil, nil},
		{"a grant token finds its token", Token{GrantToken: "g4"}, "4", nil, nil},
		{"a grant token goes before a refresh token", Token{GrantToken: "g4", RefreshToken: "r1"}, "4", nil, nil},
		{"a grant token that misses leaves the refresh token", Token{GrantToken: "g9", RefreshToken: "r1"}, "1", nil, nil},
		{"a grant token of another client leaves the refresh token", Token{ClientID: "d", GrantToken: "g4", RefreshToken: "r1"}, "", ErrNotFound, nil},
		{"an unknown refresh token finds nothing", Token{ClientID: "c", ClientSecret: "s", RefreshToken: "r9"}, "", ErrNotFound, nil},
		{"a client alone finds nothing", Token{ClientID: "c", ClientSecret: "s"}, "", ErrNotFound, nil},
		{"a client ID alone finds nothing", Token{ClientID: "c"}, "", ErrNotFound, nil},
		{"no key finds nothing", Token{RedirectURL: "x", APIDomain: "eu", Scopes: []string{"s"}}, "", ErrNotFound, nil},
		{"nothing finds nothing", Token{}, "", ErrNotFound, nil},
	})
}

func TestMatchInAnEmptyStore(t *testing.T) {
	checkMatches(t, nil, []matchCase{
		{"by ID", Token{ID: "1"}, "", ErrNotFound, nil},
		{"by user", Token{UserName: "ann"}, "", ErrNotFound, nil},
		{"by refresh token", Token{ClientID: "c", ClientSecret: "s", RefreshToken: "r"}, "", ErrNotFound, nil},
		{"by nothing", Token{}, "", ErrNotFound, nil},
	})
}

func TestMatchNarrowsToCompatibleIdentities(t *testing.T) {
	rows := []record{
		rowOf(t, Token{ID: "2", UserName: "ann", ClientID: "a", APIDomain: "eu", RefreshToken: "r2"}),
		rowOf(t, Token{ID: "1", UserName: "ann", ClientID: "a", APIDomain: "us", RefreshToken: "r1"}),
		rowOf(t, Token{ID: "3", UserName: "ann", ClientID: "b", APIDomain: "us", RefreshToken: "r3"}),
		rowOf(t, Token{ID: "4", UserName: "bob", RefreshToken: "r4"}),
		rowOf(t, Token{ID: "5", UserName: "bob", ClientID: "a", RefreshToken: "r5"}),
	}
	checkMatches(t, rows, []matchCase{
		{"two clients of one user are two tokens, named in order", Token{UserName: "ann"}, "", ErrAmbiguous, []string{"1", "2", "3"}},
		{"client narrows the user", Token{UserName: "ann", ClientID: "b"}, "3", nil, nil},
		{"domain narrows the user", Token{UserName: "ann", APIDomain: "eu"}, "2", nil, nil},
		{"a client with two domains is ambiguous", Token{UserName: "ann", ClientID: "a"}, "", ErrAmbiguous, []string{"1", "2"}},
		{"a domain with two clients is ambiguous", Token{UserName: "ann", APIDomain: "us"}, "", ErrAmbiguous, []string{"1", "3"}},
		{"client and domain narrow the user", Token{UserName: "ann", ClientID: "a", APIDomain: "us"}, "1", nil, nil},
		{"the client secret does not narrow", Token{UserName: "ann", ClientSecret: "x", APIDomain: "eu"}, "2", nil, nil},
		{"no client of the user is a miss", Token{UserName: "ann", ClientID: "c"}, "", ErrNotFound, nil},
		{"no domain of the user is a miss", Token{UserName: "ann", ClientID: "b", APIDomain: "eu"}, "", ErrNotFound, nil},
		{"equal wins, empty fields included", Token{UserName: "bob"}, "4", nil, nil},
		{"equal wins over compatible", Token{UserName: "bob", ClientID: "a"}, "5", nil, nil},
		{"one compatible token is meant", Token{UserName: "bob", ClientID: "b", APIDomain: "in"}, "4", nil, nil},
		{"two compatible tokens are ambiguous", Token{UserName: "bob", APIDomain: "in"}, "", ErrAmbiguous, []string{"4", "5"}},
		{"a refresh token of another client is a miss", Token{ClientID: "b", RefreshToken: "r1"}, "", ErrNotFound, nil},
		{"a refresh token of another domain is a miss", Token{APIDomain: "eu", RefreshToken: "r1"}, "", ErrNotFound, nil},
		{"a refresh token of a token without client is found with any", Token{ClientID: "z", RefreshToken: "r4"}, "4", nil, nil},
	})
}

func TestMatchOfTokensWithoutUser(t *testing.T) {
	rows := []record{
		rowOf(t, Token{ID: "1", ClientID: "a", RefreshToken: "r"}),
		rowOf(t, Token{ID: "2", ClientID: "b", RefreshToken: "r"}),
		rowOf(t, Token{ID: "3", RefreshToken: "p"}),
		rowOf(t, Token{ID: "4", ClientID: "a", RefreshToken: "p"}),
		rowOf(t, Token{ID: "5", ClientID: "b", RefreshToken: "q"}, Token{RefreshToken: "x"}),
		rowOf(t, Token{ID: "6", ClientID: "b", RefreshToken: "x"}),
		rowOf(t, Token{ID: "7", AccessToken: "A"}),
		rowOf(t, Token{ID: "8", AccessToken: "A", ClientID: "c"}),
	}
	checkMatches(t, rows, []matchCase{
		{"one refresh token of two clients is ambiguous", Token{RefreshToken: "r"}, "", ErrAmbiguous, []string{"1", "2"}},
		{"the client narrows it", Token{ClientID: "b", RefreshToken: "r"}, "2", nil, nil},
		{"equal wins, empty fields included", Token{RefreshToken: "p"}, "3", nil, nil},
		{"equal wins over compatible", Token{ClientID: "a", RefreshToken: "p"}, "4", nil, nil},
		{"the credential it was made with makes the identity", Token{ClientID: "b", RefreshToken: "x"}, "6", nil, nil},
		{"two access tokens: equal wins", Token{AccessToken: "A"}, "7", nil, nil},
	})
}

func TestMatchByPastCredentials(t *testing.T) {
	rotated := spending(spending(rowOf(t, Token{ID: "1", ClientID: "c", RefreshToken: "r1"}), "r2"), "r3")
	exchanged := rowOf(t, Token{ID: "2", UserName: "ann", ClientID: "c", GrantToken: "g1", RefreshToken: "q1"}, Token{GrantToken: "g2"})
	loggedIn := rowOf(t, Token{ID: "3", UserName: "bob", RefreshToken: "p1"}, Token{RefreshToken: "p2"})
	checkMatches(t, []record{rotated, exchanged, loggedIn}, []matchCase{
		{"a spent refresh token finds its token", Token{ClientID: "c", RefreshToken: "r1"}, "1", nil, nil},
		{"a refresh token spent later finds it too", Token{RefreshToken: "r2"}, "1", nil, nil},
		{"a spent refresh token of another client is a miss", Token{ClientID: "d", RefreshToken: "r1"}, "", ErrNotFound, nil},
		{"the stored refresh token finds its token", Token{RefreshToken: "r3"}, "1", nil, nil},
		{"a user that misses finds a nameless spent refresh token", Token{UserName: "eve", RefreshToken: "r1"}, "1", nil, nil},
		{"a spent grant token finds its token", Token{GrantToken: "g1"}, "2", nil, nil},
		{"a spent grant token of a user is not found by another user", Token{UserName: "eve", GrantToken: "g1"}, "", ErrNotFound, nil},
		{"a grant token finds its token", Token{GrantToken: "g2"}, "2", nil, nil},
		{"a replaced refresh token finds nothing", Token{RefreshToken: "p1"}, "", ErrNotFound, nil},
		{"the user finds the token whatever the replaced refresh token", Token{UserName: "bob", RefreshToken: "p1"}, "3", nil, nil},
	})
}
