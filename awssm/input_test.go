package awssm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// canary is in every credential of the tokens under test here.
const canary = "canary-7f3a"

// secret is a token whose credentials give themselves away.
func secret(user string) tokenkeep.Token {
	return tokenkeep.Token{
		UserName: user, ClientID: "web", ClientSecret: canary + "-s", RefreshToken: canary + "-r-" + user, AccessToken: canary + "-a-" + user,
		RedirectURL: "https://example.com/?" + canary, Extra: map[string]string{"x": canary},
	}
}

// refused checks why an operation failed, and that the error gives no credential away.
func refused(t *testing.T, what string, err, want error, says ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v; want one that is %q", what, err, want)
		return
	}
	text := fmt.Sprintf("%v\n%+v\n%#v", err, err, err)
	if strings.Contains(text, canary) {
		t.Errorf("%s: the error gives a credential away: %s", what, text)
	}
	for _, part := range says {
		if !strings.Contains(text, part) {
			t.Errorf("%s: error %v; want it to say %q", what, err, part)
		}
	}
}

func TestPrefixesThatAreRefused(t *testing.T) {
	for name, prefix := range map[string]string{
		"none": "", "too long": strings.Repeat("p", 257), "a space": "crm prod", "an asterisk": "crm/*", "a colon": "arn:aws", "an umlaut": "müller",
		"invalid UTF-8": "crm\xff", "a slash at its end": "crm/",
	} {
		t.Run(name, func(t *testing.T) {
			store, err := awssm.NewStore(secretsmanager.New(secretsmanager.Options{}), awssm.Options{Prefix: prefix})
			refused(t, "NewStore", err, tokenkeep.ErrInvalid, "Options.Prefix")
			if store != nil {
				t.Error("NewStore returned a store together with an error")
			}
		})
	}
}

// everyWay does with a token all that can be done with one.
func everyWay(ctx context.Context, s *tokenkeep.SecretStore, token tokenkeep.Token) map[string]error {
	errs := map[string]error{}
	_, errs["FindToken"] = s.FindToken(ctx, token)
	_, errs["SaveToken"] = s.SaveToken(ctx, token)
	_, errs["UpdateToken"] = s.UpdateToken(ctx, "1", func(tokenkeep.Token) (tokenkeep.Token, error) { return token, nil })
	return errs
}

func TestAnIDOfThousandBytesIsRefusedWithoutACall(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	s, id, errs := a.handle(), strings.Repeat("i", 1000), map[string]error{}
	token := secret("ann")
	token.ID = id
	_, errs["FindToken"] = s.FindToken(t.Context(), token)
	_, errs["FindTokenByID"] = s.FindTokenByID(t.Context(), id)
	_, errs["SaveToken"] = s.SaveToken(t.Context(), token)
	_, errs["UpdateToken"] = s.UpdateToken(t.Context(), id, func(t tokenkeep.Token) (tokenkeep.Token, error) { return t, nil })
	errs["DeleteToken"] = s.DeleteToken(t.Context(), id)
	for what, err := range errs {
		refused(t, what, err, tokenkeep.ErrInvalid, "1000 bytes", "128")
	}
	if calls := a.server.Calls(); len(calls) != 0 {
		t.Errorf("calls: %s; want none", written(calls))
	}
}

