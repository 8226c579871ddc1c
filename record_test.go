package tokenkeep

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	t1 = time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	t2 = t1.Add(time.Hour)
)

// readable returns the fields of a token for a diff that shows them.
func readable(t Token) map[string]any {
	encoded, err := EncodeToken(t)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	var fields map[string]any
	if err := json.Unmarshal(encoded, &fields); err != nil {
		return map[string]any{"error": err.Error()}
	}
	return fields
}

// memory is what a record remembers beside its token, with the credentials for their digests.
type memory struct{ Saved, Spent, SpentSaved, Replaced []string }

func memoryOf(r record) memory {
	names := func(list []digest) []string {
		var found []string
		for _, d := range list {
			name := "?"
			for _, kind := range []string{"g", "r", "A"} {
				for i := range 100 {
					if credential := fmt.Sprint(kind, i); digestOf(credential) == d {
						name = credential
					}
				}
			}
			found = append(found, name)
		}
		return found
	}
	return memory{names(r.saved), names(r.spent), names(r.spentSaved), names(r.replaced)}
}

func numbered(kind string, from, to int) []string {
	var names []string
	for i := from; i <= to; i++ {
		names = append(names, fmt.Sprint(kind, i))
	}
	return names
}

func checkRecord(t *testing.T, got record, token Token, remembered memory) {
	t.Helper()
	if diff := cmp.Diff(readable(token), readable(got.Token)); diff != "" {
		t.Errorf("the token differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(remembered, memoryOf(got)); diff != "" {
		t.Errorf("what is remembered differs (-want +got):\n%s", diff)
	}
}

func TestANewRecordNeedsACredential(t *testing.T) {
	for _, tt := range []struct {
		name    string
		token   Token
		wantErr error
	}{
		{"a grant token is enough", Token{GrantToken: "g1"}, nil},
		{"a refresh token is enough", Token{RefreshToken: "r1"}, nil},
		{"an access token is enough", Token{AccessToken: "A1"}, nil},
		{"a client with a user is enough", Token{UserName: "a", ClientID: "c", ClientSecret: "s"}, nil},
		{"a client with an ID is enough", Token{ID: "1", ClientID: "c", ClientSecret: "s"}, nil},
		{"a client alone is not", Token{ClientID: "c", ClientSecret: "s"}, ErrIncomplete},
		{"a client without secret is not", Token{ID: "1", UserName: "a", ClientID: "c"}, ErrIncomplete},
		{"a secret without client is not", Token{ID: "1", UserName: "a", ClientSecret: "s"}, ErrIncomplete},
		{"a user alone is not", Token{UserName: "a"}, ErrIncomplete},
		{"an ID alone is not", Token{ID: "1"}, ErrIncomplete},
		{"expiries are not", Token{ID: "1", UserName: "a", ExpiresAt: t1, RefreshExpiresAt: t1}, ErrIncomplete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := newRecord(tt.token); !errors.Is(err, tt.wantErr) {
				t.Errorf("newRecord(%v): error %v, want %v", tt.token, err, tt.wantErr)
			}
		})
	}
}

func TestANewRecordTakesEverything(t *testing.T) {
	why := &Reauthorize{Since: t1, Reason: "x"}
	token := Token{
		ID: "1", UserName: "a", ClientID: "c", ClientSecret: "s", RedirectURL: "u", GrantToken: "g1", RefreshToken: "r1", RefreshExpiresAt: t1,
		AccessToken: "A1", ExpiresAt: t2, RefreshedAt: t1, APIDomain: "eu", AccountsURL: "acc", Scopes: []string{"x"},
		Extra: map[string]string{"k": "v"}, Reauthorize: why,
	}
	checkRecord(t, rowOf(t, token), token, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}})
}

// mergedInto is what each save of saveMerges goes to.
var mergedInto = Token{
	ID: "1", UserName: "a", ClientID: "c", ClientSecret: "s", RedirectURL: "u", RefreshToken: "r1", RefreshExpiresAt: t1, AccessToken: "A1", ExpiresAt: t1,
	RefreshedAt: t1, APIDomain: "eu", AccountsURL: "acc", Scopes: []string{"x", "y"}, Extra: map[string]string{"k": "v", "l": "w"},
	Reauthorize: &Reauthorize{Since: t1, Reason: "x"},
}

