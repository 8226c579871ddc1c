//go:build !race

package tokenkeep

import (
	"testing"
	"time"
)

// The operations on the token of user a that are explored while it is refreshed.
var (
	refresh = act{verb: "refresh", id: idA}
	expired = act{verb: "save", token: Token{UserName: "a", RefreshToken: "a0", AccessToken: "at0", ExpiresAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	login   = act{verb: "save", token: Token{UserName: "a", RefreshToken: "b0", AccessToken: "bt0"}}
	touch   = act{verb: "update", id: idA, set: func(t *Token) { t.RedirectURL = "u" }}
	oldCopy = act{verb: "save", token: Token{UserName: "a", RefreshToken: "a0", RedirectURL: "v"}}
)

func refreshes(server provider, faults int, kinds string, programs ...[]act) scenario {
	return scenario{
		before: []act{expired}, actors: programs, faults: faults, kinds: kinds,
		ticks: []time.Duration{30 * time.Second, 2 * time.Minute}, server: &server,
	}
}

func TestExploreRefreshes(t *testing.T) {
	n := count(t)
	one := []act{refresh}
	servers := map[string]provider{
		"a server that does not rotate":                    {},
		"one that does not, and kills older access tokens": {kills: true},
		"a server that rotates, without a grace":           {rotates: true},
		"one that rotates, with a grace":                   {rotates: true, grace: 10 * time.Minute, same: true},
		"one that rotates anew within its grace":           {rotates: true, grace: 10 * time.Minute},
	}
	for name, server := range servers {
		n.mustHold(t, name+"/three refreshers", refreshes(server, scale()-1, "", one, one, one))
		if !thorough() && (!server.rotates || server.grace > 0) {
			continue
		}
		n.mustHold(t, name+"/two refreshers, faults", refreshes(server, min(scale(), 2), "clft", one, one))
		if scale() == 1 && !server.rotates {
			continue
		}
		n.mustHold(t, name+"/a login", refreshes(server, 1, "ct", one, []act{login}))
		n.mustHold(t, name+"/a delete", refreshes(server, 1, "ct", one, []act{deleteA}))
		n.mustHold(t, name+"/saves beside", refreshes(server, 1, "ct", one, []act{touch, oldCopy}))
	}
}

// Each rule of the refresh, switched off, must make the explorer find a history that breaks a promise.
func TestExplorerCatchesEachRefreshRuleSwitchedOff(t *testing.T) {
	one := []act{refresh}
	replays := provider{rotates: true, grace: 10 * time.Minute}
	tests := []struct {
		name string
		sc   scenario
		fate func(record, answer) fate
	}{
		{"a commit goes by the lease", refreshes(provider{rotates: true}, 1, "t", one, one), func(r record, a answer) fate {
			if r.refresh.Lease == nil || r.refresh.Lease.Number != a.number {
				return yields
			}
			return stores
		}},
		{"the number does not decide between answers of one that does not rotate", refreshes(provider{kills: true}, 1, "t", one, one), func(r record, a answer) fate {
			if r.credential() == a.spent {
				return stores
			}
			return r.fateOf(a)
		}},
		{"siblings of one spent token are not compared", refreshes(replays, 1, "t", one, one), func(r record, a answer) fate {
			if r.credential() == a.spent {
				return stores
			}
			return yields
		}},
		{"a holder asks after its deadline", refreshes(provider{rotates: true, tardy: true}, 1, "t", one, one), nil},
		{"an old copy is saved as it is", refreshes(provider{rotates: true}, 0, "", []act{refresh, {verb: "update", id: idA, set: func(t *Token) { t.RefreshToken = "a0" }}}), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.sc.rule = func(_ *sim, s *SecretStore) { s.seams.fateOf = tt.fate }
			_, states, err := explore(tt.sc)
			if err == nil {
				t.Fatalf("%d states, and no history breaks a promise", states)
			}
			t.Logf("%d states: %v", states, err)
		})
	}
}