func TestInvalidUTF8AnywhereIsRefusedAndWritesNothing(t *testing.T) {
	const bad = canary + "\xff"
	fields := map[string]func(t *tokenkeep.Token){
		"ID": func(t *tokenkeep.Token) { t.ID = "\xff" }, "UserName": func(t *tokenkeep.Token) { t.UserName = bad },
		"ClientID": func(t *tokenkeep.Token) { t.ClientID = bad }, "ClientSecret": func(t *tokenkeep.Token) { t.ClientSecret = bad },
		"RedirectURL": func(t *tokenkeep.Token) { t.RedirectURL = bad }, "GrantToken": func(t *tokenkeep.Token) { t.GrantToken = bad },
		"RefreshToken": func(t *tokenkeep.Token) { t.RefreshToken = bad }, "AccessToken": func(t *tokenkeep.Token) { t.AccessToken = bad },
		"APIDomain": func(t *tokenkeep.Token) { t.APIDomain = bad }, "AccountsURL": func(t *tokenkeep.Token) { t.AccountsURL = bad },
		"Scopes": func(t *tokenkeep.Token) { t.Scopes = []string{"a", bad} }, "key of Extra": func(t *tokenkeep.Token) { t.Extra = map[string]string{bad: "x"} },
		"value of Extra":     func(t *tokenkeep.Token) { t.Extra = map[string]string{"x": bad} },
		"Reauthorize.Reason": func(t *tokenkeep.Token) { t.Reauthorize = &tokenkeep.Reauthorize{Reason: bad} },
	}
	for field, spoil := range fields {
		t.Run(field, func(t *testing.T) {
			a := newAccount(t, awssm.Options{})
			stored := secret("ann")
			stored.ID = "1"
			a.save(stored)
			before := a.value("t_p1")
			token := stored
			spoil(&token)
			a.server.ResetCalls()
			for what, err := range everyWay(t.Context(), a.handle(), token) {
				refused(t, what, err, tokenkeep.ErrInvalid, field) // of an ID UpdateToken says that it may not change
			}
			if calls := written(a.server.Calls()); calls != "Get" {
				t.Errorf("calls: %s; want the read of UpdateToken alone", calls)
			}
			if a.value("t_p1") != before {
				t.Error("the stored token has changed")
			}
		})
	}
}

func TestATokenThatIsTooLargeWritesNothing(t *testing.T) {
	huge := secret("ann")
	huge.Extra = map[string]string{"x": strings.Repeat(canary, 70_000/len(canary))}
	t.Run("not even the index, for a new one", func(t *testing.T) {
		a := newAccount(t, awssm.Options{})
		_, err := a.handle().SaveToken(t.Context(), huge)
		refused(t, "SaveToken", err, tokenkeep.ErrTooLarge, "65536", "shorten Extra")
		if names := a.secrets(); len(names) != 0 {
			t.Errorf("there are the secrets %q; want none", names)
		}
	})
	t.Run("and a stored one stays as it is", func(t *testing.T) {
		a := newAccount(t, awssm.Options{})
		stored := a.save(secret("ann"))[0]
		s := a.handle()
		_, err := s.SaveToken(t.Context(), huge)
		refused(t, "SaveToken", err, tokenkeep.ErrTooLarge, "65536")
		_, err = s.UpdateToken(t.Context(), stored.ID, func(tokenkeep.Token) (tokenkeep.Token, error) {
			next := huge
			next.ID, next.UserName = stored.ID, "anna"
			return next, nil
		})
		refused(t, "UpdateToken", err, tokenkeep.ErrTooLarge, "65536")
		a.holds(stored)
		if n := a.versions("i_r"); n != 1 {
			t.Errorf("the index has %d versions; want 1", n)
		}
	})
}

// holds checks that the store has these tokens, ordered by ID, and no other.
func (a *account) holds(want ...tokenkeep.Token) {
	a.t.Helper()
	got, err := a.sound().GetTokens(a.t.Context())
	if err != nil || len(got) != len(want) {
		a.t.Errorf("the store holds %v, error %v; want %v", got, err, want)
		return
	}
	for i := range want {
		g, errG := tokenkeep.EncodeToken(got[i])
		w, errW := tokenkeep.EncodeToken(want[i])
		if errG != nil || errW != nil || string(g) != string(w) {
			a.t.Errorf("the store holds the token\n%s; want\n%s", g, w)
		}
	}
}

