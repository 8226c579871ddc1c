package storetest

import (
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

var columnCases = []scenario{
	{"what has no column is refused by its name, and nothing is written", refusesFieldsWithoutColumn},
	{"what only a refresh writes is left out where it has no column", leavesRefreshFieldsOut},
	{"an expiry is kept to the millisecond", keepsMilliseconds},
	{"tokens saved without ID are counted from 1", countsFromOne},
}

func (s *subject) tenColumns() {
	s.Helper()
	if !s.limits.TenColumns {
		s.Skip("the store has a column for everything")
	}
}

func refusesFieldsWithoutColumn(s *subject) {
	s.tenColumns()
	saved := s.save(token{UserName: "a", ClientID: "c", RefreshToken: "r1"})
	for field, fill := range map[string]func(t *token){
		"ID":               func(t *token) { t.ID = "seven" },
		"AccountsURL":      func(t *token) { t.AccountsURL = "https://accounts.zoho.eu" },
		"RefreshExpiresAt": func(t *token) { t.RefreshExpiresAt = later },
		"Scopes":           func(t *token) { t.Scopes = []string{"one"} },
		"Extra":            func(t *token) { t.Extra = map[string]string{"k": "v"} },
	} {
		names := func(err error) {
			if err != nil && !strings.Contains(err.Error(), field) {
				s.Errorf("error %q does not name %s", err, field)
			}
		}
		for _, t := range []token{{UserName: "a", ClientID: "c", RefreshToken: "r2"}, {UserName: "b", RefreshToken: "r3"}} {
			fill(&t)
			names(s.saveFails(t, tokenkeep.ErrInvalid))
		}
		if u, ok := s.Store.(tokenkeep.Updater); ok {
			got, err := u.UpdateToken(s.Context(), saved.ID, func(t token) (token, error) {
				fill(&t)
				return t, nil
			})
			s.failed("UpdateToken", got, err, tokenkeep.ErrInvalid)
			names(err)
		}
	}
	s.holds(saved)
}

func leavesRefreshFieldsOut(s *subject) {
	s.tenColumns()
	t := token{
		ID: "7", UserName: "a", RefreshToken: "r1", AccessToken: "A1",
		RefreshedAt: earlier, Reauthorize: &tokenkeep.Reauthorize{Since: earlier, Reason: "invalid_code"},
	}
	saved, err := s.SaveToken(s.Context(), t)
	if err != nil {
		s.Fatalf("SaveToken: %v", err)
	}
	for _, got := range []token{saved, s.get("7"), s.find(t), s.list()[0]} {
		if !got.RefreshedAt.IsZero() || got.Reauthorize != nil {
			s.Errorf("the token has what the store cannot keep: %v", got)
		}
		s.same("the token", got, t)
	}
	if u, ok := s.Store.(tokenkeep.Updater); ok {
		updated, err := u.UpdateToken(s.Context(), "7", func(token) (token, error) { return t, nil })
		if err != nil || !updated.RefreshedAt.IsZero() || updated.Reauthorize != nil {
			s.Errorf("UpdateToken = %v, %v, want it without RefreshedAt and Reauthorize", updated, err)
		}
	}
}

func keepsMilliseconds(s *subject) {
	s.tenColumns()
	saved := s.save(token{UserName: "a", AccessToken: "A1", ExpiresAt: later.Add(999 * time.Microsecond)})
	s.same("the returned token", saved, token{ID: saved.ID, UserName: "a", AccessToken: "A1", ExpiresAt: later})
	s.holds(saved)
	long := s.save(token{UserName: "b", AccessToken: "A2", ExpiresAt: time.Unix(-1, 0)})
	s.same("a token of 1969", s.get(long.ID), token{ID: long.ID, UserName: "b", AccessToken: "A2", ExpiresAt: time.Unix(-1, 0)})
}

func countsFromOne(s *subject) {
	s.tenColumns()
	for _, step := range []struct{ id, want string }{{"", "1"}, {"", "2"}, {"12", "12"}, {"", "13"}} {
		if saved := s.save(token{ID: step.id, UserName: "user" + step.want, RefreshToken: "r" + step.want}); saved.ID != step.want {
			s.Errorf("the token has the ID %q, want %q", saved.ID, step.want)
		}
	}
}
