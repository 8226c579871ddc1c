package storetest

import (
	"fmt"

	"github.com/tokenkeep/tokenkeep"
)

// awkward are texts that a file, a table, a path or a JSON text could trip over.
var awkward = []string{
	"comma, \"quote\" and 'apostrophe'", "line\nfeed\r\nand\ttab", " ", "  spaces around  ", "o'brien/../x", "a\\b\\\\c",
	"😀 ü é e\u0301 漢字 \u202e", "<b>&amp;</b>\u2028\u2029", "100%_*?[a]$1", "\x00\x01\x7f", "null", "0", "-1",
	"'; drop table oauthtoken; --", "user_name", "{\"a\": 1}",
}

// awkwardIDs are IDs that a path, a pattern or a query could take for something else.
var awkwardIDs = []string{
	"../x", "..", ".", "/", "a/b", "*", "%", "_", " ", "a ", "A", "a", "id", "1 or 1=1", "'", "\"", "\n", "\x00", "é", "e\u0301", "😀",
	"t_pa", "xa", "null", "01", "1",
}

var valueCases = []scenario{
	{"any text survives in every field and is a user name of its own", keepsText},
	{"any text is an ID of its own", keepsIDs},
	{"unknown API domains are kept", keepsDomains},
	{"empty and absent are the same", keepsNothingEmpty},
}

func keepsText(s *subject) {
	var want []token
	for _, text := range awkward {
		t := token{
			UserName: text, ClientID: text, ClientSecret: text, RedirectURL: text, GrantToken: "g" + text, RefreshToken: text,
			AccessToken: text, ExpiresAt: later, APIDomain: text, AccountsURL: text,
			Scopes: []string{text, "", text}, Extra: map[string]string{text: text, "": text},
			Reauthorize: &tokenkeep.Reauthorize{Since: earlier, Reason: text},
		}
		saved := s.save(t)
		t.ID = saved.ID
		s.same(fmt.Sprintf("the token of %q", text), saved, t)
		want = append(want, t)
	}
	s.holds(want...)
	other := s.on(s.open())
	for i, text := range awkward {
		s.same(fmt.Sprintf("what the user %q finds", text), other.find(token{UserName: text}), want[i])
	}
}

func keepsIDs(s *subject) {
	s.needs("IDs of any text")
	var want []token
	for i, id := range awkwardIDs {
		want = append(want, s.save(token{ID: id, RefreshToken: fmt.Sprint("r", i)}))
	}
	s.holds(want...)
	other := s.on(s.open())
	for i, id := range awkwardIDs {
		s.same(fmt.Sprintf("the token with the ID %q", id), other.get(id), want[i])
	}
	for i, id := range awkwardIDs[:2] {
		s.delete(id)
		s.getFails(id, tokenkeep.ErrNotFound)
		s.holds(want[i+1:]...)
	}
}

// Zoho opens data centers faster than its SDKs learn their names.
func keepsDomains(s *subject) {
	for _, domain := range []string{"https://www.zohoapis.uk", "https://www.zohoapis.ae", "http://localhost:8080/x?y#z", "not a URL"} {
		saved := s.save(token{UserName: "a", APIDomain: domain, RefreshToken: "r"})
		if saved.APIDomain != domain {
			s.Errorf("the API domain %q is saved as %q", domain, saved.APIDomain)
		}
		s.same("what user and domain find", s.find(token{UserName: "a", APIDomain: domain}), saved)
	}
}

func keepsNothingEmpty(s *subject) {
	saved := s.save(token{UserName: "a", RefreshToken: "r", Scopes: []string{}, Extra: map[string]string{}})
	for _, got := range []token{saved, s.get(saved.ID), s.on(s.open()).get(saved.ID)} {
		if len(got.Scopes) != 0 || len(got.Extra) != 0 || !got.ExpiresAt.IsZero() || got.Reauthorize != nil {
			s.Errorf("a token without scopes, extra and times came back as %v", got)
		}
	}
}
