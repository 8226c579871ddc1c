package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// The longest ID and user name that a store takes, in bytes.
const (
	maxID       = 128
	maxUserName = 1024
)

var saveCases = []scenario{
	{"a new token gets an ID and is returned as stored", savesNew},
	{"every field is stored", savesEveryField},
	{"a save by user keeps what it leaves empty", keepsEmptyFields},
	{"a save by ID changes the token in place", savesByID},
	{"an unknown ID is created under that ID", createsUnderID},
	{"the same token saved twice is one token", savesTwice},
	{"a save of nothing new to a known token succeeds", savesNothing},
	{"client credentials alone are enough with a user or an ID", savesClientCredentials},
	{"a credential is replaced together with its expiry", pairsOnSave},
	{"an access token that ran out earlier is ignored beside the stored refresh token", ignoresStaleAccess},
	{"scopes are replaced whole, extra key by key, and nothing is cleared", collectionsOnSave},
	{"only a save that creates the token writes what a refresh writes", refreshFieldsOnSave},
	{"a refresh or grant token other than the stored one clears Reauthorize", clearsReauthorize},
	{"tokens saved without ID get different IDs", givesDifferentIDs},
	{"an ID beside numbers does not disturb the next one", mixesIDs},
	{"a deleted ID is not given to another user", doesNotReuseIDs},
	{"the longest ID and user name are stored", savesLongest},
}

func savesNew(s *subject) {
	saved := s.save(token{UserName: "a", ClientID: "c", ClientSecret: "s", RefreshToken: "r1"})
	s.same("the returned token", saved, token{ID: saved.ID, UserName: "a", ClientID: "c", ClientSecret: "s", RefreshToken: "r1"})
	s.same("the stored token", s.get(saved.ID), saved)
	s.same("what another handle reads", s.on(s.open()).get(saved.ID), saved)
	s.holds(saved)
	for _, credential := range []token{{GrantToken: "g2"}, {RefreshToken: "r3"}, {AccessToken: "A4"}} {
		saved := s.save(credential)
		want := credential
		want.ID = saved.ID
		s.same("a token of one credential", s.get(saved.ID), want)
	}
}

func savesEveryField(s *subject) {
	want := full("a")
	saved := s.save(want)
	want.ID = saved.ID
	s.same("the returned token", saved, want)
	s.same("the stored token", s.get(saved.ID), want)

	zone := time.FixedZone("", -5*3600)
	abroad := s.save(token{UserName: "b", AccessToken: "A", ExpiresAt: later.In(zone)})
	s.same("a token with a time in another zone", abroad, token{ID: abroad.ID, UserName: "b", AccessToken: "A", ExpiresAt: later})
}

func keepsEmptyFields(s *subject) {
	want := s.save(full("a"))
	saved := s.save(token{UserName: "a", AccessToken: "A2", ExpiresAt: later.Add(time.Hour)})
	want.AccessToken, want.ExpiresAt = "A2", later.Add(time.Hour)
	s.same("the returned token", saved, want)
	s.same("the stored token", s.get(want.ID), want)
	s.holds(want)
}

func savesByID(s *subject) {
	other := s.save(token{UserName: "other", RefreshToken: "r0"})
	want := s.save(full("a"))
	saved := s.save(token{ID: want.ID, UserName: "renamed", RefreshToken: "r2"})
	want.UserName, want.RefreshToken, want.RefreshExpiresAt, want.Reauthorize = "renamed", "r2", time.Time{}, nil
	s.same("the returned token", saved, want)
	s.holds(other, want)
	s.same("what the new name finds", s.find(token{UserName: "renamed"}), want)
	s.findFails(token{UserName: "a"}, tokenkeep.ErrNotFound)

	again := s.save(token{UserName: "a", RefreshToken: "r3"})
	if again.ID == want.ID {
		s.Errorf("a new token under the old name has the ID %q of the renamed one", again.ID)
	}
	s.holds(other, want, again)
}

