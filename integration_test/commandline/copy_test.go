package commandline

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/storeurl"
)

// fits are tokens that every kind of store has room for.
var fits = []tokenkeep.Token{
	{ID: "1", UserName: "ann@example.com", ClientID: "1000.WEB", ClientSecret: "s1", RefreshToken: "r1", AccessToken: "a1",
		ExpiresAt: at(1), RedirectURL: "https://example.com/cb?x=1&y=2", APIDomain: "https://www.zohoapis.eu"},
	{ID: "2", UserName: "ann@example.com", ClientID: "1000.APP", ClientSecret: "s2", RefreshToken: "r2"},
	{ID: "3", UserName: "ann@example.com", ClientID: "1000.WEB", RefreshToken: "r3", APIDomain: "https://www.zohoapis.com"},
	{ID: "4", UserName: "Ann@example.com", ClientID: "1000.WEB", RefreshToken: "r4", APIDomain: "https://www.zohoapis.eu"},
	{ID: "5", UserName: "zoë 王 😀", ClientID: "1000.WEB", RefreshToken: "r5", AccessToken: "a5"},
	{ID: "6", UserName: `quoted "name", with a comma`, RefreshToken: "r6"},
	{ID: "7", UserName: " two\nlines ", RefreshToken: "r7 "},
	{ID: "8", RefreshToken: "r8"},
	{ID: "9", AccessToken: "a9", ExpiresAt: at(9)},
	{ID: "10", GrantToken: "g10", ClientID: "1000.WEB"},
	{ID: "11", ClientID: "1000.SELF", ClientSecret: "s11"},
	{ID: "999999999", UserName: strings.Repeat("u", 255), RefreshToken: strings.Repeat("r", 255)},
}

// at is a time that every kind of store keeps exactly.
func at(n int) time.Time { return time.Date(2026, 1, 2, 3, 4, n, 123e6, time.UTC) }

// users are tokens of n users.
func users(n int) []tokenkeep.Token {
	tokens := make([]tokenkeep.Token, n)
	for i := range tokens {
		tokens[i] = tokenkeep.Token{ID: fmt.Sprint(i + 1), UserName: fmt.Sprintf("user%d@example.com", i+1), ClientID: "1000.WEB",
			ClientSecret: "secret", RefreshToken: fmt.Sprintf("refresh %d", i+1), AccessToken: fmt.Sprintf("access %d", i+1), ExpiresAt: at(0)}
	}
	return tokens
}

// writeFile writes tokens to a new file of Zoho's SDKs, by nothing of the program's.
func writeFile(t *testing.T, tokens []tokenkeep.Token) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tokens.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(file)
	rows := [][]string{{"id", "user_name", "client_id", "client_secret", "refresh_token", "access_token", "grant_token", "expiry_time",
		"redirect_url", "api_domain"}}
	for _, token := range tokens {
		expiry := ""
		if !token.ExpiresAt.IsZero() {
			expiry = fmt.Sprint(token.ExpiresAt.UnixMilli())
		}
		rows = append(rows, []string{token.ID, token.UserName, token.ClientID, token.ClientSecret, token.RefreshToken, token.AccessToken,
			token.GrantToken, expiry, token.RedirectURL, token.APIDomain})
	}
	if err := errors.Join(w.WriteAll(rows), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// counts is what copy says in JSON.
type counts struct {
	Copied, Present, Conflicts, Failed []string
	Different                          []any
	Verified                           bool
}

// copyAll copies a store to another one, and fails the test unless afterwards all n tokens are there and verified.
func copyAll(t *testing.T, env []string, from, to string, n int) counts {
	t.Helper()
	r := run(t, env, 0, "copy", "--from", from, "--to", to, "--verify", "--json")
	var c counts
	if err := json.Unmarshal([]byte(r.stdout), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Copied)+len(c.Present) != n || len(c.Conflicts)+len(c.Failed)+len(c.Different) != 0 || !c.Verified || r.stderr != "" {
		t.Fatalf("copy to %s says %s%s; want %d tokens copied or present, and verified", to, r.stdout, r.stderr, n)
	}
	return c
}

// check fails the test unless a store has just these tokens, with all their fields, and an index without fault.
func check(t *testing.T, env []string, url string, want []tokenkeep.Token) {
	t.Helper()
	run(t, env, 0, "verify", "--store", url)
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	store, err := storeurl.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.GetTokens(t.Context())
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	want = slices.SortedFunc(slices.Values(want), func(a, b tokenkeep.Token) int { return strings.Compare(a.ID, b.ID) })
	if !slices.Equal(encoded(t, got), encoded(t, want)) {
		t.Errorf("%d tokens are in the store, %v; want %d, %v, with the same credentials", len(got), got, len(want), want)
	}
}

func encoded(t *testing.T, tokens []tokenkeep.Token) []string {
	t.Helper()
	texts := make([]string, len(tokens))
	for i, token := range tokens {
		whole, err := tokenkeep.EncodeToken(token)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(whole)
	}
	return texts
}

func TestTokensAreCopiedFromEveryKindOfStoreToEveryKind(t *testing.T) {
	media, env := startAll(t)
	seed := writeFile(t, fits)
	for _, from := range media {
		source := from.url("source")
		copyAll(t, env, "file:"+seed, source, len(fits))
		for _, to := range media {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				target := to.url("from" + from.name)
				if c := copyAll(t, env, source, target, len(fits)); len(c.Copied) != len(fits) {
					t.Errorf("%d tokens were copied to an empty store; want %d", len(c.Copied), len(fits))
				}
				check(t, env, target, fits)
				again := run(t, env, 0, "copy", "--from", source, "--to", target)
				if want := fmt.Sprintf("copied 0, already there %d, different 0, conflicts 0, failed 0\n", len(fits)); again.stdout != want {
					t.Errorf("the copy once more says %q; want %q", again.stdout, want)
				}
			})
		}
	}
}

func TestAStoreInMemoryIsCopiedFromAndTo(t *testing.T) {
	seed := writeFile(t, fits)
	env := []string{"HOME=" + t.TempDir()}
	if c := copyAll(t, env, "file:"+seed, "mem:", len(fits)); len(c.Copied) != len(fits) {
		t.Errorf("%d tokens were copied; want %d", len(c.Copied), len(fits))
	}
	copyAll(t, env, "mem:", "file:"+filepath.Join(t.TempDir(), "none.csv"), 0)
}