var saveMerges = []struct {
	name string
	save Token
	want func(t *Token)
}{
	{"nothing changes nothing", Token{}, func(*Token) {}},
	{"empty collections change nothing", Token{Scopes: []string{}, Extra: map[string]string{"k": "", "new": ""}}, func(*Token) {}},
	{"another ID changes nothing", Token{ID: "2"}, func(*Token) {}},
	{"plain fields are replaced", Token{UserName: "b", ClientID: "d", ClientSecret: "t", RedirectURL: "v", APIDomain: "us", AccountsURL: "acc2"},
		func(t *Token) {
			t.UserName, t.ClientID, t.ClientSecret, t.RedirectURL, t.APIDomain, t.AccountsURL = "b", "d", "t", "v", "us", "acc2"
		}},
	{"scopes are replaced whole", Token{Scopes: []string{"z"}}, func(t *Token) { t.Scopes = []string{"z"} }},
	{"extra is replaced key by key", Token{Extra: map[string]string{"k": "2", "m": "3", "l": ""}},
		func(t *Token) { t.Extra = map[string]string{"k": "2", "l": "w", "m": "3"} }},
	{"what a refresh writes is ignored", Token{RefreshedAt: t2, Reauthorize: &Reauthorize{Since: t2, Reason: "y"}}, func(*Token) {}},
	{"another access token takes its expiry along", Token{AccessToken: "A2", ExpiresAt: t2}, func(t *Token) { t.AccessToken, t.ExpiresAt = "A2", t2 }},
	{"another access token without expiry has none", Token{AccessToken: "A2"}, func(t *Token) { t.AccessToken, t.ExpiresAt = "A2", time.Time{} }},
	{"the same access token keeps the known expiry", Token{AccessToken: "A1"}, func(*Token) {}},
	{"the same access token takes another expiry", Token{AccessToken: "A1", ExpiresAt: t2}, func(t *Token) { t.ExpiresAt = t2 }},
	{"expiries alone are ignored", Token{ExpiresAt: t2, RefreshExpiresAt: t2}, func(*Token) {}},
	{"another refresh token takes its expiry along and clears Reauthorize", Token{RefreshToken: "r2", RefreshExpiresAt: t2},
		func(t *Token) { t.RefreshToken, t.RefreshExpiresAt, t.Reauthorize = "r2", t2, nil }},
	{"another refresh token without expiry has none", Token{RefreshToken: "r2"},
		func(t *Token) { t.RefreshToken, t.RefreshExpiresAt, t.Reauthorize = "r2", time.Time{}, nil }},
	{"the same refresh token keeps the known expiry", Token{RefreshToken: "r1"}, func(*Token) {}},
	{"the same refresh token takes another expiry", Token{RefreshToken: "r1", RefreshExpiresAt: t2}, func(t *Token) { t.RefreshExpiresAt = t2 }},
	{"a grant token keeps the refresh token and clears Reauthorize", Token{GrantToken: "g1"},
		func(t *Token) { t.GrantToken, t.Reauthorize = "g1", nil }},
	{"beside the stored refresh token an access token that ended earlier is ignored", Token{RefreshToken: "r1", AccessToken: "A0", ExpiresAt: t1.Add(-1)}, func(*Token) {}},
	{"one that ends at the same time is taken", Token{RefreshToken: "r1", AccessToken: "A2", ExpiresAt: t1}, func(t *Token) { t.AccessToken = "A2" }},
	{"one of unknown expiry is taken", Token{RefreshToken: "r1", AccessToken: "A2"}, func(t *Token) { t.AccessToken, t.ExpiresAt = "A2", time.Time{} }},
	{"without a refresh token one that ended earlier is taken", Token{AccessToken: "A2", ExpiresAt: t1.Add(-1)},
		func(t *Token) { t.AccessToken, t.ExpiresAt = "A2", t1.Add(-1) }},
	{"beside another refresh token one that ended earlier is taken", Token{RefreshToken: "r2", AccessToken: "A2", ExpiresAt: t1.Add(-1)},
		func(t *Token) {
			t.RefreshToken, t.RefreshExpiresAt, t.AccessToken, t.ExpiresAt, t.Reauthorize = "r2", time.Time{}, "A2", t1.Add(-1), nil
		}},
}