func createsUnderID(s *subject) {
	saved := s.save(token{ID: "77", ClientID: "c", ClientSecret: "s", RefreshToken: "r77"})
	if saved.ID != "77" {
		s.Errorf("the token saved under the ID 77 has the ID %q", saved.ID)
	}
	s.same("what the refresh token finds", s.find(token{RefreshToken: "r77"}), saved)
	s.same("what a save by refresh token returns", s.save(token{RefreshToken: "r77"}), saved)
	s.holds(saved)
}

func savesTwice(s *subject) {
	for _, t := range []token{
		full("a"), {ClientID: "c", RefreshToken: "r1"}, {GrantToken: "g2"}, {AccessToken: "A3"}, {ID: "74", RefreshToken: "r4"},
		{ClientID: "c", GrantToken: "g5", RefreshToken: "r5", AccessToken: "A5", ExpiresAt: later},
	} {
		first := s.save(t)
		s.same("the second save", s.save(t), first)
		s.same("a save of what the first returned", s.save(first), first)
		s.same("a save through another handle", s.on(s.open()).save(t), first)
	}
	if n := len(s.list()); n != 6 {
		s.Errorf("6 tokens saved several times are %d", n)
	}
}

func savesNothing(s *subject) {
	saved := s.save(full("a"))
	s.same("a save of the name", s.save(token{UserName: "a"}), saved)
	s.same("a save of the ID", s.save(token{ID: saved.ID}), saved)
	s.same("a save of the refresh token", s.save(token{RefreshToken: saved.RefreshToken}), saved)
	s.holds(saved)
}

func savesClientCredentials(s *subject) {
	client := token{ClientID: "c", ClientSecret: "s"}
	byID, byUser := client, client
	byID.ID, byUser.UserName = "9", "a"
	s.holds(s.save(byID), s.save(byUser))
	s.saveFails(client, tokenkeep.ErrIncomplete)
}

func pairsOnSave(s *subject) {
	stored := token{UserName: "a", AccessToken: "A1", ExpiresAt: later, RefreshToken: "r1", RefreshExpiresAt: later}
	id := s.save(stored).ID
	for _, step := range []struct {
		name   string
		save   token
		change func(want *token)
	}{
		{"the same access token without expiry", token{AccessToken: "A1"}, func(*token) {}},
		{"an expiry alone", token{ExpiresAt: earlier, RefreshExpiresAt: earlier}, func(*token) {}},
		{"the same refresh token without expiry", token{RefreshToken: "r1"}, func(*token) {}},
		{"the same access token with another expiry", token{AccessToken: "A1", ExpiresAt: earlier}, func(want *token) { want.ExpiresAt = earlier }},
		{"another access token without expiry", token{AccessToken: "A2"}, func(want *token) { want.AccessToken, want.ExpiresAt = "A2", time.Time{} }},
		{"another refresh token without expiry", token{RefreshToken: "r2"}, func(want *token) { want.RefreshToken, want.RefreshExpiresAt = "r2", time.Time{} }},
		{"another refresh token with expiry", token{RefreshToken: "r3", RefreshExpiresAt: later}, func(want *token) { want.RefreshToken, want.RefreshExpiresAt = "r3", later }},
	} {
		step.save.UserName = "a"
		stored.ID = id
		step.change(&stored)
		s.same(step.name, s.save(step.save), stored)
	}
	s.holds(stored)
}

