package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

type token = tokenkeep.Token

// Times of the tokens under test, to the millisecond, as far as Zoho's stores go.
var (
	earlier = time.Date(2031, 5, 6, 7, 8, 9, 123e6, time.UTC)
	later   = earlier.Add(time.Hour)
)

// subject is the store under test: a handle on a store that was empty at first.
type subject struct {
	*testing.T
	tokenkeep.Store
	open   func() tokenkeep.Store // one more handle
	limits Limits
}

// on is s with another handle.
func (s *subject) on(handle tokenkeep.Store) *subject {
	return &subject{T: s.T, Store: handle, open: s.open, limits: s.limits}
}

func (s *subject) save(t token) token {
	s.Helper()
	saved, err := s.SaveToken(s.Context(), s.fit(t))
	if err != nil {
		s.Fatalf("SaveToken(%v): %v", t, err)
	}
	if saved.ID == "" {
		s.Fatalf("SaveToken(%v) returned a token without an ID", t)
	}
	return saved
}

func (s *subject) find(query token) token {
	s.Helper()
	found, err := s.FindToken(s.Context(), query)
	if err != nil {
		s.Fatalf("FindToken(%v): %v", query, err)
	}
	return found
}

func (s *subject) get(id string) token {
	s.Helper()
	found, err := s.FindTokenByID(s.Context(), id)
	if err != nil {
		s.Fatalf("FindTokenByID(%q): %v", id, err)
	}
	return found
}

func (s *subject) list() []token {
	s.Helper()
	tokens, err := s.GetTokens(s.Context())
	if err != nil {
		s.Fatalf("GetTokens: %v", err)
	}
	return tokens
}

func (s *subject) delete(id string) {
	s.Helper()
	if err := s.DeleteToken(s.Context(), id); err != nil {
		s.Fatalf("DeleteToken(%q): %v", id, err)
	}
}

// fit returns t without the fields that the store has no column for.
func (s *subject) fit(t token) token {
	if s.limits.TenColumns {
		t.AccountsURL, t.RefreshExpiresAt, t.Scopes, t.Extra = "", time.Time{}, nil, nil
		t.RefreshedAt, t.Reauthorize = time.Time{}, nil
	}
	return t
}

// needs skips the rest of a test that a store of ten columns cannot pass.
func (s *subject) needs(what string) {
	s.Helper()
	if s.limits.TenColumns {
		s.Skipf("the store has ten columns, none for %s", what)
	}
}

// updater returns the store as an Updater, or skips the test.
func (s *subject) updater() tokenkeep.Updater {
	s.Helper()
	u, ok := s.Store.(tokenkeep.Updater)
	if !ok {
		s.Skip("the store is no Updater")
	}
	return u
}

// update changes the token with this ID.
func (s *subject) update(id string, change func(t *token)) token {
	s.Helper()
	updated, err := s.updater().UpdateToken(s.Context(), id, func(t token) (token, error) {
		change(&t)
		return s.fit(t), nil
	})
	if err != nil {
		s.Fatalf("UpdateToken(%q): %v", id, err)
	}
	return updated
}

// findFails checks that no token is what the query means.
func (s *subject) findFails(query token, want error) {
	s.Helper()
	got, err := s.FindToken(s.Context(), query)
	s.failed(fmt.Sprintf("FindToken(%v)", query), got, err, want)
}

// getFails checks that no token has this ID.
func (s *subject) getFails(id string, want error) {
	s.Helper()
	got, err := s.FindTokenByID(s.Context(), id)
	s.failed(fmt.Sprintf("FindTokenByID(%q)", id), got, err, want)
}

// saveFails checks that a save is refused, and returns why.
func (s *subject) saveFails(t token, want error) error {
	s.Helper()
	got, err := s.SaveToken(s.Context(), t)
	s.failed(fmt.Sprintf("SaveToken(%v)", t), got, err, want)
	return err
}

// failed checks an error and that no token came with it.
func (s *subject) failed(call string, got token, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: error %v, want one that is %q", call, err, want)
	}
	if err != nil && !reflect.DeepEqual(got, token{}) {
		s.Errorf("%s: returned %v together with an error, want no token", call, got)
	}
}

// same checks that two tokens are equal in all that the store keeps, credentials included.
func (s *subject) same(what string, got, want token) {
	s.Helper()
	if diff := diff(s.fit(got), s.fit(want)); diff != "" {
		s.Errorf("%s differs from what was expected in\n%s", what, diff)
	}
}

// holds checks that the store has exactly these tokens.
func (s *subject) holds(want ...token) {
	s.Helper()
	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b token) int { return strings.Compare(a.ID, b.ID) })
	got := s.list()
	if len(got) != len(want) {
		s.Errorf("the store holds %d tokens, want %d:\n got %v\nwant %v", len(got), len(want), got, want)
		return
	}
	for i := range want {
		s.same(fmt.Sprintf("token %q", want[i].ID), got[i], want[i])
	}
}

// diff returns in which fields two tokens differ, a line for each.
func diff(got, want token) string {
	g, w := fields(got), fields(want)
	names := slices.Sorted(maps.Keys(g))
	for name := range w {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var b strings.Builder
	for _, name := range names {
		if g[name] != w[name] {
			fmt.Fprintf(&b, "  %s: got %s, want %s\n", name, shown(g[name]), shown(w[name]))
		}
	}
	return b.String()
}

func shown(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// fields returns the fields of a token that are not empty, each as JSON.
func fields(t token) map[string]string {
	encoded, err := tokenkeep.EncodeToken(t)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &raw); err != nil {
		return map[string]string{"error": err.Error()}
	}
	values := make(map[string]string, len(raw))
	for name, value := range raw {
		values[name] = string(value)
	}
	return values
}

// full returns a token in which every field is set. Its grant token counts as used up, since a refresh token is
// beside it.
func full(user string) token {
	return token{
		UserName: user, ClientID: "1000.CLIENT", ClientSecret: "secret", RedirectURL: "https://example.com/callback",
		GrantToken: "grant-" + user, RefreshToken: "refresh-" + user, RefreshExpiresAt: later.AddDate(1, 0, 0),
		AccessToken: "access-" + user, ExpiresAt: later, RefreshedAt: earlier,
		APIDomain: "https://www.zohoapis.eu", AccountsURL: "https://accounts.zoho.eu",
		Scopes: []string{"ZohoCRM.modules.ALL", "ZohoCRM.users.READ"}, Extra: map[string]string{"org": "42", "note": "a"},
		Reauthorize: &tokenkeep.Reauthorize{Since: earlier, Reason: "invalid_code"},
	}
}
