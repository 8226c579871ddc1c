package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

func TestWhatIsThereDecidesWhatACopyDoes(t *testing.T) {
	ann := tokenkeep.Token{ID: "a", UserName: "ann", ClientID: "web", RefreshToken: "r1"}
	with := func(change func(*tokenkeep.Token)) tokenkeep.Token {
		t := ann
		change(&t)
		return t
	}
	nameless := tokenkeep.Token{ID: "n", RefreshToken: "r1"}
	tests := []struct {
		name       string
		want, have []tokenkeep.Token
		outcome    string // todo, present, different, conflicts
	}{
		{"nothing is copied", []tokenkeep.Token{ann}, nil, "1 0 0 0"},
		{"the same is present", []tokenkeep.Token{ann}, []tokenkeep.Token{ann}, "0 1 0 0"},
		{"the same with another refresh token", []tokenkeep.Token{ann},
			[]tokenkeep.Token{with(func(t *tokenkeep.Token) { t.RefreshToken = "r2" })}, "0 0 1 0"},
		{"another user with the ID", []tokenkeep.Token{ann},
			[]tokenkeep.Token{with(func(t *tokenkeep.Token) { t.UserName = "bob" })}, "0 0 0 1"},
		{"another client with the ID", []tokenkeep.Token{ann},
			[]tokenkeep.Token{with(func(t *tokenkeep.Token) { t.ClientID = "app" })}, "0 0 0 1"},
		{"another one of the user", []tokenkeep.Token{ann}, []tokenkeep.Token{with(func(t *tokenkeep.Token) { t.ID = "b" })}, "0 0 0 1"},
		{"one of the user with another client", []tokenkeep.Token{ann},
			[]tokenkeep.Token{with(func(t *tokenkeep.Token) { t.ID, t.ClientID = "b", "mobile" })}, "1 0 0 0"},
		{"two of one user in the source", []tokenkeep.Token{ann, with(func(t *tokenkeep.Token) { t.ID = "b" })}, nil, "0 0 0 2"},
		{"two with one ID in the source", []tokenkeep.Token{ann, with(func(t *tokenkeep.Token) { t.UserName = "bob" })}, nil, "0 0 0 2"},
		{"a nameless one of the same refresh token", []tokenkeep.Token{nameless}, []tokenkeep.Token{{ID: "m", RefreshToken: "r1"}}, "0 0 0 1"},
		{"a nameless one that was refreshed", []tokenkeep.Token{nameless}, []tokenkeep.Token{{ID: "n", RefreshToken: "r2"}}, "0 0 1 0"},
		{"two nameless client credentials", []tokenkeep.Token{{ID: "x", ClientID: "c", ClientSecret: "s"}, {ID: "y", ClientID: "c", ClientSecret: "s"}},
			nil, "2 0 0 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := planTokens(tt.want, tt.have, room{})
			got := fmt.Sprintf("%d %d %d %d", len(p.todo), len(p.present), len(p.different), len(p.conflicts))
			if got != tt.outcome {
				t.Errorf("%s tokens to copy, present, different and in conflict; want %s", got, tt.outcome)
			}
		})
	}
}

func TestWithoutIDsTokensAreKnownByTheirIdentity(t *testing.T) {
	ann := tokenkeep.Token{ID: "a", UserName: "ann", ClientID: "web", RefreshToken: "r1"}
	with := func(change func(*tokenkeep.Token)) tokenkeep.Token {
		t := ann
		change(&t)
		return t
	}
	renumbered := with(func(t *tokenkeep.Token) { t.ID = "1" })
	nameless := tokenkeep.Token{ID: "n", RefreshToken: "r1"}
	tests := []struct {
		name       string
		want, have []tokenkeep.Token
		outcome    string // todo, present, different, conflicts
	}{
		{"nothing is there", []tokenkeep.Token{ann}, nil, "1 0 0 0"},
		{"the same under another ID", []tokenkeep.Token{ann}, []tokenkeep.Token{renumbered}, "0 1 0 0"},
		{"another user under the ID", []tokenkeep.Token{ann}, []tokenkeep.Token{with(func(t *tokenkeep.Token) { t.UserName = "bob" })}, "1 0 0 0"},
		{"the same user with another refresh token", []tokenkeep.Token{ann},
			[]tokenkeep.Token{with(func(t *tokenkeep.Token) { t.ID, t.RefreshToken = "1", "r2" })}, "0 0 1 0"},
		{"two of one user in the source", []tokenkeep.Token{ann, renumbered}, nil, "0 0 0 2"},
		{"two of one user in the source, one there", []tokenkeep.Token{ann, renumbered}, []tokenkeep.Token{ann}, "0 0 0 2"},
		{"two with one ID in the source", []tokenkeep.Token{ann, with(func(t *tokenkeep.Token) { t.UserName = "bob" })}, nil, "2 0 0 0"},
		{"a nameless one of the same refresh token", []tokenkeep.Token{nameless}, []tokenkeep.Token{{ID: "7", RefreshToken: "r1"}}, "0 1 0 0"},
		{"a nameless one of another", []tokenkeep.Token{nameless}, []tokenkeep.Token{{ID: "n", RefreshToken: "r2"}}, "1 0 0 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := planTokens(tt.want, tt.have, room{drop: []string{"id"}, columns: true})
			got := fmt.Sprintf("%d %d %d %d", len(p.todo), len(p.present), len(p.different), len(p.conflicts))
			if got != tt.outcome || len(p.misfits.ids) > 0 {
				t.Errorf("%s tokens to copy, present, different and in conflict, %d misfits; want %s", got, len(p.misfits.ids), tt.outcome)
			}
		})
	}
}

