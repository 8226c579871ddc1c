package tokenkeep

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// bulk is how many tokens SaveTokens lists with one write of each index secret.
const bulk = 1000

// SaveTokens saves many tokens as if by SaveToken, one after the other in their order, but with few writes of the index. It
// returns them as stored, in the same order, and the joined errors of those that could not be saved, whose places are
// left zero. It goes on where one fails. Interrupted, it may be repeated.
//
// Of N new tokens on AWS Secrets Manager it makes N writes, a read for every 20, and a write of each index secret for every
// 1,000.
func (s *SecretStore) SaveTokens(ctx context.Context, tokens []Token) ([]Token, error) {
	b := &bulkSave{SecretStore: s, tokens: tokens, saved: make([]Token, len(tokens)), errs: make([]error, len(tokens))}
	var todo []int
	for i := range tokens {
		if b.errs[i] = s.check(tokens[i]); b.errs[i] == nil {
			todo = append(todo, i)
		}
	}
	for len(todo) > 0 {
		var round []int
		round, todo = b.independent(todo)
		b.save(ctx, round)
	}
	for i, err := range b.errs {
		if err != nil {
			b.errs[i] = s.fail("save token", tokens[i].ID, err)
		}
	}
	return b.saved, errors.Join(b.errs...)
}

// bulkSave is one call of SaveTokens. Tokens are known by their place in it.
type bulkSave struct {
	*SecretStore
	tokens, saved []Token
	errs          []error
}

// independent divides places into those that can be saved at once and the rest: a token comes after all before it that
// may mean the same stored one.
func (b *bulkSave) independent(todo []int) (round, rest []int) {
	taken := map[string]bool{}
	for _, i := range todo {
		t, free := b.tokens[i], len(round) < bulk
		id, _ := t.derivedID()
		for kind, key := range map[string]string{
			"id": firstOf(t.ID, id), "user": t.UserName, "grant": t.GrantToken, "refresh": t.RefreshToken, "access": t.AccessToken,
		} {
			if key != "" {
				free = free && !taken[kind+key]
				taken[kind+key] = true
			}
		}
		if free {
			round = append(round, i)
		} else {
			rest = append(rest, i)
		}
	}
	return round, rest
}

// save saves tokens that have nothing to do with each other. All that matters to them is read in advance, all changes of the
// index are handed over together, and each token then goes its own way, as SaveToken would; alone and at the end, if
// somebody else was faster.
func (b *bulkSave) save(ctx context.Context, round []int) {
	ops := make(map[int]*operation, len(round))
	var ids []string
	w := where{}
	for _, i := range round {
		ops[i] = b.newOperation()
		id, ok := b.tokens[i].derivedID()
		if ok || b.tokens[i].ID != "" {
			ids = append(ids, firstOf(b.tokens[i].ID, id))
		}
		needs := b.whereOf(b.tokens[i])
		w.all, w.places = w.all || needs.all, append(w.places, needs.places...)
	}
	if _, _, err := b.fetchWith(ctx, ids, w, nil); err != nil {
		for _, i := range round {
			b.errs[i] = err
		}
		return
	}
	plans, changes := b.plan(ctx, round, ops)
	b.enqueue(ctx, changes...)
	var group errgroup.Group
	group.SetLimit(b.options.Parallel)
	for i, p := range plans {
		group.Go(func() error {
			b.saved[i], b.errs[i] = b.carryOut(ctx, ops[i], p)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	for _, i := range round {
		if errors.Is(b.errs[i], errAgain) {
			b.saved[i], b.errs[i] = b.saveToken(ctx, b.tokens[i])
		}
	}
}

// plan plans the saves of tokens, and returns what the index has to learn for them. One without a plan is left with an
// error: errAgain if it has to be saved alone, after the others.
func (b *bulkSave) plan(ctx context.Context, round []int, ops map[int]*operation) (map[int]plan, []*change) {
	plans, changes := make(map[int]plan, len(round)), []*change{}
	taken := map[string]bool{}
	for _, i := range round {
		p, err := b.planSave(ctx, ops[i], b.tokens[i])
		if err == nil && taken[p.next.ID] {
			err = errAgain // they mean one token, and this one comes later
		}
		if b.errs[i] = err; err != nil {
			continue
		}
		plans[i], taken[p.next.ID] = p, true
		if p.gainsKeys() {
			ops[i].listing = p.change()
			changes = append(changes, ops[i].listing)
		}
	}
	return plans, changes
}
