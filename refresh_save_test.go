package tokenkeep

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// underWay is a record with all that a refresh remembers, about r3: g1 was exchanged elsewhere for r1, which a login replaced by
// r2, for which a refresh brought r3.
func underWay(t *testing.T) record {
	t.Helper()
	r := rowOf(t, Token{ID: "1", UserName: "a", GrantToken: "g1", RefreshToken: "r1"}, Token{RefreshToken: "r2"})
	r = committed(r, given(1, "r2", "r3")).take("x", t1).cool(&RefreshError{Failure: Transient}, t1, 0).refuse(t1)
	if state := r.refresh; state.From == "" || state.Lease == nil || state.CoolDown == nil || state.Refused == "" {
		t.Fatalf("the record does not remember everything: %+v", state)
	}
	return r
}

func saving(token Token) func(record) record { return func(r record) record { return r.save(token) } }

func updating(change func(*Token)) func(record) record {
	return func(r record) record {
		t := r.Token.clone()
		change(&t)
		return r.update(t)
	}
}

func TestLeaseIsKeptByASaveThatBringsNoOtherCredential(t *testing.T) {
	for name, change := range map[string]func(record) record{
		"a save of nothing":                                 saving(Token{}),
		"a save of another field":                           saving(Token{RedirectURL: "u"}),
		"a rename":                                          saving(Token{UserName: "b"}),
		"a save of an access token":                         saving(Token{AccessToken: "A9", ExpiresAt: t2}),
		"a save of the refresh token held":                  saving(Token{RefreshToken: "r3"}),
		"a save of a whole copy":                            func(r record) record { return r.save(r.Token) },
		"a save of a refresh token that was spent":          saving(Token{RefreshToken: "r2"}),
		"a save of a refresh token that was replaced":       saving(Token{RefreshToken: "r1"}),
		"a save of the grant token that was spent":          saving(Token{GrantToken: "g1"}),
		"an update of another field":                        updating(func(t *Token) { t.RedirectURL = "u" }),
		"an update that takes away the access token":        updating(func(t *Token) { t.AccessToken = "" }),
		"an update that takes away the spent grant token":   updating(func(t *Token) { t.GrantToken = "" }),
		"an update that changes the refresh token's expiry": updating(func(t *Token) { t.RefreshExpiresAt = t2 }),
	} {
		t.Run(name, func(t *testing.T) {
			r := underWay(t)
			got := keeping(t, r, change)
			if diff := cmp.Diff(r.refresh, got.refresh); diff != "" {
				t.Errorf("the credential is still the same, and what is remembered about it differs (-want +got):\n%s", diff)
			}
			if got.Reauthorize == nil {
				t.Errorf("the credential is still the same, and Reauthorize is gone")
			}
		})
	}
}

func TestLeaseIsFreedByASaveOfAnotherCredential(t *testing.T) {
	for name, change := range map[string]func(record) record{
		"a login's refresh token":                          saving(Token{RefreshToken: "r5"}),
		"a login's refresh token with an access token":     saving(Token{RefreshToken: "r5", AccessToken: "A5", ExpiresAt: t2}),
		"a login's grant token":                            saving(Token{GrantToken: "g5"}),
		"a login's grant and refresh token":                saving(Token{GrantToken: "g5", RefreshToken: "r5"}),
		"an update to another refresh token":               updating(func(t *Token) { t.RefreshToken = "r5" }),
		"an update to an old refresh token":                updating(func(t *Token) { t.RefreshToken = "r2" }),
		"an update to a grant token":                       updating(func(t *Token) { t.GrantToken = "g5" }),
		"an update that takes away the refresh token":      updating(func(t *Token) { t.RefreshToken = "" }),
		"an update that puts all credentials in its place": updating(func(t *Token) { *t = Token{ID: t.ID, RefreshToken: "r5", GrantToken: "g5"} }),
	} {
		t.Run(name, func(t *testing.T) {
			r := underWay(t)
			got := keeping(t, r, change)
			state := got.refresh
			if state.Lease != nil || state.CoolDown != nil || got.refused() || got.credential() != "" && (state.Refused != "" || got.Reauthorize != nil) {
				t.Errorf("another credential is stored, and what was remembered about the old one stays: %+v, %+v", state, got.Reauthorize)
			}
			if state.Last != r.refresh.Last || state.Committed != r.refresh.Committed {
				t.Errorf("the numbers went from %d, %d to %d, %d", r.refresh.Last, r.refresh.Committed, state.Last, state.Committed)
			}
			if got.RefreshToken != r.RefreshToken && got.refresh.From != "" {
				t.Errorf("the refresh token is a login's, and still counts as made from another")
			}
		})
	}
}

func TestRefreshStateSurvivesEncoding(t *testing.T) {
	r := underWay(t)
	r.learned = "https://www.example.eu"
	got, err := decodeRecord(r.ID, encoded(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.refresh, got.refresh); diff != "" || got.learned != r.learned {
		t.Errorf("read back: learned %q (-want +got):\n%s", got.learned, diff)
	}
}
