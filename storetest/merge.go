package storetest

import (
	"time"

	"github.com/tokenkeep/tokenkeep"
)

var mergeCases = []scenario{
	{"the stored fields fill the blanks of the query", fillsBlanks},
	{"the fields of the query win, and are not stored", queryWins},
	{"a credential never meets the expiry of another", pairsOnFind},
	{"what only a refresh writes is taken from the store", refreshFieldsOnFind},
	{"scopes are replaced whole, extra key by key", collectionsOnFind},
}

func fillsBlanks(s *subject) {
	saved := s.save(full("a"))
	s.same("what the user finds", s.find(token{UserName: "a"}), saved)
	s.same("what the access token finds", s.find(token{AccessToken: "access-a"}), saved)
	s.same("what the refresh token finds", s.find(token{RefreshToken: "refresh-a"}), saved)
	s.same("what the ID finds", s.find(token{ID: saved.ID}), saved)
	s.same("what another handle finds", s.on(s.open()).find(token{UserName: "a"}), saved)
}

func queryWins(s *subject) {
	saved := s.save(full("a"))
	query := token{
		UserName: "a", ClientSecret: "secret9", RedirectURL: "https://example.com/9", AccountsURL: "https://accounts.zoho.in",
		RefreshToken: "refresh9", RefreshExpiresAt: earlier, AccessToken: "access9", ExpiresAt: earlier,
	}
	want := saved
	want.ClientSecret, want.RedirectURL, want.AccountsURL = query.ClientSecret, query.RedirectURL, query.AccountsURL
	want.RefreshToken, want.RefreshExpiresAt = query.RefreshToken, query.RefreshExpiresAt
	want.AccessToken, want.ExpiresAt = query.AccessToken, query.ExpiresAt
	s.same("the found token", s.find(query), want)
	s.same("the stored token", s.get(saved.ID), saved)

	nameless := s.save(token{RefreshToken: "r1"})
	found := s.find(token{UserName: "z", ClientID: "c", APIDomain: "https://eu", RefreshToken: "r1"})
	s.same("a token without user, found under one", found,
		token{ID: nameless.ID, UserName: "z", ClientID: "c", APIDomain: "https://eu", RefreshToken: "r1"})
	s.holds(saved, nameless)
}

func pairsOnFind(s *subject) {
	s.save(token{
		UserName: "a", AccessToken: "A1", ExpiresAt: later, RefreshToken: "r1", RefreshExpiresAt: later,
	})
	for _, tt := range []struct {
		name                  string
		query                 token
		access, refresh       string
		expires, refreshUntil time.Time
	}{
		{"none", token{}, "A1", "r1", later, later},
		{"another access token without expiry", token{AccessToken: "A9"}, "A9", "r1", time.Time{}, later},
		{"another access token with expiry", token{AccessToken: "A9", ExpiresAt: earlier}, "A9", "r1", earlier, later},
		{"the same access token without expiry", token{AccessToken: "A1"}, "A1", "r1", later, later},
		{"the same access token with expiry", token{AccessToken: "A1", ExpiresAt: earlier}, "A1", "r1", earlier, later},
		{"an expiry alone", token{ExpiresAt: earlier}, "A1", "r1", later, later},
		{"another refresh token without expiry", token{RefreshToken: "r9"}, "A1", "r9", later, time.Time{}},
		{"another refresh token with expiry", token{RefreshToken: "r9", RefreshExpiresAt: earlier}, "A1", "r9", later, earlier},
		{"the same refresh token without expiry", token{RefreshToken: "r1"}, "A1", "r1", later, later},
		{"a refresh expiry alone", token{RefreshExpiresAt: earlier}, "A1", "r1", later, later},
	} {
		tt.query.UserName = "a"
		got := s.find(tt.query)
		if got.AccessToken != tt.access || !got.ExpiresAt.Equal(tt.expires) {
			s.Errorf("%s: found %s until %v, want %s until %v", tt.name, got.AccessToken, got.ExpiresAt, tt.access, tt.expires)
		}
		until := s.fit(token{RefreshExpiresAt: tt.refreshUntil}).RefreshExpiresAt
		if got.RefreshToken != tt.refresh || !s.fit(got).RefreshExpiresAt.Equal(until) {
			s.Errorf("%s: found %s until %v, want %s until %v", tt.name, got.RefreshToken, got.RefreshExpiresAt, tt.refresh, until)
		}
	}
}

func refreshFieldsOnFind(s *subject) {
	saved := s.save(full("a"))
	plain := s.save(token{UserName: "b", RefreshToken: "r"})
	news := &tokenkeep.Reauthorize{Since: later, Reason: "other"}
	s.same("the token that has them", s.find(token{UserName: "a", RefreshedAt: later, Reauthorize: news}), saved)
	s.same("the token that has none", s.find(token{UserName: "b", RefreshedAt: later, Reauthorize: news}), plain)
}

func collectionsOnFind(s *subject) {
	saved := s.save(full("a"))
	want := saved
	want.Scopes = []string{"one"}
	want.Extra = map[string]string{"org": "43", "note": "a", "new": "x"}
	got := s.find(token{UserName: "a", Scopes: []string{"one"}, Extra: map[string]string{"org": "43", "note": "", "new": "x"}})
	s.same("the found token", got, want)
	s.same("the stored token", s.get(saved.ID), saved)
}
