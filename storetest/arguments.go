package storetest

import (
	"maps"
	"slices"

	"github.com/tokenkeep/tokenkeep"
)

var argumentCases = []scenario{
	{"arguments are not changed", keepsArguments},
	{"the store does not share memory with what it was given", sharesNoArgument},
	{"the store does not share memory with what it returned", sharesNoResult},
}

// deep returns a copy of t that shares nothing with it.
func deep(t token) token {
	t.Scopes, t.Extra = slices.Clone(t.Scopes), maps.Clone(t.Extra)
	if t.Reauthorize != nil {
		r := *t.Reauthorize
		t.Reauthorize = &r
	}
	return t
}

// spoil changes everything that a copy of t may share with it.
func spoil(t token) {
	for i := range t.Scopes {
		t.Scopes[i] = "spoilt"
	}
	for key := range t.Extra {
		t.Extra[key] = "spoilt"
	}
	if t.Extra != nil {
		t.Extra["new"] = "spoilt"
	}
	if t.Reauthorize != nil {
		t.Reauthorize.Reason = "spoilt"
	}
}

func keepsArguments(s *subject) {
	arg := full("a")
	arg.Scopes = append(make([]string, 0, 9), arg.Scopes...) // room for an append to write into
	arg.Extra["empty"] = ""
	arg.ExpiresAt = arg.ExpiresAt.Local()
	before := deep(arg)
	check := func(call string) {
		s.Helper()
		s.same("the argument of "+call, arg, before)
		if arg.Extra["empty"] != "" || len(arg.Extra) != len(before.Extra) || arg.Scopes[:3][2] != "" {
			s.Errorf("%s changed its argument to %v with %q", call, arg, arg.Extra)
		}
	}
	saved := s.save(arg)
	check("the first SaveToken")
	s.save(token{ID: saved.ID, Scopes: []string{"other"}, Extra: map[string]string{"other": "x"}})
	s.find(arg)
	check("FindToken")
	s.save(arg)
	check("the second SaveToken")
	s.findFails(token{UserName: "none", Extra: arg.Extra, Scopes: arg.Scopes}, tokenkeep.ErrNotFound)
	check("a FindToken that misses")
}

func sharesNoArgument(s *subject) {
	arg := full("a")
	saved := s.save(arg)
	spoil(arg)
	s.same("the stored token", s.get(saved.ID), saved)

	arg = full("a")
	s.save(arg)
	spoil(arg)
	s.same("the stored token after a second save", s.get(saved.ID), saved)

	query := token{UserName: "a", Scopes: []string{"one"}, Extra: map[string]string{"k": "v"}}
	found := s.find(query)
	want := deep(found)
	spoil(query)
	s.same("the found token", found, want)
	s.same("the stored token after a look-up", s.get(saved.ID), saved)
}

func sharesNoResult(s *subject) {
	result := s.save(full("a"))
	want := deep(result)
	check := func(call string) {
		s.Helper()
		spoil(result)
		s.same("the stored token after a change to what "+call+" returned", s.get(want.ID), want)
	}
	check("SaveToken")
	result = s.get(want.ID)
	check("FindTokenByID")
	result = s.find(token{UserName: "a"})
	check("FindToken")
	result = s.list()[0]
	check("GetTokens")
	result = s.save(full("a"))
	check("SaveToken to a known token")
	if _, ok := s.Store.(tokenkeep.Updater); !ok {
		return
	}
	result = s.update(want.ID, func(*token) {})
	check("UpdateToken")
	s.update(want.ID, func(t *token) { result = *t })
	check("UpdateToken's function was given and")
}
