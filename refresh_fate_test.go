package tokenkeep

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var fateNames = map[fate]string{stores: "stored", yields: "dropped", lost: "dropped, and the refresh token lost"}

// checkFates checks what becomes of an answer on each record.
func checkFates(t *testing.T, tests []fateCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.stored.fateOf(tt.answer); got != tt.want {
				t.Errorf("the answer is %s, want it %s", fateNames[got], fateNames[tt.want])
			}
		})
	}
}

type fateCase struct {
	name   string
	stored record
	answer answer
	want   fate
}

func TestRefreshAnOlderAccessTokenNeverLandsOnANewer(t *testing.T) {
	r1 := rowOf(t, login1)
	second := committed(r1, given(2, "r1", ""))
	client := rowOf(t, Token{UserName: "a", ClientID: "c", ClientSecret: "s"})
	checkFates(t, []fateCase{
		{"the first answer", r1, given(1, "r1", ""), stores},
		{"a newer lease's answer", second, given(3, "r1", ""), stores},
		{"an older lease's answer", second, given(1, "r1", ""), yields},
		{"the answer that is stored", second, given(2, "r1", ""), yields},
		{"an older one, as another has taken a lease since", second.take("x", t1), given(1, "r1", ""), yields},
		{"a newer one, as another has taken a lease since", r1.take("x", t1).take("y", t1), given(1, "r1", ""), stores},
		{"an older one that repeats the refresh token", second, given(1, "r1", "r1"), yields},
		{"a newer one that repeats the refresh token", second, given(3, "r1", "r1"), stores},
		{"an older one, with a login's grant token beside", second.save(Token{GrantToken: "g1"}), given(1, "r1", ""), yields},
		{"a newer one, with a login's grant token beside", second.save(Token{GrantToken: "g1"}), given(3, "r1", ""), stores},
		{"after a login", r1.save(login2), given(1, "r1", ""), yields},
		{"the client's own, first", client, given(1, "", ""), stores},
		{"the client's own, older", committed(client, given(2, "", "")), given(1, "", ""), yields},
		{"the client's own, newer", committed(client, given(2, "", "")), given(3, "", ""), stores},
		{"the client's own, after a login", client.save(login1), given(1, "", ""), yields},
		{"the client's own, after a login's grant token", client.save(Token{GrantToken: "g1"}), given(1, "", ""), yields},
	})
}

func TestRefreshOfTwoAnswersForOneCredentialTheNewerStays(t *testing.T) {
	r1 := rowOf(t, login1)
	g1 := rowOf(t, Token{GrantToken: "g1"})
	checkFates(t, []fateCase{
		{"a newer lease's sibling", committed(r1, given(1, "r1", "r2")), given(2, "r1", "r3"), stores},
		{"an older lease's sibling", committed(r1, given(2, "r1", "r3")), given(1, "r1", "r2"), yields},
		{"a newer lease's, which is the same", committed(r1, given(1, "r1", "r2")), given(2, "r1", "r2"), stores},
		{"an older lease's, which is the same", committed(r1, given(2, "r1", "r2")), given(1, "r1", "r2"), yields},
		{"a newer one, with a login's grant token beside", committed(r1, given(1, "r1", "r2")).save(Token{GrantToken: "g1"}), given(2, "r1", "r3"), stores},
		{"a newer one, after an update of another field", committed(r1, given(1, "r1", "r2")).save(Token{RedirectURL: "u"}), given(2, "r1", "r3"), stores},
		{"a newer one, after a login", committed(r1, given(1, "r1", "r2")).save(Token{RefreshToken: "r5"}), given(2, "r1", "r3"), lost},
		{"a newer exchange", committed(g1, given(1, "g1", "r2")), given(2, "g1", "r3"), stores},
		{"an older exchange", committed(g1, given(2, "g1", "r3")), given(1, "g1", "r2"), yields},
		{"an older exchange without refresh token", committed(g1, given(2, "g1", "")), given(1, "g1", ""), yields},
		{"a newer exchange without refresh token", committed(g1, given(1, "g1", "")), given(2, "g1", ""), stores},
	})
}

