package awssm_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// cancellations are the moments at which a context can end around a request.
var cancellations = map[string]func(cancel func(), send func() (*http.Response, error)) (*http.Response, error){
	"before it is sent": func(cancel func(), send func() (*http.Response, error)) (*http.Response, error) {
		cancel()
		return send()
	},
	"after it took effect, its reply lost": func(cancel func(), send func() (*http.Response, error)) (*http.Response, error) {
		response, err := lose(send)
		cancel()
		return response, err
	},
	"with its reply at hand": func(cancel func(), send func() (*http.Response, error)) (*http.Response, error) {
		defer cancel()
		return edit(send, func(body []byte) []byte { return body })
	},
}

// interrupted is an operation on the tokens of ann, bob and cid, and how many tokens there are after it.
type interrupted struct {
	name    string
	do      act
	deletes []string // IDs
	tokens  int
}

// A context that ends during any request of any operation loses nothing that was acknowledged and leaves nothing that
// is not listed, and the same operation succeeds later.
func TestAContextThatEndsAtAnyRequestLosesNothing(t *testing.T) {
	t.Parallel()
	logsIn := func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.UpdateToken(ctx, "1", func(t tokenkeep.Token) (tokenkeep.Token, error) {
			t.RefreshToken = "r2"
			return t, nil
		})
		return err
	}
	clears := func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteTokens(ctx) }
	tests := []interrupted{
		{name: "a first save", do: saves(secret("zoe")), tokens: 4},
		{name: "a first save with an ID", do: saves(tokenkeep.Token{ID: "4", UserName: "zoe", AccessToken: "a"}), tokens: 4},
		{name: "a first save of an access token", do: saves(tokenkeep.Token{AccessToken: "a"}), tokens: 4},
		{name: "an update", do: saves(tokenkeep.Token{ID: "1", AccessToken: "a2"}), tokens: 3},
		{name: "an update by user", do: saves(tokenkeep.Token{UserName: "ann", AccessToken: "a2"}), tokens: 3},
		{name: "a login", do: saves(tokenkeep.Token{UserName: "ann", RefreshToken: "r2"}), tokens: 3},
		{name: "a login with UpdateToken", do: logsIn, tokens: 3},
		{name: "a rename", do: saves(tokenkeep.Token{ID: "1", UserName: "anna"}), tokens: 3},
		{name: "a look-up", do: finds(tokenkeep.Token{UserName: "ann"}, "1", "ann"), tokens: 3},
		{name: "a list", do: list, tokens: 3},
		{name: "a delete", do: deletes("3"), deletes: []string{"3"}, tokens: 2},
		{name: "a delete of all", do: clears, deletes: []string{"1", "2", "3"}, tokens: 0},
	}
	for _, tt := range tests {
		for moment, around := range cancellations {
			t.Run(tt.name+", "+moment, func(t *testing.T) {
				const most = 20
				n := 1
				for tt.cancelAt(t, n, around) {
					if n++; n > most {
						t.Fatalf("it makes more than %d requests", most)
					}
				}
				if n == 1 {
					t.Error("it makes no request")
				}
			})
		}
	}
}

// cancelAt ends the context around the n-th request, and reports whether there was one.
func (o interrupted) cancelAt(t *testing.T, n int, around func(func(), func() (*http.Response, error)) (*http.Response, error)) bool {
	a := newAccount(t, awssm.Options{})
	stored := a.save(threeTokens()...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sent atomic.Int32
	a.link.bend = func(_ string, _ int, send func() (*http.Response, error)) (*http.Response, error) {
		if int(sent.Add(1)) == n {
			return around(cancel, send)
		}
		return send()
	}
	s := a.handle()
	err := o.do(ctx, s)
	reached := ctx.Err() != nil
	if err != nil && !(reached && errors.Is(err, context.Canceled)) {
		t.Errorf("request %d: error %v; want success, or one that is %q", n, err, context.Canceled)
	}
	o.check(t, a, stored, err == nil)
	if err := o.do(t.Context(), s); err != nil {
		t.Errorf("request %d: the same later: %v", n, err)
	}
	o.check(t, a, stored, true)
	return reached
}

// check compares what the store lists with the secrets that are there, and with what was acknowledged.
func (o interrupted) check(t *testing.T, a *account, stored []tokenkeep.Token, acknowledged bool) {
	t.Helper()
	tokens, err := a.sound().GetTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if acknowledged && len(tokens) != o.tokens {
		t.Errorf("%d tokens are listed; want %d", len(tokens), o.tokens)
	}
	live := slices.DeleteFunc(a.secrets(), func(name string) bool { return !strings.HasPrefix(name, "t_") })
	if len(live) != len(tokens) {
		t.Errorf("%d tokens are listed, and there are the secrets %q", len(tokens), live)
	}
	for _, token := range stored {
		if slices.Contains(o.deletes, token.ID) {
			continue
		}
		found, err := a.sound().FindTokenByID(t.Context(), token.ID)
		if err != nil || found.RefreshToken != token.RefreshToken && found.RefreshToken != "r2" {
			t.Errorf("the token %q is %v, error %v; want it as it was, or updated", token.ID, found, err)
		}
	}
}
