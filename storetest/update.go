package storetest

import (
	"errors"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

var updateCases = []scenario{
	{"an update stores what the function returns, whole", updatesWhole},
	{"an update can clear fields", updateClears},
	{"an update of nothing succeeds", updatesNothing},
	{"an update can rename, and the new keys find the token", updateRenames},
	{"a new refresh or grant token in an update clears Reauthorize", updateClearsReauthorize},
	{"an update of a missing token is not found and creates nothing", updateMissing},
	{"an error of the function is returned, and nothing is written", updateFails},
	{"an update that no save could make is refused, and nothing is written", updateRefused},
	{"an update sees what another handle wrote", updateElsewhere},
}

func updatesWhole(s *subject) {
	s.updater()
	saved := s.save(token{UserName: "a", RefreshToken: "r1"})
	want := full("b")
	want.ID = saved.ID
	s.same("the returned token", s.update(saved.ID, func(t *token) {
		s.same("what the function gets", *t, saved)
		*t = want
	}), want)
	s.holds(want)
	s.same("what another handle reads", s.on(s.open()).get(want.ID), want)
}

func updateClears(s *subject) {
	s.updater()
	saved := s.save(full("a"))
	want := token{ID: saved.ID, UserName: "a", RefreshToken: saved.RefreshToken}
	s.same("the returned token", s.update(saved.ID, func(t *token) { *t = want }), want)
	s.holds(want)
	s.findFails(token{AccessToken: saved.AccessToken}, tokenkeep.ErrNotFound)

	want.UserName = ""
	s.same("a token that loses its user", s.update(saved.ID, func(t *token) { t.UserName = "" }), want)
	s.findFails(token{UserName: "a"}, tokenkeep.ErrNotFound)
	s.same("what its refresh token finds", s.find(token{RefreshToken: saved.RefreshToken}), want)
	s.saveFails(token{ID: "79", RefreshToken: saved.RefreshToken}, tokenkeep.ErrConflict)
	s.holds(want)
}

func updatesNothing(s *subject) {
	s.updater()
	saved := s.save(full("a"))
	s.same("the returned token", s.update(saved.ID, func(*token) {}), saved)
	s.holds(saved)
}

func updateRenames(s *subject) {
	s.updater()
	saved := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r1"})
	want := saved
	want.UserName, want.ClientID, want.APIDomain, want.RefreshToken = "b", "d", "https://eu", "r2"
	s.update(saved.ID, func(t *token) { *t = want })
	for _, handle := range []tokenkeep.Store{s.Store, s.open()} {
		for _, query := range []token{
			{UserName: "b"}, {UserName: "b", ClientID: "d"}, {RefreshToken: "r2"},
			{UserName: "b", ClientID: "d", APIDomain: "https://eu"}, {ClientID: "d", RefreshToken: "r2"},
		} {
			s.same("the found token", s.on(handle).find(query), want)
		}
		s.on(handle).findFails(token{UserName: "a"}, tokenkeep.ErrNotFound)
		s.on(handle).findFails(token{RefreshToken: "r1"}, tokenkeep.ErrNotFound)
	}
}

func updateClearsReauthorize(s *subject) {
	s.updater()
	s.needs("Reauthorize")
	refused := &tokenkeep.Reauthorize{Since: earlier, Reason: "invalid_code"}
	saved := s.save(token{UserName: "a", RefreshToken: "r1"})
	for _, login := range []func(t *token){
		func(t *token) { t.RefreshToken = "r2" },
		func(t *token) { t.GrantToken = "g2" },
	} {
		if got := s.update(saved.ID, func(t *token) { t.Reauthorize = refused }); got.Reauthorize == nil {
			s.Errorf("an update did not set Reauthorize")
		}
		if got := s.update(saved.ID, func(t *token) { t.AccessToken += "A" }); got.Reauthorize == nil {
			s.Errorf("an update of the access token cleared Reauthorize")
		}
		if got := s.update(saved.ID, login); got.Reauthorize != nil {
			s.Errorf("an update to another credential left Reauthorize: %v", got)
		}
	}
}

func updateMissing(s *subject) {
	u := s.updater()
	saved := s.save(token{UserName: "a", RefreshToken: "r1"})
	s.same("an update", s.update(saved.ID, func(*token) {}), saved)
	s.on(s.open()).delete(saved.ID)
	for _, id := range []string{saved.ID, "", "none"} {
		got, err := u.UpdateToken(s.Context(), id, func(t token) (token, error) {
			t.RefreshToken = "r2"
			return t, nil
		})
		s.failed("UpdateToken of a missing token", got, err, tokenkeep.ErrNotFound)
	}
	for _, id := range []string{"\xff", strings.Repeat("i", maxID+1)} {
		got, err := u.UpdateToken(s.Context(), id, func(t token) (token, error) { return t, nil })
		s.failed("UpdateToken of an invalid ID", got, err, tokenkeep.ErrInvalid)
	}
	s.holds()
}

func updateFails(s *subject) {
	u := s.updater()
	saved := s.save(full("a"))
	cause := errors.New("cause")
	got, err := u.UpdateToken(s.Context(), saved.ID, func(t token) (token, error) {
		t.RefreshToken = "r2"
		spoil(t)
		return t, cause
	})
	s.failed("UpdateToken", got, err, cause)
	s.holds(saved)
}

func updateRefused(s *subject) {
	u := s.updater()
	ann := s.save(token{UserName: "ann", ClientID: "c", RefreshToken: "r1"})
	bob := s.save(token{UserName: "bob", ClientID: "c", RefreshToken: "r2"})
	for _, tt := range []struct {
		what   string
		change func(t *token)
		want   error
	}{
		{"another ID", func(t *token) { t.ID = "other" }, tokenkeep.ErrInvalid},
		{"no ID", func(t *token) { t.ID = "" }, tokenkeep.ErrInvalid},
		{"the ID of another token", func(t *token) { t.ID = ann.ID }, tokenkeep.ErrInvalid},
		{"the identity of another token", func(t *token) { t.UserName, t.RefreshToken = "ann", "r9" }, tokenkeep.ErrConflict},
		{"invalid UTF-8", func(t *token) { t.AccessToken = "\xff" }, tokenkeep.ErrInvalid},
		{"a user name that is too long", func(t *token) { t.UserName = strings.Repeat("u", maxUserName+1) }, tokenkeep.ErrInvalid},
		{"a year that no JSON time has", func(t *token) { t.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, tokenkeep.ErrInvalid},
	} {
		got, err := u.UpdateToken(s.Context(), bob.ID, func(t token) (token, error) {
			tt.change(&t)
			return t, nil
		})
		s.failed("UpdateToken to "+tt.what, got, err, tt.want)
	}
	s.holds(ann, bob)
	s.findFails(token{RefreshToken: "r9"}, tokenkeep.ErrNotFound)
}

func updateElsewhere(s *subject) {
	s.updater()
	other := s.on(s.open())
	want := s.save(token{UserName: "a", RefreshToken: "r1", RedirectURL: "1"})
	other.get(want.ID)
	for _, handle := range []*subject{s, other, s, other} {
		want.RedirectURL += "1"
		s.same("the updated token", handle.update(want.ID, func(t *token) { t.RedirectURL += "1" }), want)
	}
	s.holds(want)
}
