//go:build !race

package tokenkeep

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

var (
	force       = act{verb: "force", id: idA}
	byTwoWrites = act{verb: "unblock and refresh", id: idA}

	inAYear   = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	good      = act{verb: "save", token: Token{UserName: "a", RefreshToken: "a0", AccessToken: "at0", ExpiresAt: inAYear}}
	goodLogin = act{verb: "save", token: Token{UserName: "a", RefreshToken: "b0", AccessToken: "bt0", ExpiresAt: inAYear}}
)

// The tokens that are refreshed by force.
var forceable = map[string]struct {
	before []act
	fails  *RefreshError
	server string // with which make test explores faults
}{
	"a good token":       {[]act{good}, nil, "one that rotates, without a grace"},
	"an expired token":   {[]act{expired}, nil, ""},
	"a refused token":    {[]act{expired, refresh}, &RefreshError{Failure: Refused}, "one that rotates, with a grace"},
	"a token left alone": {[]act{expired, refresh}, &RefreshError{Failure: Throttled, RetryAfter: time.Hour}, "one that does not rotate"},
}

// forces reports whether an operation refreshes a token by force.
func (a act) forces() bool { return a.verb == force.verb || a.verb == byTwoWrites.verb }

// forcing returns a scenario that begins within the second of the provider's failure, if there was one.
func forcing(from string, server provider, faults int, kinds string, programs ...[]act) scenario {
	server.fails = forceable[from].fails
	sc := refreshes(server, faults, kinds, programs...)
	sc.before, sc.age = forceable[from].before, time.Second/2
	return sc
}

func TestExploreForcedRefreshes(t *testing.T) {
	n := count(t)
	one, two, normal := []act{force}, []act{force, force}, []act{refresh}
	servers := map[string]provider{
		"one that does not rotate":          {kills: true, heals: true},
		"one that rotates, without a grace": {rotates: true, heals: true},
		"one that rotates, with a grace":    {rotates: true, grace: 10 * time.Minute, heals: true},
		"one that goes on failing":          {rotates: true},
	}
	for from, token := range forceable {
		for name, server := range servers {
			if !server.heals && token.fails == nil || !thorough() && (!server.rotates || server.grace > 0) {
				continue
			}
			at := from + "/" + name
			n.mustHold(t, at+"/a delete", forcing(from, server, 1, "clft", one, []act{deleteA}))
			n.mustHold(t, at+"/two, twice each", forcing(from, server, 0, "", two, two))
			if scale() > 1 || token.server == name {
				n.mustHoldToo(t, at+"/two and a normal one", forcing(from, server, 0, "", one, one, normal))
				n.mustHoldToo(t, at+"/two, faults", forcing(from, server, 1, "clft", one, one))
				n.mustHoldToo(t, at+"/a normal one, faults", forcing(from, server, 1, "clft", one, normal))
				n.mustHoldToo(t, at+"/a login", forcing(from, server, 1, "ct", one, []act{goodLogin}))
			}
		}
	}
}

// Each rule of forced refreshes, switched off, must make the explorer find a history that breaks a promise.
func TestExplorerCatchesEachRuleOfForceSwitchedOff(t *testing.T) {
	rotating := provider{rotates: true, heals: true}
	byTwo := []act{byTwoWrites}
	tests := []struct {
		name string
		sc   scenario
		rule func(*sim, *SecretStore)
	}{
		{"a living lease is no reason to wait", forcing("a good token", rotating, 0, "", []act{force}, []act{force}), ignoreLeases},
		{"the same, at a provider that does not rotate", forcing("a good token", provider{}, 0, "", []act{force}, []act{force}), ignoreLeases},
		{"the token is unblocked by a write of its own, beside a commit", forcing("a refused token", rotating, 0, "", byTwo, []act{force}), nil},
		{"the same, beside a login", forcing("a refused token", rotating, 0, "", byTwo, []act{goodLogin}), nil},
		{"the same, beside a delete", forcing("a refused token", rotating, 0, "", byTwo, []act{deleteA}), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.sc.rule = tt.rule
			_, states, err := explore(tt.sc)
			if err == nil {
				t.Fatalf("%d states, and no history breaks a promise", states)
			}
			t.Logf("%d states: %v", states, err)
		})
	}
}

// ignoreLeases makes a handle see no lease of others.
func ignoreLeases(_ *sim, s *SecretStore) { s.secrets = leaseless{s.secrets.(simHandle)} }

type leaseless struct{ simHandle }

func (l leaseless) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	found, err := l.simHandle.GetMany(ctx, names)
	found = maps.Clone(found)
	for name, secret := range found {
		found[name] = withoutLease(name, secret)
	}
	return found, err
}

func (l leaseless) Latest(ctx context.Context, name string) (driver.Secret, error) {
	secret, err := l.simHandle.Latest(ctx, name)
	return withoutLease(name, secret), err
}

func withoutLease(name string, secret driver.Secret) driver.Secret {
	if id, ok := tokenID(name); ok {
		if rec, err := decodeRecord(id, secret.Payload); err == nil {
			rec.refresh.Lease = nil
			secret.Payload, _ = rec.encode("")
		}
	}
	return secret
}

// unblockAndRefresh is what a forced refresh must not do: it unblocks the token first, whatever has become of it since it was read.
func (a *actor) unblockAndRefresh(ctx context.Context, id string) error {
	s := a.store
	rows, err := s.fetch(ctx, []string{id})
	if err != nil {
		return err
	}
	payload, err := rows[id].rec.unblock().encode(s.seams.nonce())
	if err != nil {
		return err
	}
	for rev := rows[id].rev; ; {
		if _, err = s.secrets.Put(ctx, SecretName(id), payload, rev); !errors.Is(err, driver.ErrConflict) {
			break
		}
		now, _ := s.secrets.Latest(ctx, SecretName(id))
		rev = now.Revision
	}
	s.cache.dropRow(id)
	_, err = s.RefreshToken(ctx, id, a.refresh(false))
	return err
}