func TestRefreshKeepsARotatedTokenWhoeverHoldsTheLease(t *testing.T) {
	r1 := rowOf(t, login1)
	checkFates(t, []fateCase{
		{"the holder's", r1.take("x", t1), given(1, "r1", "r2"), stores},
		{"another has stolen the lease", r1.take("x", t1).take("y", t1), given(1, "r1", "r2"), stores},
		{"the lease is free", r1.take("x", t1).release("x"), given(1, "r1", "r2"), stores},
		{"another field was saved", r1.take("x", t1).save(Token{RedirectURL: "u"}), given(1, "r1", "r2"), stores},
		{"another process failed", r1.take("x", t1).take("y", t1).cool(&RefreshError{Failure: Transient}, t1, 0), given(1, "r1", "r2"), stores},
		{"another process was refused", r1.take("x", t1).take("y", t1).refuse(t1), given(1, "r1", "r2"), stores},
		{"a login's grant token lies beside it", r1.take("x", t1).save(Token{GrantToken: "g1"}), given(1, "r1", "r2"), stores},
		{"an exchange", rowOf(t, Token{GrantToken: "g1"}), given(1, "g1", "r2"), stores},
		{"an exchange without refresh token", rowOf(t, Token{GrantToken: "g1"}), given(1, "g1", ""), stores},
		{"an exchange beside an older refresh token", rowOf(t, login1, Token{GrantToken: "g1"}), given(1, "g1", "r2"), stores},
	})
}

func TestRefreshOfWhoeverWasFasterStays(t *testing.T) {
	r1 := rowOf(t, login1)
	further := committed(r1, given(1, "r1", "r2"), given(2, "r2", "r3"))
	checkFates(t, []fateCase{
		{"two rotations, and this answer was the first of them", further, given(1, "r1", "r2"), yields},
		{"two rotations, and this answer is none of them", further, given(3, "r1", "r9"), lost},
		{"two rotations, and this older answer brings the last", further, given(1, "r1", "r3"), yields},
		{"a login", r1.save(login2), given(1, "r1", "r9"), lost},
		{"a login that brought the very refresh token", r1.save(login2), given(1, "r1", "r2"), stores},
		{"a login that replaced it", r1.save(Token{RefreshToken: "r9"}).save(login2), given(1, "r1", "r9"), yields},
		{"a login, of an exchange under way", rowOf(t, Token{GrantToken: "g1"}).save(Token{GrantToken: "g2"}), given(1, "g1", "r9"), lost},
		{"nothing was rotated", r1.save(login2), given(1, "r1", ""), yields},
	})
}

// commits are what becomes of records on which answers are stored.
var commits = []struct {
	name    string
	saves   []Token
	answers []answer
	want    Token // but for the times
	memory
}{
	{"the refresh token is rotated", []Token{login1}, []answer{given(1, "r1", "r2")}, Token{RefreshToken: "r2", AccessToken: "A1"}, memory{SpentSaved: []string{"r1"}}},
	{"it is rotated twice", []Token{login1}, []answer{given(1, "r1", "r2"), given(2, "r2", "r3")},
		Token{RefreshToken: "r3", AccessToken: "A2"}, memory{Spent: []string{"r2"}, SpentSaved: []string{"r1"}}},
	{"it stays", []Token{login1}, []answer{given(1, "r1", "")}, Token{RefreshToken: "r1", AccessToken: "A1"}, memory{Saved: []string{"r1"}}},
	{"it is repeated", []Token{login1}, []answer{given(1, "r1", "r1")}, Token{RefreshToken: "r1", AccessToken: "A1"}, memory{Saved: []string{"r1"}}},
	{"one that was spent is given again", []Token{login1}, []answer{given(1, "r1", "r2"), given(2, "r2", "r1")},
		Token{RefreshToken: "r1", AccessToken: "A2"}, memory{Spent: []string{"r2"}}},
	{"a sibling takes its place", []Token{login1}, []answer{given(1, "r1", "r2"), given(2, "r1", "r3")},
		Token{RefreshToken: "r3", AccessToken: "A2"}, memory{Spent: []string{"r2"}, SpentSaved: []string{"r1"}}},
	{"a grant token is exchanged, and removed", []Token{{GrantToken: "g1"}}, []answer{given(1, "g1", "r1")},
		Token{RefreshToken: "r1", AccessToken: "A1"}, memory{SpentSaved: []string{"g1"}}},
	{"a grant token is exchanged beside an older refresh token", []Token{login1, {GrantToken: "g1"}}, []answer{given(1, "g1", "r2")},
		Token{RefreshToken: "r2", AccessToken: "A1"}, memory{SpentSaved: []string{"g1", "r1"}}},
	{"a grant token is exchanged for an access token alone", []Token{login1, {GrantToken: "g1"}}, []answer{given(1, "g1", "")},
		Token{RefreshToken: "r1", AccessToken: "A1"}, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}}},
	{"a grant token that was exchanged elsewhere stays as it is", []Token{{GrantToken: "g1", RefreshToken: "r1"}}, []answer{given(1, "r1", "r2")},
		Token{GrantToken: "g1", RefreshToken: "r2", AccessToken: "A1"}, memory{SpentSaved: []string{"g1", "r1"}}},
	{"a login's grant token stays unspent", []Token{login1, {GrantToken: "g1"}}, []answer{given(1, "r1", "r2")},
		Token{GrantToken: "g1", RefreshToken: "r2", AccessToken: "A1"}, memory{Saved: []string{"g1"}, SpentSaved: []string{"r1"}}},
	{"a client gets its own", []Token{{UserName: "a", ClientID: "c", ClientSecret: "s"}}, []answer{given(1, "", "")},
		Token{UserName: "a", ClientID: "c", ClientSecret: "s", AccessToken: "A1"}, memory{}},
}