func TestASaveMerges(t *testing.T) {
	start := mergedInto
	for _, tt := range saveMerges {
		t.Run(tt.name, func(t *testing.T) {
			r := rowOf(t, start)
			want := start.clone()
			tt.want(&want)
			if diff := cmp.Diff(readable(want), readable(r.save(tt.save).Token)); diff != "" {
				t.Errorf("after the save (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(readable(start), readable(r.Token)); diff != "" {
				t.Errorf("the save changed the record that it started from (-want +got):\n%s", diff)
			}
		})
	}
	unknown := start
	unknown.ExpiresAt = time.Time{}
	got := rowOf(t, unknown).save(Token{RefreshToken: "r1", AccessToken: "A2", ExpiresAt: t1})
	if got.AccessToken != "A2" {
		t.Errorf("where no expiry is known, the access token of a save is ignored")
	}
}

// Two logins.
var (
	login1 = Token{RefreshToken: "r1", AccessToken: "A1"}
	login2 = Token{RefreshToken: "r2", AccessToken: "A2"}
)

var savesRemembered = []struct {
	name    string
	rotated bool // a refresh put r5 in the place of the first save's r1
	saves   []Token
	want    Token
	memory
}{
	{"a refresh token is saved", false, []Token{login1}, login1, memory{Saved: []string{"r1"}}},
	{"a refresh token that a save replaced is remembered", false, []Token{login1, login2}, login2, memory{Saved: []string{"r2"}, Replaced: []string{"r1"}}},
	{"a replaced one is ignored with its access token", false, []Token{login1, login2, login1}, login2, memory{Saved: []string{"r2"}, Replaced: []string{"r1"}}},
	{"the rest of such a save is applied", false, []Token{login1, login2, {RefreshToken: "r1", RedirectURL: "u"}},
		Token{RefreshToken: "r2", AccessToken: "A2", RedirectURL: "u"}, memory{Saved: []string{"r2"}, Replaced: []string{"r1"}}},
	{"a spent one is ignored with its access token", true, []Token{login1, login1},
		Token{RefreshToken: "r5", AccessToken: "A1"}, memory{SpentSaved: []string{"r1"}}},
	{"a spent one beside a new grant token leaves the access token", true, []Token{login1, {GrantToken: "g1", RefreshToken: "r1", AccessToken: "A9"}},
		Token{GrantToken: "g1", RefreshToken: "r5", AccessToken: "A9"}, memory{Saved: []string{"g1"}, SpentSaved: []string{"r1"}}},
	{"a login replaces what a refresh brought", true, []Token{login1, login2},
		login2, memory{Saved: []string{"r2"}, SpentSaved: []string{"r1"}, Replaced: []string{"r5"}}},
	{"a grant token is saved", false, []Token{{GrantToken: "g1"}}, Token{GrantToken: "g1"}, memory{Saved: []string{"g1"}}},
	{"a grant token with a refresh token is spent at once and kept", false, []Token{{GrantToken: "g1", RefreshToken: "r1"}},
		Token{GrantToken: "g1", RefreshToken: "r1"}, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}}},
	{"a refresh token that comes with the stored grant token spends it", false, []Token{{GrantToken: "g1"}, {GrantToken: "g1", RefreshToken: "r1"}},
		Token{GrantToken: "g1", RefreshToken: "r1"}, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}}},
	{"a new grant token alone keeps the refresh token and is not spent", false, []Token{login1, {GrantToken: "g1"}},
		Token{GrantToken: "g1", RefreshToken: "r1", AccessToken: "A1"}, memory{Saved: []string{"r1", "g1"}}},
	{"a new grant token beside the stored refresh token is not spent", false, []Token{login1, {GrantToken: "g1", RefreshToken: "r1"}},
		Token{GrantToken: "g1", RefreshToken: "r1", AccessToken: "A1"}, memory{Saved: []string{"r1", "g1"}}},
	{"a spent grant token is ignored with its access token", false, []Token{{GrantToken: "g1", RefreshToken: "r1"}, {GrantToken: "g1", AccessToken: "A9"}},
		Token{GrantToken: "g1", RefreshToken: "r1"}, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}}},
	{"a grant token that another replaced unspent is remembered", false, []Token{{GrantToken: "g1"}, {GrantToken: "g2"}, {GrantToken: "g1"}},
		Token{GrantToken: "g2"}, memory{Saved: []string{"g2"}, Replaced: []string{"g1"}}},
	{"a spent grant token that another replaces stays spent only", false, []Token{{GrantToken: "g1", RefreshToken: "r1"}, {GrantToken: "g2"}},
		Token{GrantToken: "g2", RefreshToken: "r1"}, memory{Saved: []string{"r1", "g2"}, SpentSaved: []string{"g1"}}},
	{"old grant and refresh token together are both ignored", false, []Token{{GrantToken: "g1", RefreshToken: "r1"}, login2, {GrantToken: "g1", RefreshToken: "r1", AccessToken: "A9"}},
		Token{GrantToken: "g1", RefreshToken: "r2", AccessToken: "A2"}, memory{Saved: []string{"r2"}, SpentSaved: []string{"g1"}, Replaced: []string{"r1"}}},
	{"the stored refresh token beside an old grant token keeps the access token", false, []Token{{GrantToken: "g1", RefreshToken: "r1"}, {GrantToken: "g1", RefreshToken: "r1", AccessToken: "A9"}},
		Token{GrantToken: "g1", RefreshToken: "r1", AccessToken: "A9"}, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}}},
}

