package storetest

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tokenkeep/tokenkeep"
)

// canary is in every credential of the tokens under test here.
const canary = "canary"

var secrecyCases = []scenario{
	{"no error holds a credential", errorsHoldNoCredential},
	{"no handle prints a credential", handlesPrintNoCredential},
}

// secret returns a token of credentials that give themselves away.
func secret(user string) token {
	return token{
		UserName: user, ClientID: "c", ClientSecret: canary + "1", RefreshToken: canary + "2" + user, AccessToken: canary + "3" + user,
		ExpiresAt: later, RedirectURL: "https://example.com/?" + canary + "4", Extra: map[string]string{"x": canary + "5"},
	}
}

func errorsHoldNoCredential(s *subject) {
	ctx := s.Context()
	saved := s.save(secret("a"))
	other := s.save(secret("b"))
	try := map[string]func() error{
		"a query that fits nothing": func() error {
			_, err := s.FindToken(ctx, token{RefreshToken: canary + "8", ClientID: "c", ClientSecret: canary + "8"})
			return err
		},
		"an access token that fits nothing": func() error {
			_, err := s.FindToken(ctx, token{AccessToken: canary + "8"})
			return err
		},
	}
	saves := map[string]func(t *token){
		"an incomplete save":  func(t *token) { *t = token{UserName: "z", ClientSecret: canary + "8", Extra: t.Extra} },
		"a taken identity":    func(t *token) { t.ID = "79" },
		"a rename":            func(t *token) { t.ID, t.UserName = other.ID, saved.UserName },
		"invalid UTF-8":       func(t *token) { t.AccessToken = canary + "\xff" },
		"invalid extra":       func(t *token) { t.Extra = map[string]string{canary + "\xff": canary + "\xff"} },
		"a user name too big": func(t *token) { t.UserName = strings.Repeat("u", maxUserName+1) },
	}
	for what, spoil := range saves {
		try[what] = func() error {
			t := s.fit(secret("a"))
			spoil(&t)
			_, err := s.SaveToken(ctx, t)
			return err
		}
	}
	if u, ok := s.Store.(tokenkeep.Updater); ok {
		for what, spoil := range saves {
			try["an update to "+what] = func() error {
				_, err := u.UpdateToken(ctx, saved.ID, func(t token) (token, error) {
					spoil(&t)
					t.ID += "x" // refused in any case
					return t, nil
				})
				return err
			}
		}
	}
	for what, call := range try {
		err := call()
		if err == nil {
			s.Errorf("%s: no error", what)
			continue
		}
		s.noCanary(what, fmt.Sprintf("%v\n%+v\n%#v", err, err, err))
	}
	s.holds(saved, other)
}

func handlesPrintNoCredential(s *subject) {
	s.save(secret("a"))
	s.find(token{UserName: "a"})
	s.list()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", s.Store)
		fmt.Fprintf(&out, verb+"\n", struct{ Store tokenkeep.Store }{s.Store})
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("a handle", "store", s.Store, "nested", struct{ Store tokenkeep.Store }{s.Store})
	}
	s.noCanary("a printed handle", out.String())
}

// noCanary checks that a text holds no credential, as it is or in hexadecimal.
func (s *subject) noCanary(what, text string) {
	s.Helper()
	if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
		s.Errorf("%s gives a credential away:\n%s", what, text)
	}
}
