package awssm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// people are the tokens that are stored before most ordeals: one with an ID of its own, one with a derived ID, and one
// without a user.
func people() []tokenkeep.Token {
	return []tokenkeep.Token{
		{ID: "1", UserName: "ann", ClientID: "web", RefreshToken: canary + "r-ann", AccessToken: canary + "a-ann", ExpiresAt: time.Unix(1, 0)},
		{UserName: "bob", ClientID: "web", RefreshToken: canary + "r-bob", AccessToken: canary + "a-bob"},
		{RefreshToken: canary + "r-cid"},
	}
}

// changed returns a change for each of people, by what f makes of it; nil: it is gone.
func changed(f func(i int, t *tokenkeep.Token) *tokenkeep.Token) []change {
	var changes []change
	for i, t := range people() {
		c := change{before: look(t)}
		if after := f(i, &t); after != nil {
			c.after = look(*after)
		}
		changes = append(changes, c)
	}
	return changes
}

func unchanged() []change {
	return changed(func(_ int, t *tokenkeep.Token) *tokenkeep.Token { return t })
}

// added are people, unchanged, and new tokens.
func added(tokens ...tokenkeep.Token) []change {
	changes := unchanged()
	for _, t := range tokens {
		changes = append(changes, change{after: look(t)})
	}
	return changes
}

// anns changes ann's token.
func anns(f func(t *tokenkeep.Token)) []change {
	return changed(func(i int, t *tokenkeep.Token) *tokenkeep.Token {
		if i == 0 {
			f(t)
		}
		return t
	})
}

// savesAll saves tokens with one call.
func savesAll(tokens ...tokenkeep.Token) act {
	return func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.SaveTokens(ctx, tokens)
		return err
	}
}

// simply is for operations that need nothing of a trial.
func simply(do act) func(context.Context, *tokenkeep.SecretStore, *trial) error {
	return func(ctx context.Context, s *tokenkeep.SecretStore, _ *trial) error { return do(ctx, s) }
}

// full makes the index so full of writes that the next one splits it. It has to list two tokens at least.
func full(c *trial) error {
	ctx, id := c.t.Context(), aws.String(c.o.Prefix+"/i_r")
	out, err := c.sound.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: id})
	if err != nil {
		return err
	}
	index := map[string]any{}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &index); err != nil {
		return err
	}
	index["writes"] = slices.Repeat([]time.Time{time.Now().Add(-time.Minute).Truncate(time.Second)}, 60)
	payload, err := json.Marshal(index)
	if err != nil {
		return err
	}
	_, err = c.sound.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: id, SecretString: aws.String(string(payload))})
	return err
}

// start is a state in which an ordeal can begin.
type start struct {
	name    string
	prepare []func(*trial) error
	warm    bool
	index   int // secrets of the index after the operation; 0: any number
	soak    bool
}

// soaking are states that are tried with TOKENKEEP_SOAK only.
func soaking(starts ...start) []start {
	for i := range starts {
		starts[i].soak = true
	}
	return starts
}

// by is for what another process does before.
func by(do act) func(*trial) error {
	return func(c *trial) error { return do(c.t.Context(), c.other()) }
}

// The states. A grown index is one that was split into 16.
var (
	stored     = by(savesAll(people()...))
	empty      = start{name: "empty store"}
	cold       = start{name: "cold handle", prepare: []func(*trial) error{stored}}
	warm       = start{name: "warm handle", prepare: cold.prepare, warm: true}
	splitting  = start{name: "the index splits", prepare: []func(*trial) error{stored, full}, index: 17}
	grownSteps = []func(*trial) error{by(savesAll(people()[:2]...)), full, by(saves(people()[2]))}
	grown      = start{name: "grown index, cold", prepare: grownSteps, index: 17}
	grownWarm  = start{name: "grown index, warm", prepare: grownSteps, warm: true, index: 17}
)

// from makes an ordeal for each state.
func from(o ordeal, starts ...start) []*ordeal {
	var all []*ordeal
	for _, s := range starts {
		one := o
		one.start, one.warm, one.index, one.soak = s.name, s.warm, s.index, s.soak
		one.prepare = append(slices.Clip(s.prepare), o.prepare...)
		if s.name == empty.name {
			one.changes = slices.DeleteFunc(slices.Clone(o.changes), func(c change) bool { return c.before != "" })
		}
		all = append(all, &one)
	}
	return all
}

func ordeals() []*ordeal {
	return slices.Concat(lookUps(), firstSaves(), updates(), deletions(), lists())
}