func TestASaveRemembersCredentials(t *testing.T) {
	for _, tt := range savesRemembered {
		t.Run(tt.name, func(t *testing.T) {
			var r record
			for i, save := range tt.saves {
				r = r.save(save)
				if i == 0 && tt.rotated {
					r = spending(r, "r5")
				}
			}
			checkRecord(t, r, tt.want, tt.memory)
		})
	}
}

func TestARecordRemembersOnlySoMuch(t *testing.T) {
	r := rowOf(t, Token{UserName: "a", RefreshToken: "r0"})
	for _, refresh := range numbered("r", 1, 20) {
		r = r.save(Token{RefreshToken: refresh})
	}
	checkRecord(t, r, Token{UserName: "a", RefreshToken: "r20"}, memory{Saved: []string{"r20"}, Replaced: numbered("r", 5, 19)})
	if got := r.save(Token{RefreshToken: "r4"}); got.RefreshToken != "r4" {
		t.Errorf("a refresh token replaced 16 saves ago is still ignored")
	}
	if got := r.save(Token{RefreshToken: "r5"}); got.RefreshToken != "r20" {
		t.Errorf("a refresh token replaced 15 saves ago is not ignored")
	}

	for i := range 60 {
		r = r.save(Token{GrantToken: fmt.Sprint("g", i), RefreshToken: fmt.Sprint("r", 30+i)})
	}
	if got := memoryOf(r).SpentSaved; !slices.Equal(got, numbered("g", 10, 59)) {
		t.Errorf("the grant tokens remembered are %v, want the last 50 of 60", got)
	}
}