func TestWithoutPermissionAnErrorNamesTheActionAndNothingIsLost(t *testing.T) {
	save := func(token tokenkeep.Token) act { return saves(token) }
	tests := []struct {
		denied string
		do     act
	}{
		{"GetSecretValue", finds(tokenkeep.Token{ID: "1"}, "1", "ann")},
		{"GetSecretValue", finds(tokenkeep.Token{UserName: "ann"}, "1", "ann")},
		{"GetSecretValue", list},
		{"GetSecretValue", save(tokenkeep.Token{ID: "1", AccessToken: canary})},
		{"PutSecretValue", save(tokenkeep.Token{ID: "1", AccessToken: canary})},
		{"PutSecretValue", save(secret("zoe"))},
		{"CreateSecret", save(secret("zoe"))},
		{"DeleteSecret", deletes("1")},
		{"DeleteSecret", func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteTokens(ctx) }},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%s, operation %d", tt.denied, i), func(t *testing.T) {
			a := newAccount(t, awssm.Options{})
			stored := secret("ann")
			stored.ID = "1"
			a.save(stored)
			a.link.bend = func(op string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
				if op == tt.denied {
					return refuse("AccessDeniedException", "User: me is not authorized")
				}
				return send()
			}
			refused(t, "the operation", tt.do(t.Context(), a.handle()), tokenkeep.ErrPermission, "allow secretsmanager:"+tt.denied, "crm/prod/")
			a.holds(stored)
			a.link.bend = nil
			if err := saves(secret("zoe"))(t.Context(), a.handle()); err != nil {
				t.Errorf("a save afterwards: %v", err)
			}
		})
	}
}

func TestAStoreWithoutRegionOrCredentialsSaysSo(t *testing.T) {
	for _, tt := range mute {
		t.Run(tt.name, func(t *testing.T) {
			l := &link{bend: func(string, int, func() (*http.Response, error)) (*http.Response, error) { return nil, errLost }}
			s := newStore(t, linked(tt.cfg, l), awssm.Options{Prefix: "crm/prod"})
			errs := everyWay(t.Context(), s, secret("ann"))
			_, errs["GetTokens"] = s.GetTokens(t.Context())
			errs["DeleteToken"] = s.DeleteToken(t.Context(), "1")
			errs["DeleteTokens"] = s.DeleteTokens(t.Context())
			for what, err := range errs {
				refused(t, what, err, tt.want, tt.says)
			}
		})
	}
}

// name is what the name of a secret may look like, whatever is in it.
var name = regexp.MustCompile(`^(t_[px][0-9a-z]+|i_r)$`)

func TestOddIDsAndUserNamesComeBackAsTheyWere(t *testing.T) {
	for _, odd := range []string{
		"../x", "*", "/", "a/b?c=d#e", " ", ".", "-abcdef", "'; --", "%2f", "ANN", "ann\nsmith", "\x00", "😀", "日本", "e\u0301", "t_p1", "i_r", strings.Repeat("é", 64),
	} {
		t.Run(fmt.Sprintf("%q", odd), func(t *testing.T) {
			a := newAccount(t, awssm.Options{})
			token := secret("user " + odd + " user")
			token.ID = odd
			byName := secret("also " + odd)
			saved := a.save(token, byName)
			for _, names := range a.secrets() {
				if !name.MatchString(names) {
					t.Errorf("a secret is called %q; want only what matches %v", names, name)
				}
			}
			s := a.handle()
			for what, do := range map[string]act{
				"by its ID":                 finds(tokenkeep.Token{ID: odd}, odd, token.UserName),
				"by its user":               finds(tokenkeep.Token{UserName: token.UserName}, odd, token.UserName),
				"by its user and client":    finds(tokenkeep.Token{UserName: byName.UserName, ClientID: "web"}, saved[1].ID, byName.UserName),
				"that is saved again by ID": saves(tokenkeep.Token{ID: odd, APIDomain: "https://example.com"}),
			} {
				if err := do(t.Context(), s); err != nil {
					t.Errorf("a token %s: %v", what, err)
				}
			}
			if err := s.DeleteToken(t.Context(), odd); err != nil {
				t.Error(err)
			}
			a.holds(saved[1])
		})
	}
}

func TestTheSecretsTellNobodyWithoutAccessToThemWhoTheUsersAre(t *testing.T) {
	a := newAccount(t, awssm.Options{Tags: map[string]string{"team": "crm"}})
	token := secret("ann@example.com")
	token.GrantToken = canary + "-g"
	a.save(token)
	shown, err := a.direct.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{canary, "ann"} {
		if strings.Contains(string(text), hidden) {
			t.Errorf("ListSecrets shows %q: %s", hidden, text)
		}
		if strings.Contains(a.value("i_r"), hidden) {
			t.Errorf("the index shows %q: %s", hidden, a.value("i_r"))
		}
	}
}