func lookUps() []*ordeal {
	finding := func(what string, query tokenkeep.Token, starts ...start) []*ordeal {
		user := "bob"
		if query.ID != "" {
			user = "ann"
		}
		return from(ordeal{operation: "FindToken by " + what, do: simply(finds(query, query.ID, user)), changes: unchanged()}, starts...)
	}
	nobody := tokenkeep.Token{UserName: "zoe"}
	return slices.Concat(
		finding("ID", tokenkeep.Token{ID: "1"}, cold, warm, grown),
		finding("user and client", tokenkeep.Token{UserName: "bob", ClientID: "web"}, cold, warm),
		finding("user", tokenkeep.Token{UserName: "bob"}, cold, warm, grown, grownWarm),
		finding("refresh token", tokenkeep.Token{RefreshToken: canary + "r-bob"}, cold, warm, grown, grownWarm),
		finding("access token", tokenkeep.Token{AccessToken: canary + "a-bob"}, cold, warm, grown),
		from(ordeal{operation: "FindToken, a miss", do: simply(misses(nobody)), changes: unchanged()}, empty, cold, warm, grown),
		from(ordeal{operation: "FindTokenByID", do: simply(func(ctx context.Context, s *tokenkeep.SecretStore) error {
			found, err := s.FindTokenByID(ctx, "1")
			if err == nil && look(found) != look(people()[0]) {
				return fmt.Errorf("FindTokenByID = %v; want ann's", found)
			}
			return err
		}), changes: unchanged()}, cold, warm),
	)
}

func firstSaves() []*ordeal {
	zoe := tokenkeep.Token{UserName: "zoe", ClientID: "web", RefreshToken: canary + "r-zoe", AccessToken: canary + "a-zoe"}
	imported := zoe
	imported.ID = "26"
	window := awssm.Options{RecoveryWindow: 7}
	return slices.Concat(
		from(ordeal{operation: "SaveToken, new", do: simply(saves(zoe)), changes: added(zoe)}, append(soaking(grownWarm), empty, cold, warm, grown, splitting)...),
		from(ordeal{operation: "SaveToken, new, with an ID", do: simply(saves(imported)), changes: added(zoe)}, append(soaking(grown), empty, cold, warm)...),
		from(ordeal{operation: "SaveToken, new, in two steps", o: awssm.Options{TwoStep: true}, do: simply(saves(zoe)), changes: added(zoe)}, cold),
		from(ordeal{operation: "SaveToken, new, of a deleted name in its recovery window", o: window, do: simply(saves(imported)), changes: added(zoe),
			prepare: []func(*trial) error{by(saves(imported)), by(deletes("26"))}}, cold),
		bulkSaves(5, empty),
		bulkSaves(5, soaking(cold)...),
		bulkSaves(30, soaking(empty, cold, splitting)...),
	)
}

// bulkSaves saves n new tokens, of which SaveTokens has 8 under way at once.
func bulkSaves(n int, starts ...start) []*ordeal {
	tokens := make([]tokenkeep.Token, n)
	for i := range tokens {
		tokens[i] = tokenkeep.Token{UserName: fmt.Sprint("user", i), ClientID: "web", RefreshToken: fmt.Sprint(canary, "r-", i)}
	}
	do := func(ctx context.Context, s *tokenkeep.SecretStore, c *trial) error {
		saved, err := s.SaveTokens(ctx, tokens)
		c.saved = slices.DeleteFunc(saved, func(t tokenkeep.Token) bool { return t.ID == "" })
		return err
	}
	return from(ordeal{operation: fmt.Sprintf("SaveTokens of %d, new", n), do: do, changes: added(tokens...)}, starts...)
}

// updatesOnce is an update that tells whether the store asked for it twice.
func updatesOnce(ctx context.Context, s *tokenkeep.SecretStore) error {
	calls := 0
	_, err := s.UpdateToken(ctx, "1", func(t tokenkeep.Token) (tokenkeep.Token, error) {
		calls++
		t.AccessToken = fmt.Sprint(canary, "call", calls)
		return t, nil
	})
	return err
}

func once(t *tokenkeep.Token) { t.AccessToken = canary + "call1" }

