package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

var bulkCases = []scenario{
	{"many tokens are saved and returned in their order", savesMany},
	{"many tokens become what SaveToken makes of them one by one", savesManyAsOneByOne},
	{"tokens that are refused keep no other back, and are named", savesAllButRefused},
	{"nothing is saved after the end of the context", savesNoneAfterEnd},
	{"arguments and results are not shared", sharesNoneOfMany},
	{"no error holds a credential", bulkErrorsHoldNoCredential},
	{"many tokens saved at once are all there, once each", savesManyAtOnce},
}

// bulkSaver is a store that saves many tokens at once, by the contract of SaveTokens of [tokenkeep.SecretStore].
type bulkSaver interface {
	SaveTokens(ctx context.Context, tokens []token) ([]token, error)
}

// saveAll saves tokens at once, or skips the test of a store that cannot. It checks that there is a place for each.
func (s *subject) saveAll(ctx context.Context, tokens []token) ([]token, error) {
	s.Helper()
	b, ok := s.Store.(bulkSaver)
	if !ok {
		s.Skip("the store has no method SaveTokens")
	}
	saved, err := b.SaveTokens(ctx, tokens)
	if len(saved) != len(tokens) {
		s.Fatalf("SaveTokens of %d tokens returned %d, error %v", len(tokens), len(saved), err)
	}
	return saved, err
}

// mustSaveAll is saveAll of what the store takes.
func (s *subject) mustSaveAll(tokens ...token) []token {
	s.Helper()
	tokens = slices.Clone(tokens)
	for i, t := range tokens {
		tokens[i] = s.fit(t)
	}
	saved, err := s.saveAll(s.Context(), tokens)
	if err != nil {
		s.Fatalf("SaveTokens(%v): %v", tokens, err)
	}
	return saved
}

func savesMany(s *subject) {
	if none := s.mustSaveAll(); len(none) != 0 {
		s.Errorf("SaveTokens of none returned %v", none)
	}
	ann := s.save(full("ann"))
	tokens := []token{
		{ID: "79", UserName: "dan", RefreshToken: "r1"}, full("bob"), {UserName: "ann", AccessToken: "A9"}, {ID: "78", RefreshToken: "r2"},
	}
	saved := s.mustSaveAll(tokens...)
	want := slices.Clone(tokens)
	want[1].ID = saved[1].ID
	want[2] = ann
	want[2].AccessToken, want[2].ExpiresAt = "A9", time.Time{}
	for i := range want {
		s.same(fmt.Sprintf("the token returned in place %d", i), saved[i], want[i])
	}
	if saved[1].ID == "" {
		s.Error("a new token got no ID")
	}
	s.holds(saved...)
	s.on(s.open()).holds(saved...)
}

func savesManyAsOneByOne(s *subject) {
	tokens := []token{
		{ID: "71", UserName: "ann", ClientID: "c", RefreshToken: "r1"},
		{UserName: "ann", ClientID: "c", AccessToken: "A1", ExpiresAt: later.Add(999 * time.Microsecond)},
		{UserName: "bob", RefreshToken: "r2"},
		{UserName: "bob", RefreshToken: "r3", AccessToken: "A3"},
		{UserName: "bob", RefreshToken: "r2", AccessToken: "A2"}, // an old copy
		{RefreshToken: "r4"},
		{UserName: "cid", RefreshToken: "r4"}, // names the one before
		{ID: "71", UserName: "bob"},           // a conflict
		{ID: "79", UserName: "dan", RefreshToken: "r5"},
		{UserName: "eve", RefreshToken: "r6"}, // its ID comes after the one before, where they are counted
		{ClientID: "d", RefreshToken: "r7"},
		{ID: "71", RefreshToken: "r8"},
		{ClientID: "d", RefreshToken: "r7", AccessToken: "A7"},
		{UserName: "fay", RefreshToken: "r4"},                    // of nobody any more
		{ID: "77", UserName: "fay", GrantToken: "g"},             // a conflict
		{UserName: "gil", GrantToken: "g1", RefreshToken: "r9"},  // used up beside a refresh token
		{UserName: "gil", GrantToken: "g1", AccessToken: "A9"},   // an old copy
		{UserName: "gil", RefreshToken: "r10", AccessToken: "A"}, // another login
	}
	got, _ := s.saveAll(s.Context(), tokens)
	stored := s.list()
	if err := s.DeleteTokens(s.Context()); err != nil {
		s.Fatal(err)
	}
	ids := map[string]string{"": ""} // those that SaveToken gives, by those that SaveTokens gave
	for i, t := range tokens {
		want, err := s.SaveToken(s.Context(), t)
		if _, ok := ids[got[i].ID]; !ok {
			ids[got[i].ID] = want.ID
		}
		if t.ID != "" && err == nil && got[i].ID != t.ID {
			s.Errorf("the ID of the token in place %d is %q, want %q", i, got[i].ID, t.ID)
		}
		got[i].ID = ids[got[i].ID]
		s.same(fmt.Sprintf("the token in place %d, beside that of SaveToken (error %v),", i, err), got[i], want)
	}
	for i := range stored {
		stored[i].ID = ids[stored[i].ID]
	}
	s.holds(stored...)
}