func TestFillAnswersALookUp(t *testing.T) {
	stored := Token{
		ID: "1", UserName: "a", ClientID: "c", GrantToken: "g1", RefreshToken: "r1", RefreshExpiresAt: t1, AccessToken: "A1", ExpiresAt: t1,
		RefreshedAt: t1, Scopes: []string{"x"}, Extra: map[string]string{"k": "v"}, Reauthorize: &Reauthorize{Since: t1, Reason: "x"},
	}
	for _, tt := range []struct {
		name  string
		query Token
		want  func(t *Token)
	}{
		{"the stored fields fill the blanks", Token{}, func(*Token) {}},
		{"the query's fields win", Token{UserName: "b", ClientID: "d", RedirectURL: "u", APIDomain: "eu", AccountsURL: "acc", ClientSecret: "s"},
			func(t *Token) {
				t.UserName, t.ClientID, t.RedirectURL, t.APIDomain, t.AccountsURL, t.ClientSecret = "b", "d", "u", "eu", "acc", "s"
			}},
		{"the ID is the stored one", Token{ID: "2"}, func(*Token) {}},
		{"scopes win whole and extra key by key", Token{Scopes: []string{"y"}, Extra: map[string]string{"l": "w", "k": ""}},
			func(t *Token) { t.Scopes, t.Extra = []string{"y"}, map[string]string{"k": "v", "l": "w"} }},
		{"what a refresh writes is the stored one", Token{RefreshedAt: t2, Reauthorize: &Reauthorize{Since: t2}}, func(*Token) {}},
		{"another access token does not meet the stored expiry", Token{AccessToken: "A2"}, func(t *Token) { t.AccessToken, t.ExpiresAt = "A2", time.Time{} }},
		{"another access token keeps its expiry", Token{AccessToken: "A2", ExpiresAt: t2}, func(t *Token) { t.AccessToken, t.ExpiresAt = "A2", t2 }},
		{"the same access token takes the known expiry", Token{AccessToken: "A1"}, func(*Token) {}},
		{"an expiry alone is ignored", Token{ExpiresAt: t2, RefreshExpiresAt: t2}, func(*Token) {}},
		{"another refresh token does not meet the stored expiry", Token{RefreshToken: "r2"}, func(t *Token) { t.RefreshToken, t.RefreshExpiresAt = "r2", time.Time{} }},
		{"the same refresh token takes the known expiry", Token{RefreshToken: "r1"}, func(*Token) {}},
		{"another grant token wins", Token{GrantToken: "g2"}, func(t *Token) { t.GrantToken = "g2" }},
		{"beside a spent grant token the stored credentials win", Token{GrantToken: "g1", RefreshToken: "r2", AccessToken: "A2", RedirectURL: "u"},
			func(t *Token) { t.RedirectURL = "u" }},
		{"beside a spent refresh token the stored credentials win", Token{RefreshToken: "r0", AccessToken: "A0", ExpiresAt: t2}, func(*Token) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rowOf(t, stored)
			r.spent = []digest{digestOf("r0")}
			want := stored.clone()
			tt.want(&want)
			if diff := cmp.Diff(readable(want), readable(r.fill(tt.query))); diff != "" {
				t.Errorf("the answer differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUpdateStoresWholeAndCountsAsASave(t *testing.T) {
	why, other := &Reauthorize{Since: t1, Reason: "x"}, &Reauthorize{Since: t2, Reason: "y"}
	start := rowOf(t, Token{ID: "1", UserName: "a", RefreshToken: "r1", Reauthorize: why}).save(Token{RefreshToken: "r2"})
	start.Reauthorize = why
	for _, tt := range []struct {
		name string
		next Token
		want Token // of Reauthorize; the rest is stored whole
		memory
	}{
		{"fields can be cleared", Token{ID: "1"}, Token{}, memory{Replaced: []string{"r1"}}},
		{"the same refresh token keeps Reauthorize", Token{ID: "1", RefreshToken: "r2", Reauthorize: why}, Token{Reauthorize: why},
			memory{Saved: []string{"r2"}, Replaced: []string{"r1"}}},
		{"Reauthorize can be cleared", Token{ID: "1", RefreshToken: "r2"}, Token{}, memory{Saved: []string{"r2"}, Replaced: []string{"r1"}}},
		{"Reauthorize can be set", Token{ID: "1", RefreshToken: "r2", Reauthorize: other}, Token{Reauthorize: other}, memory{Saved: []string{"r2"}, Replaced: []string{"r1"}}},
		{"another refresh token clears Reauthorize and is saved", Token{ID: "1", RefreshToken: "r3", Reauthorize: why}, Token{},
			memory{Saved: []string{"r3"}, Replaced: []string{"r1", "r2"}}},
		{"another grant token clears Reauthorize and is saved", Token{ID: "1", GrantToken: "g1", RefreshToken: "r2", Reauthorize: why}, Token{},
			memory{Saved: []string{"r2", "g1"}, Replaced: []string{"r1"}}},
		{"another refresh token beside a grant token spends that", Token{ID: "1", GrantToken: "g1", RefreshToken: "r3", Reauthorize: why}, Token{},
			memory{Saved: []string{"r3"}, SpentSaved: []string{"g1"}, Replaced: []string{"r1", "r2"}}},
		{"an old refresh token is not ignored", Token{ID: "1", RefreshToken: "r1", AccessToken: "A9", ExpiresAt: t1}, Token{},
			memory{Saved: []string{"r1"}, Replaced: []string{"r2"}}},
		{"expiries are stored whole", Token{ID: "1", RefreshToken: "r2", ExpiresAt: t1, RefreshExpiresAt: t2, RefreshedAt: t1}, Token{},
			memory{Saved: []string{"r2"}, Replaced: []string{"r1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.next
			want.Reauthorize = tt.want.Reauthorize
			checkRecord(t, start.update(tt.next), want, tt.memory)
		})
	}
}

func TestAnUpdateToAUsedUpGrantTokenCounts(t *testing.T) {
	r := rowOf(t, Token{UserName: "a", GrantToken: "g1", RefreshToken: "r1"}, Token{GrantToken: "g2"})
	want := Token{UserName: "a", GrantToken: "g1", RefreshToken: "r1"}
	checkRecord(t, r.update(want), want, memory{Saved: []string{"r1", "g1"}, Replaced: []string{"g2"}})
}

func TestATokenThatLosesItsUserGoesByItsCredential(t *testing.T) {
	r := rowOf(t, Token{ID: "1", UserName: "a", RefreshToken: "r1"})
	got := r.update(Token{ID: "1", RefreshToken: "r1"}).identity()
	if want := (Token{RefreshToken: "r1"}).identity(); !got.equal(want) {
		t.Errorf("without its user the token has the identity %+v, want %+v", got, want)
	}
}
