package tokenkeep

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// given returns what the provider gave for a credential, under the lease with this number.
func given(number uint64, spent, refresh string) answer {
	return answer{Token: Token{AccessToken: fmt.Sprint("A", number), ExpiresAt: t2, RefreshToken: refresh}, spent: spent, number: number}
}

// committed returns the record after answers were stored on it.
func committed(r record, answers ...answer) record {
	for _, a := range answers {
		r = r.commit(a, t1)
	}
	return r
}

// keeping fails the test if a function changes the record that it is called on.
func keeping(t *testing.T, r record, f func(record) record) record {
	t.Helper()
	before := string(encoded(t, r))
	next := f(r)
	if after := string(encoded(t, r)); after != before {
		t.Errorf("the record that it started from changed from %s to %s", before, after)
	}
	return next
}

func TestRefreshSpendsAnUnspentGrantTokenFirst(t *testing.T) {
	for _, tt := range []struct {
		name   string
		r      record
		want   string
		asking Token // of the grant and the refresh token
	}{
		{"a refresh token", rowOf(t, login1), "r1", Token{RefreshToken: "r1"}},
		{"a grant token", rowOf(t, Token{GrantToken: "g1"}), "g1", Token{GrantToken: "g1"}},
		{"a login's grant token beside an older refresh token", rowOf(t, login1, Token{GrantToken: "g1"}), "g1", Token{GrantToken: "g1", RefreshToken: "r1"}},
		{"a grant token that was exchanged elsewhere", rowOf(t, Token{GrantToken: "g1", RefreshToken: "r1"}), "r1", Token{RefreshToken: "r1"}},
		{"a grant token that was refused", rowOf(t, login1, Token{GrantToken: "g1"}).refuse(t1), "r1", Token{RefreshToken: "r1"}},
		{"a refresh token that an exchange brought", committed(rowOf(t, Token{GrantToken: "g1"}), given(1, "g1", "r1")), "r1", Token{RefreshToken: "r1"}},
		{"the client's own", rowOf(t, Token{UserName: "a", ClientID: "c", ClientSecret: "s"}), "", Token{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asking := tt.r.asking()
			if got := tt.r.credential(); got != tt.want || asking.GrantToken != tt.asking.GrantToken || asking.RefreshToken != tt.asking.RefreshToken {
				t.Errorf("spends %q, shows the provider grant %q and refresh %q; want %q, %q and %q",
					got, asking.GrantToken, asking.RefreshToken, tt.want, tt.asking.GrantToken, tt.asking.RefreshToken)
			}
			want := tt.r.Token
			asking.GrantToken = want.GrantToken
			if diff := cmp.Diff(readable(want), readable(asking)); diff != "" {
				t.Errorf("what is shown to the provider differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefreshStopsOnlyForTheCredentialThatWasRefused(t *testing.T) {
	refused := rowOf(t, login1).refuse(t1)
	other := refused.clone()
	other.RefreshToken = "r2"
	retried := refused.clone()
	retried.Reauthorize = nil
	for _, tt := range []struct {
		name string
		r    record
		want bool
	}{
		{"nothing was refused", rowOf(t, login1), false},
		{"the one that is held", refused, true},
		{"another one", other, false},
		{"a record that was imported with Reauthorize", rowOf(t, Token{RefreshToken: "r1", Reauthorize: &Reauthorize{Since: t1}}), true},
		{"an operator took Reauthorize away", retried, false},
		{"the client's own", rowOf(t, Token{UserName: "a", ClientID: "c", ClientSecret: "s"}).refuse(t1), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.r.refused(); got != tt.want {
				t.Errorf("refused: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestLeaseIsTakenWithAHigherNumber(t *testing.T) {
	r := rowOf(t, login1)
	first := keeping(t, r, func(r record) record { return r.take("one", t1) })
	stolen := keeping(t, first, func(r record) record { return r.take("two", t2) })
	again := keeping(t, stolen.release("two"), func(r record) record { return r.take("one", t2.Local()) })
	for _, tt := range []struct {
		name string
		r    record
		want lease
	}{
		{"a first lease", first, lease{"one", t1, 1}}, {"a stolen one", stolen, lease{"two", t2, 2}}, {"one after a release", again, lease{"one", t2, 3}},
	} {
		if diff := cmp.Diff(refreshState{Lease: &tt.want, Last: tt.want.Number}, tt.r.refresh); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	late := committed(r.take("one", t1).take("two", t2), given(1, "r1", "r2"))
	if got := late.take("three", t2).refresh.Lease.Number; got != 3 {
		t.Errorf("after a late commit of the first of two leases, the next lease is number %d, want 3", got)
	}
}

func TestLeaseIsReleasedByItsHolderOnly(t *testing.T) {
	r := rowOf(t, login1).take("one", t1)
	mine := keeping(t, r, func(r record) record { return r.release("one") })
	theirs := keeping(t, r, func(r record) record { return r.release("two") })
	if mine.refresh.Lease != nil || mine.refresh.Last != 1 {
		t.Errorf("after its holder released it: %+v, want no lease and the number kept", mine.refresh)
	}
	if l := theirs.refresh.Lease; l == nil || l.Name != "one" {
		t.Errorf("after another released its own: lease %+v, want it untouched", l)
	}
	if free := rowOf(t, login1).release("one"); free.refresh.Lease != nil {
		t.Errorf("a release of nothing left the lease %+v", free.refresh.Lease)
	}
}

func TestRefreshRefusedForGood(t *testing.T) {
	why := &Reauthorize{Since: t1, Reason: string(Refused)}
	for _, tt := range []struct {
		name string
		r    record
		want Token
		memory
		refused string
	}{
		{"a refresh token needs a person", rowOf(t, Token{RefreshToken: "r1"}), Token{RefreshToken: "r1", Reauthorize: why}, memory{Saved: []string{"r1"}}, "r1"},
		{"a grant token alone needs a person", rowOf(t, Token{GrantToken: "g1"}), Token{GrantToken: "g1", Reauthorize: why}, memory{Saved: []string{"g1"}}, "g1"},
		{"a grant token beside a refresh token is used up", rowOf(t, Token{RefreshToken: "r1"}, Token{GrantToken: "g1"}),
			Token{GrantToken: "g1", RefreshToken: "r1"}, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}}, ""},
		{"and then the refresh token needs a person", rowOf(t, Token{RefreshToken: "r1"}, Token{GrantToken: "g1"}).refuse(t1),
			Token{GrantToken: "g1", RefreshToken: "r1", Reauthorize: why}, memory{Saved: []string{"r1"}, SpentSaved: []string{"g1"}}, "r1"},
		{"a client needs a person", rowOf(t, Token{UserName: "a", ClientID: "c", ClientSecret: "s"}),
			Token{UserName: "a", ClientID: "c", ClientSecret: "s", Reauthorize: why}, memory{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := keeping(t, tt.r.take("one", t1), func(r record) record { return r.refuse(t1) })
			checkRecord(t, got, tt.want, tt.memory)
			if got.refresh.Refused != digestOf(tt.refused) {
				t.Errorf("what was refused is %q, want the digest of %q", got.refresh.Refused, tt.refused)
			}
			if got.refresh.Lease == nil {
				t.Errorf("the lease is gone, which may be another's")
			}
		})
	}
}

func TestRefreshCoolDowns(t *testing.T) {
	minutes := func(lengths ...float64) (all []time.Duration) {
		for _, length := range lengths {
			all = append(all, time.Duration(length*float64(time.Minute)))
		}
		return all
	}
	transient := &RefreshError{Failure: Transient}
	asks := func(after time.Duration) *RefreshError { return &RefreshError{Failure: Throttled, RetryAfter: after} }
	for _, tt := range []struct {
		name         string
		failure      *RefreshError
		writesPerDay int
		want         []time.Duration // one after another
	}{
		{"they grow, and 15 minutes is the longest", transient, 0, minutes(1, 2, 4, 8, 15, 15, 15, 15)},
		{"then half of 100 writes a day is for the attempts, of two writes each", transient, 100, minutes(1, 2, 4, 8, 15, 57.6, 57.6, 57.6)},
		{"a manager that takes more lets 15 minutes stand", transient, 10000, minutes(1, 2, 4, 8, 15, 15, 15)},
		{"the provider says when to come again", asks(90 * time.Second), 0, minutes(1.5, 1.5)},
		{"part of a second is a whole one", asks(10500 * time.Millisecond), 0, minutes(11. / 60)},
		{"a provider that says in a second is not asked in a second", asks(time.Second), 0, minutes(10. / 60)},
		{"a throttling provider that does not say", &RefreshError{Failure: Throttled}, 0, minutes(1, 2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rowOf(t, login1)
			for i, want := range tt.want {
				r = keeping(t, r, func(r record) record { return r.cool(tt.failure, t1.Add(time.Millisecond), tt.writesPerDay) })
				state := coolDown{Failure: tt.failure.Failure, Until: t1.Add(want), Seconds: int(want / time.Second), Failures: i + 1, Credential: digestOf("r1")}
				if diff := cmp.Diff(&state, r.refresh.CoolDown); diff != "" || r.refresh.CoolDown.length() != want {
					t.Errorf("failure %d in a row, want %v (-want +got):\n%s", i+1, want, diff)
				}
			}
		})
	}
	r := rowOf(t, login1).cool(transient, t1, 0).cool(transient, t1, 0)
	r.RefreshToken = "r2"
	if got := r.cool(transient, t1, 0).refresh.CoolDown; got.Failures != 1 || got.Credential != digestOf("r2") {
		t.Errorf("the first failure of another credential: %+v", got)
	}
	if got := committed(rowOf(t, login1).cool(transient, t1, 0), given(1, "r1", "")).refresh.CoolDown; got != nil {
		t.Errorf("after a commit the cool-down is %+v, want none", got)
	}
}

func TestRefreshSpentCredentialsAreRemembered(t *testing.T) {
	r := rowOf(t, Token{GrantToken: "g1"})
	spend := func(credentials ...string) {
		r = r.clone()
		for _, credential := range credentials {
			r.spend(credential)
		}
	}
	spend("", "r9", "g1", "r9", "g1")
	checkRecord(t, r, Token{GrantToken: "g1"}, memory{Spent: []string{"r9"}, SpentSaved: []string{"g1"}})
	spend(numbered("r", 10, 23)...)
	if !r.isSpent("r9") || !r.isSpent("g1") || !r.holds("g1") {
		t.Errorf("what was spent 15 refreshes ago is forgotten: %+v", memoryOf(r))
	}
	spend("r24")
	if r.isSpent("r9") || r.isSpent("") {
		t.Errorf("what only a refresh brought, 16 refreshes ago, is still remembered: %+v", memoryOf(r))
	}
	if !r.isSpent("g1") || !slices.Contains(r.keys(), digestOf("g1").short()) {
		t.Errorf("what a save brought is forgotten, or no key: %+v", memoryOf(r))
	}
}