func TestRefreshCommits(t *testing.T) {
	for _, tt := range commits {
		t.Run(tt.name, func(t *testing.T) {
			r := rowOf(t, tt.saves[0], tt.saves[1:]...)
			for _, a := range tt.answers {
				r = r.take("x", t1).cool(&RefreshError{Failure: Transient}, t1, 0)
				r.Reauthorize, r.refresh.Refused = &Reauthorize{Since: t1}, digestOf(r.credential())
				r = keeping(t, r, func(r record) record { return r.commit(a, t1.Local()) })
			}
			last := tt.answers[len(tt.answers)-1]
			want := tt.want
			want.ExpiresAt, want.RefreshedAt = t2, t1
			checkRecord(t, r, want, tt.memory)
			if diff := cmp.Diff(refreshState{From: digestOf(last.spent), Last: last.number, Committed: last.number}, r.refresh); diff != "" {
				t.Errorf("what is remembered for the next refresh differs (-want +got):\n%s", diff)
			}
		})
	}
	late := committed(rowOf(t, login1).take("x", t1).take("y", t1), given(1, "r1", "r2"))
	if diff := cmp.Diff(refreshState{From: digestOf("r1"), Last: 2, Committed: 1}, late.refresh); diff != "" {
		t.Errorf("after the commit of a lease that was stolen (-want +got):\n%s", diff)
	}
}

func TestRefreshExpiriesStayWithTheirTokens(t *testing.T) {
	t3 := t2.Add(time.Hour)
	for _, tt := range []struct {
		name           string
		refresh        string
		expires        time.Time
		want           time.Time // of the refresh token
		accessExpires  time.Time
		wantAccessEnds time.Time
	}{
		{"a rotated token brings its own", "r2", t3, t3, t2, t2},
		{"a rotated token of unknown expiry has none", "r2", time.Time{}, time.Time{}, t2, t2},
		{"the same token keeps the known one", "r1", time.Time{}, t1, t2, t2},
		{"the same token takes a new one", "r1", t3, t3, t2, t2},
		{"no token keeps the known one", "", t3, t1, t2, t2},
		{"an access token of unknown expiry has none", "", time.Time{}, t1, time.Time{}, time.Time{}},
		{"times are stored in UTC", "r2", t3.Local(), t3, t2.Local(), t2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rowOf(t, Token{RefreshToken: "r1", RefreshExpiresAt: t1, AccessToken: "A0", ExpiresAt: t1})
			a := answer{Token{RefreshToken: tt.refresh, RefreshExpiresAt: tt.expires, AccessToken: "A1", ExpiresAt: tt.accessExpires}, "r1", 1}
			got := committed(r, a)
			if got.RefreshExpiresAt != tt.want || got.ExpiresAt != tt.wantAccessEnds {
				t.Errorf("the refresh token ends at %v and the access token at %v; want %v and %v", got.RefreshExpiresAt, got.ExpiresAt, tt.want, tt.wantAccessEnds)
			}
		})
	}
}

func TestRefreshLearnsTheAPIDomainOnce(t *testing.T) {
	named := func(domain string) answer { return answer{Token{AccessToken: "A1", APIDomain: domain}, "r1", 1} }
	r := rowOf(t, Token{UserName: "a", RefreshToken: "r1"})
	known := rowOf(t, Token{UserName: "a", RefreshToken: "r1", APIDomain: "us"})
	for _, tt := range []struct {
		name          string
		r             record
		stored, shown string
	}{
		{"an answer without one", committed(r, named("")), "", ""},
		{"the first that names one", committed(r, named(""), named("eu")), "", "eu"},
		{"a later one that names another", committed(r, named("eu"), named("in"), named("")), "", "eu"},
		{"a save had brought one", committed(known, named("eu")), "us", "us"},
		{"a save brings one later", committed(r, named("eu")).save(Token{APIDomain: "us"}), "us", "us"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.r.APIDomain != tt.stored || tt.r.shown().APIDomain != tt.shown {
				t.Errorf("identity has %q, readers see %q; want %q and %q", tt.r.APIDomain, tt.r.shown().APIDomain, tt.stored, tt.shown)
			}
			if tt.shown != "" && (!tt.r.mayBe(Token{UserName: "a", APIDomain: tt.shown}) || tt.r.mayBe(Token{UserName: "a", APIDomain: "jp"})) {
				t.Errorf("a query with another API domain must not mean it, and one with %q must", tt.shown)
			}
		})
	}
}