func updates() []*ordeal {
	update := func(what string, o awssm.Options, t tokenkeep.Token, change func(*tokenkeep.Token), starts ...start) []*ordeal {
		return from(ordeal{operation: what, o: o, do: simply(saves(t)), changes: anns(change)}, starts...)
	}
	access := func(t *tokenkeep.Token) { t.AccessToken = canary + "a2" }
	rename := func(t *tokenkeep.Token) { t.UserName = "anna" }
	login := func(t *tokenkeep.Token) { t.RefreshToken = canary + "r2" }
	loginByUpdate := func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.UpdateToken(ctx, "1", func(t tokenkeep.Token) (tokenkeep.Token, error) { login(&t); return t, nil })
		return err
	}
	user := tokenkeep.Token{UserName: "ann", ClientID: "web", AccessToken: canary + "a2"}
	return slices.Concat(
		update("SaveToken, update by ID", awssm.Options{}, tokenkeep.Token{ID: "1", AccessToken: canary + "a2"}, access, append(soaking(grown), cold, warm)...),
		update("SaveToken, update by ID, in two steps", awssm.Options{TwoStep: true}, tokenkeep.Token{ID: "1", AccessToken: canary + "a2"}, access, cold),
		update("SaveToken, update by user and client", awssm.Options{}, user, access, append(soaking(grown, grownWarm), cold, warm)...),
		update("SaveToken, rename", awssm.Options{}, tokenkeep.Token{ID: "1", UserName: "anna"}, rename, append(soaking(grown, grownWarm), cold, warm)...),
		update("SaveToken, new refresh token", awssm.Options{}, tokenkeep.Token{ID: "1", RefreshToken: canary + "r2"}, login, append(soaking(grown, splitting), cold, warm)...),
		from(ordeal{operation: "UpdateToken", do: simply(updatesOnce), changes: anns(once)}, cold, warm),
		from(ordeal{operation: "UpdateToken, in two steps", o: awssm.Options{TwoStep: true}, do: simply(updatesOnce), changes: anns(once)}, cold),
		from(ordeal{operation: "UpdateToken, new refresh token", do: simply(loginByUpdate), changes: anns(login)}, append(soaking(grown), cold, warm)...),
		from(ordeal{operation: "RefreshToken", do: refreshAnn, refreshes: true, changes: unchanged()}, append(soaking(grown), cold, warm)...),
		from(ordeal{operation: "RefreshToken, forced", do: forceAnn, refreshes: true, changes: unchanged()}, cold, warm),
	)
}

func deletions() []*ordeal {
	window := awssm.Options{RecoveryWindow: 7}
	one := changed(func(i int, t *tokenkeep.Token) *tokenkeep.Token {
		if i == 0 {
			return nil
		}
		return t
	})
	all := changed(func(int, *tokenkeep.Token) *tokenkeep.Token { return nil })
	clears := func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteTokens(ctx) }
	return slices.Concat(
		from(ordeal{operation: "DeleteToken", do: simply(deletes("1")), changes: one}, append(soaking(grown), empty, cold, warm)...),
		from(ordeal{operation: "DeleteToken with a recovery window", o: window, do: simply(deletes("1")), changes: one}, empty, cold, warm),
		from(ordeal{operation: "DeleteTokens", do: simply(clears), changes: all}, append(soaking(warm, grown), empty, cold)...),
		from(ordeal{operation: "DeleteTokens with a recovery window", o: window, do: simply(clears), changes: all}, cold),
	)
}

func lists() []*ordeal {
	verifies := func(ctx context.Context, s *tokenkeep.SecretStore) error { _, err := s.Verify(ctx); return err }
	repairs := func(ctx context.Context, s *tokenkeep.SecretStore) error { _, err := s.Repair(ctx); return err }
	checks := func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.Check(ctx) }
	checksNone := func(ctx context.Context, s *tokenkeep.SecretStore) error {
		err := s.Check(ctx)
		switch {
		case err == nil:
			return errors.New("Check finds a store that is not there")
		case errors.Is(err, tokenkeep.ErrNotFound):
			return nil
		}
		return err
	}
	return slices.Concat(
		from(ordeal{operation: "GetTokens", do: simply(list), changes: unchanged()}, empty, cold, warm, grown, grownWarm),
		from(ordeal{operation: "Verify", do: simply(verifies), changes: unchanged()}, append(soaking(grown), empty, cold)...),
		from(ordeal{operation: "Repair of nothing", do: simply(repairs), changes: unchanged()}, cold),
		from(ordeal{operation: "Check", do: simply(checksNone), changes: unchanged()}, empty),
		from(ordeal{operation: "Check", do: simply(checks), changes: unchanged()}, cold),
	)
}