func savesAllButRefused(s *subject) {
	ann := s.save(token{ID: "71", UserName: "ann", RefreshToken: "r1"})
	us := s.save(token{ID: "72", UserName: "bob", APIDomain: "https://us", RefreshToken: "r2"})
	eu := s.save(token{ID: "73", UserName: "bob", APIDomain: "https://eu", RefreshToken: "r3"})
	want := []error{nil, tokenkeep.ErrIncomplete, nil, tokenkeep.ErrConflict, tokenkeep.ErrInvalid, tokenkeep.ErrAmbiguous, nil}
	tokens := []token{
		{ID: "74", UserName: "cid", RefreshToken: "r4"}, {ID: "75"}, {UserName: "dan", RefreshToken: "r5"},
		{ID: "76", UserName: "dan", RefreshToken: "r6"}, {ID: "71", AccessToken: "a\xff"}, {UserName: "bob", AccessToken: "A"},
		{ID: "71", AccessToken: "A1"},
	}
	if s.limits.TenColumns {
		want = append([]error{tokenkeep.ErrInvalid, tokenkeep.ErrInvalid}, want...)
		tokens = append([]token{{ID: "71", AccessToken: "A", Scopes: []string{"x"}}, {ID: "seven", RefreshToken: "r"}}, tokens...)
	}
	saved, err := s.saveAll(s.Context(), tokens)
	joined, _ := err.(interface{ Unwrap() []error })
	if joined == nil {
		s.Fatalf("the error is %v, want joined ones", err)
	}
	errs := joined.Unwrap()
	for i, want := range want {
		if want == nil {
			continue
		}
		var detail *tokenkeep.Error
		if len(errs) == 0 || !errors.Is(errs[0], want) || !errors.As(errs[0], &detail) || detail.Op != "save token" || detail.ID != tokens[i].ID {
			s.Fatalf("of the errors of SaveTokens, %v are left for %v, want one that is %q", errs, tokens[i:], want)
		}
		errs = errs[1:]
		if !reflect.DeepEqual(saved[i], token{}) {
			s.Errorf("%v is returned in the place of a token that is refused", saved[i])
		}
	}
	if len(errs) > 0 {
		s.Errorf("errors of no token: %v", errs)
	}
	ann.AccessToken = "A1"
	n := len(tokens)
	s.same("the last token", saved[n-1], ann)
	s.holds(us, eu, ann, token{ID: "74", UserName: "cid", RefreshToken: "r4"}, token{ID: saved[n-5].ID, UserName: "dan", RefreshToken: "r5"})
}

func savesNoneAfterEnd(s *subject) {
	saved := s.save(full("a"))
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	for _, handle := range []tokenkeep.Store{s.Store, s.open()} {
		got, err := s.on(handle).saveAll(ctx, []token{{UserName: "a", AccessToken: "A9"}, {UserName: "b", RefreshToken: "r"}})
		if !errors.Is(err, context.Canceled) || !reflect.DeepEqual(got, make([]token, 2)) {
			s.Errorf("SaveTokens = %v, %v, want no tokens and %v", got, err, context.Canceled)
		}
	}
	s.holds(saved)
}

func sharesNoneOfMany(s *subject) {
	args := []token{s.fit(full("a")), s.fit(full("b"))}
	before := []token{deep(args[0]), deep(args[1])}
	saved, err := s.saveAll(s.Context(), args)
	if err != nil {
		s.Fatal(err)
	}
	want := []token{deep(saved[0]), deep(saved[1])}
	for i := range args {
		s.same("the argument", args[i], before[i])
		spoil(args[i])
		s.same("the returned token after a change to the argument", saved[i], want[i])
		spoil(saved[i])
	}
	s.holds(want...)
}

func bulkErrorsHoldNoCredential(s *subject) {
	bad := secret("b")
	bad.AccessToken += "\xff"
	_, err := s.saveAll(s.Context(), []token{s.fit(secret("a")), s.fit(bad), {UserName: "c", ClientSecret: canary + "8"}})
	if err == nil {
		s.Fatal("no error")
	}
	s.noCanary("the error", fmt.Sprintf("%v\n%+v\n%#v", err, err, err))
}

func savesManyAtOnce(s *subject) {
	const users = 10
	var tokens []token
	for i := range users {
		user := strings.Repeat("u", i+1)
		tokens = append(tokens, token{UserName: user, RefreshToken: "r" + user})
	}
	s.mustSaveAll()
	s.atOnce(handles, func(i int, handle *subject) error {
		own := token{UserName: strings.Repeat("v", i+1), RefreshToken: "r"}
		return persistently(func() error {
			_, err := handle.Store.(bulkSaver).SaveTokens(s.Context(), append([]token{own}, tokens...))
			return err
		})
	})
	if n := len(s.list()); n != users+handles {
		s.Errorf("%d users saved by %d writers at once, and one more by each, are %d tokens", users, handles, n)
	}
}