func TestADifferenceNamesTheFields(t *testing.T) {
	ann := tokenkeep.Token{ID: "a", UserName: "ann", RefreshToken: "canary1", AccessToken: "canary2", ExpiresAt: time.Unix(1e9, 0)}
	fresh := ann
	fresh.AccessToken, fresh.ExpiresAt, fresh.Scopes = "canary3", time.Time{}, []string{"crm"}
	p := planTokens([]tokenkeep.Token{ann}, []tokenkeep.Token{fresh}, room{})
	if got, want := fmt.Sprint(p.different), `[token "a": access_token, expiry_time, scopes]`; got != want {
		t.Errorf("different: %s; want %s", got, want)
	}
	if p := planTokens([]tokenkeep.Token{ann}, []tokenkeep.Token{fresh}, room{drop: []string{"access_token", "scopes"}}); len(p.present) != 1 {
		t.Errorf("different where the fields are not to be copied: %v; want none", p.different)
	}
}

func TestATargetOfColumnsGetsWhatItHasColumnsFor(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_007_008, time.UTC)
	plain := tokenkeep.Token{ID: "1", UserName: "ann", RefreshToken: "r", AccessToken: "a", ExpiresAt: at}
	with := func(id string, change func(*tokenkeep.Token)) tokenkeep.Token {
		t := plain
		t.ID, t.UserName = id, "user "+id
		change(&t)
		return t
	}
	tokens := []tokenkeep.Token{
		plain,
		with("2", func(t *tokenkeep.Token) { t.Scopes = []string{"crm"} }),
		with("3", func(t *tokenkeep.Token) { t.RefreshedAt = at }),
		with("4", func(t *tokenkeep.Token) { t.AccountsURL = "https://accounts.zoho.eu" }),
		with("5", func(t *tokenkeep.Token) { t.Extra = map[string]string{"a": "b"} }),
		with("6", func(t *tokenkeep.Token) { t.RefreshExpiresAt = at }),
		with("7", func(t *tokenkeep.Token) { t.Reauthorize = &tokenkeep.Reauthorize{Since: at, Reason: "x"} }),
		with("eight", func(*tokenkeep.Token) {}),
		with("09", func(*tokenkeep.Token) {}),
		with("1234567890123456", func(*tokenkeep.Token) {}),
	}
	for _, url := range []string{"file:zoho.csv", "sqlite:zoho.db", "mysql://root@host/db"} {
		r := roomIn(url, []string{"redirect_url"})
		p := planTokens(tokens, nil, r)
		sent := r.sent(p.todo)
		if len(sent) != 1 || sent[0].ID != "1" || !sent[0].ExpiresAt.Equal(at.Truncate(time.Millisecond)) {
			t.Errorf("to %s are copied %v; want the first with an expiry in milliseconds", url, sent)
		}
		said := fmt.Sprint(p.misfits.errors([]string{"redirect_url"}))
		for _, want := range []string{
			`3 tokens not copied, the first is "eight"`, "decimal number", `6 tokens not copied, the first is "2"`,
			"--drop-fields accounts_url,extra,reauthorize,refresh_expiry_time,refreshed_at,scopes,redirect_url:",
		} {
			if !strings.Contains(said, want) {
				t.Errorf("to %s the errors are %s; want one with %q", url, said, want)
			}
		}
		if len(p.misfits.ids) != 9 {
			t.Errorf("to %s %q do not fit; want nine", url, p.misfits.ids)
		}
		if p := planTokens(tokens[:7], nil, roomIn(url, noColumn)); len(p.todo) != 7 {
			t.Errorf("to %s fit %d tokens without the fields; want 7", url, len(p.todo))
		}
		if p := planTokens(tokens[:1], sent, roomIn(url, nil)); len(p.present) != 1 {
			t.Errorf("in %s the same token with an expiry in milliseconds is not taken for it", url)
		}
	}
	if p := planTokens(tokens, nil, roomIn("vault:///crm", nil)); len(p.todo) != len(tokens) {
		t.Errorf("%d tokens are copied to a secrets manager; want %d", len(p.todo), len(tokens))
	}
	if p := planTokens(tokens[:1], []tokenkeep.Token{with("1", func(t *tokenkeep.Token) {
		t.UserName, t.ExpiresAt = "ann", at.Truncate(time.Millisecond)
	})}, roomIn("vault:///crm", nil)); len(p.different) != 1 {
		t.Error("an expiry cut to milliseconds is no difference in a secrets manager; want one")
	}
}

func TestEveryFieldWithoutAColumnCanBeDropped(t *testing.T) {
	for _, field := range noColumn {
		if droppable[field] == nil {
			t.Errorf("%s cannot be dropped", field)
		}
	}
	if !slices.IsSorted(noColumn) {
		t.Error("the fields are not in order")
	}
	if err := checkDrop([]string{"scopes", "user_name"}); !errors.Is(err, errUsage) {
		t.Errorf("error %v of the user's name; want errUsage", err)
	}
}
