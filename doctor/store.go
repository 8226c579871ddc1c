package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// Store examines a store of tokens that is no secrets manager: a file, a database, memory. Of a secrets manager, [Secrets]
// finds out more, and does not write the index as Store would.
//
// It works as Secrets does, with one token, of a user whose name begins with "tokenkeep doctor" and whose credentials are
// none: 16 savers of that user, 16 updates, 8 saves that are read back, and a delete. Files and tables that the store makes
// for its first token stay.
func Store(ctx context.Context, store tokenkeep.Store) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		p := &tokens{Store: store, user: "tokenkeep doctor " + strings.ToLower(rand.Text()[:10]), may: rights{}}
		for _, need := range []right{toIndex, toList, toHistory} {
			p.may.note(need, ok("such a store has none"))
		}
		exam{
			checks: []check{
				{string(toRead), p.read},
				{string(toCreate), p.create},
				{string(toUpdate), p.update},
				{"fresh reads", p.fresh},
				{string(toDelete), p.deleted},
			},
			clean: p.clean,
			after: p.may.findings,
		}.run(ctx, yield)
	}
}

// tokens is a store that is examined.
type tokens struct {
	tokenkeep.Store
	user string
	may  rights
	ids  []string // of the tokens that were made
}

const client = "tokenkeep-doctor"

// token is the one token of this examination, with an access token like no other.
func (p *tokens) token() tokenkeep.Token {
	return tokenkeep.Token{
		UserName: p.user, ClientID: client, RefreshToken: "no credential of " + p.user,
		AccessToken: rand.Text(), ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Second),
	}
}

// save is SaveToken, waited for. It is not begun after ctx has ended.
func (p *tokens) save(ctx context.Context, t tokenkeep.Token) (tokenkeep.Token, error) {
	if err := ctx.Err(); err != nil {
		return tokenkeep.Token{}, err
	}
	ctx, cancel := sending(ctx)
	defer cancel()
	return p.SaveToken(ctx, t)
}

func (p *tokens) read(ctx context.Context) result {
	if _, err := p.FindToken(ctx, tokenkeep.Token{UserName: p.user}); !errors.Is(err, tokenkeep.ErrNotFound) {
		return p.may.note(toRead, notAbsent("a user whom nobody knows", err))
	}
	if _, err := p.FindTokenByID(ctx, p.user); !errors.Is(err, tokenkeep.ErrNotFound) {
		return p.may.note(toRead, notAbsent("an ID that nobody has", err))
	}
	return p.may.note(toRead, ok("what is not there is not found"))
}

func notAbsent(what string, err error) result {
	if err == nil {
		return failed("%s has a token", what)
	}
	return broken(what, err)
}

// create has many save the token of a new user at once, which makes one.
func (p *tokens) create(ctx context.Context) result {
	saved, errs := make([]tokenkeep.Token, atOnce), make([]error, atOnce)
	together(func(i int) { saved[i], errs[i] = p.save(ctx, p.token()) })
	ids := map[string]bool{}
	for i, err := range errs {
		if err == nil && !ids[saved[i].ID] {
			ids[saved[i].ID] = true
			p.ids = append(p.ids, saved[i].ID)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return p.may.note(toCreate, broken("16 savers of one new user", first(errs)))
	}
	p.may.note(toCreate, ok("made a token"))
	if len(ids) != 1 {
		return failed("16 savers of one new user made %d tokens", len(ids))
	}
	if found, err := p.FindToken(ctx, tokenkeep.Token{UserName: p.user}); err != nil || !ids[found.ID] {
		return wrong("the user's token is not found", err)
	}
	return ok("16 savers of one new user made one token")
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// update has many count in one token at once.
func (p *tokens) update(ctx context.Context) result {
	if len(p.ids) == 0 {
		return p.may.note(toUpdate, unknown("not tried: no token could be made"))
	}
	updater, can := p.Store.(tokenkeep.Updater)
	if !can {
		t := p.token()
		t.ID = p.ids[0]
		if _, err := p.save(ctx, t); err != nil {
			return p.may.note(toUpdate, broken("to save a token that is there", err))
		}
		return p.may.note(toUpdate, ok("a token that is there is saved; the store has no UpdateToken"))
	}
	errs := make([]error, atOnce)
	together(func(i int) {
		ctx, cancel := sending(ctx)
		defer cancel()
		_, errs[i] = updater.UpdateToken(ctx, p.ids[0], func(t tokenkeep.Token) (tokenkeep.Token, error) {
			n, _ := strconv.Atoi(t.AccessToken) // the first time it is none
			t.AccessToken = strconv.Itoa(n + 1)
			return t, nil
		})
	})
	if err := first(errs); err != nil {
		return p.may.note(toUpdate, broken("16 updates of one token", err))
	}
	p.may.note(toUpdate, ok("updated a token"))
	got, err := p.FindTokenByID(ctx, p.ids[0])
	if err != nil || got.AccessToken != strconv.Itoa(atOnce) {
		return wrong("16 updates of one token, and not each of them is in what is stored", err)
	}
	return ok("16 updates of one token, and none was lost")
}

// fresh reads back each of several saves at once.
func (p *tokens) fresh(ctx context.Context) result {
	if len(p.ids) == 0 {
		return unknown("not tried: no token could be made")
	}
	for n := range freshWrites {
		t := p.token()
		if _, err := p.save(ctx, t); err != nil {
			return broken(fmt.Sprintf("save %d of %d", n+1, freshWrites), err)
		}
		got, err := p.FindTokenByID(ctx, p.ids[0])
		if err != nil || got.AccessToken != t.AccessToken || got.RefreshToken != t.RefreshToken || !got.ExpiresAt.Equal(t.ExpiresAt) {
			return wrong(fmt.Sprintf("save %d of %d is not what is read", n+1, freshWrites), err)
		}
	}
	return ok("each of %d saves is read back at once", freshWrites)
}

func (p *tokens) deleted(ctx context.Context) result {
	if len(p.ids) == 0 {
		return p.may.note(toDelete, unknown("not tried: no token could be made"))
	}
	if err := p.DeleteToken(ctx, p.ids[0]); err != nil {
		return p.may.note(toDelete, broken("to delete a token", err))
	}
	p.may.note(toDelete, ok("deleted a token"))
	if _, err := p.FindTokenByID(ctx, p.ids[0]); !errors.Is(err, tokenkeep.ErrNotFound) {
		return notAbsent("a deleted ID", err)
	}
	if err := p.DeleteToken(ctx, p.ids[0]); err != nil {
		return broken("to delete what is deleted", err)
	}
	return ok("a deleted token is gone")
}

// clean deletes what the user has, and finds out whether that was all.
func (p *tokens) clean(ctx context.Context) []Finding {
	var errs []error
	for _, id := range p.ids {
		errs = append(errs, p.DeleteToken(ctx, id))
	}
	// A save that failed may have taken effect.
	found, err := p.FindToken(ctx, tokenkeep.Token{UserName: p.user})
	if err == nil {
		errs = append(errs, p.DeleteToken(ctx, found.ID))
		_, err = p.FindToken(ctx, tokenkeep.Token{UserName: p.user})
	}
	f := Finding{"left behind", OK, "nothing"}
	if !errors.Is(err, tokenkeep.ErrNotFound) {
		f.Verdict, f.Detail = Failed, fmt.Sprintf("tokens of the user %q, which are no credentials", p.user)
		if cause := errors.Join(append(errs, err)...); cause != nil {
			f.Detail += ": " + line(cause)
		}
	}
	return []Finding{f}
}