func ignoresStaleAccess(s *subject) {
	stored := s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A2", ExpiresAt: later})
	s.same("after an older copy", s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A1", ExpiresAt: earlier}), stored)

	stored.AccessToken, stored.ExpiresAt = "A3", time.Time{}
	s.same("after a copy without expiry", s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A3"}), stored)

	stored.AccessToken, stored.ExpiresAt = "A4", earlier
	s.same("where no expiry is stored", s.save(token{UserName: "a", RefreshToken: "r1", AccessToken: "A4", ExpiresAt: earlier}), stored)

	stored.RefreshToken, stored.AccessToken, stored.ExpiresAt = "r2", "A5", earlier.Add(-time.Hour)
	s.same("after a new login", s.save(token{UserName: "a", RefreshToken: "r2", AccessToken: "A5", ExpiresAt: earlier.Add(-time.Hour)}), stored)
	s.holds(stored)
}

func collectionsOnSave(s *subject) {
	s.needs("scopes and extra")
	want := s.save(full("a"))
	want.Scopes = []string{"one"}
	want.Extra = map[string]string{"org": "43", "note": "a", "new": "x"}
	extra := map[string]string{"org": "43", "note": "", "new": "x", "none": ""}
	s.same("the returned token", s.save(token{UserName: "a", Scopes: []string{"one"}, Extra: extra}), want)
	s.same("after a save of empty ones", s.save(token{UserName: "a", Scopes: []string{}, Extra: map[string]string{}}), want)
	s.holds(want)
}

func refreshFieldsOnSave(s *subject) {
	stored := s.save(full("a"))
	again := full("a")
	again.RefreshedAt, again.Reauthorize = later, &tokenkeep.Reauthorize{Since: later, Reason: "other"}
	s.same("a save to a token that has them", s.save(again), stored)

	plain := s.save(token{UserName: "b", RefreshToken: "r"})
	s.same("a save to a token that has none",
		s.save(token{UserName: "b", RefreshedAt: later, Reauthorize: again.Reauthorize}), plain)
	s.holds(stored, plain)
}

func clearsReauthorize(s *subject) {
	s.needs("Reauthorize")
	for i, login := range []token{{RefreshToken: "new"}, {GrantToken: "new"}} {
		t := full(fmt.Sprint("user", i))
		t.GrantToken = ""
		stored := s.save(t)
		login.ID = stored.ID
		if got := s.save(token{ID: stored.ID, RefreshToken: t.RefreshToken, AccessToken: "A9"}); got.Reauthorize == nil {
			s.Errorf("a save of the stored refresh token cleared Reauthorize")
		}
		if got := s.save(login); got.Reauthorize != nil {
			s.Errorf("a save of another credential left Reauthorize: %v", got)
		}
	}
}

// The lexicographic max(id) of Zoho's tables makes the 11th insert collide, since "9" is over "10".
func givesDifferentIDs(s *subject) {
	var saved []token
	ids := map[string]bool{}
	for i := range 12 {
		t := s.save(token{UserName: fmt.Sprint("user", i), RefreshToken: fmt.Sprint("r", i)})
		saved = append(saved, t)
		ids[t.ID] = true
	}
	if len(ids) != len(saved) {
		s.Errorf("%d tokens have %d different IDs", len(saved), len(ids))
	}
	s.holds(saved...)
}

func mixesIDs(s *subject) {
	s.needs("IDs of any text")
	uuid := s.save(token{ID: "6f1c1c1e-55a0-4b9e-9d5e-0a7f3f0d9f7c", UserName: "a", RefreshToken: "r1"})
	number := s.save(token{ID: "1", UserName: "b", RefreshToken: "r2"})
	next := s.save(token{UserName: "c", RefreshToken: "r3"})
	s.holds(uuid, number, next)
	s.same("the token with a UUID", s.find(token{UserName: "a"}), uuid)
}

func doesNotReuseIDs(s *subject) {
	first := s.save(token{UserName: "a", RefreshToken: "r1"})
	last := s.save(token{UserName: "b", RefreshToken: "r2"})
	s.delete(last.ID)
	next := s.save(token{UserName: "c", RefreshToken: "r3"})
	if next.ID == last.ID {
		s.Errorf("the ID %q of a deleted token went to another user", last.ID)
	}
	s.holds(first, next)
}

func savesLongest(s *subject) {
	s.needs("IDs of any text")
	t := token{ID: strings.Repeat("é", maxID/2), UserName: strings.Repeat("ü", maxUserName/2), RefreshToken: strings.Repeat("r", 4000)}
	s.same("the returned token", s.save(t), t)
	s.same("what the user finds", s.find(token{UserName: t.UserName}), t)
	s.holds(t)
}
