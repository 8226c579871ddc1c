package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// deleted deletes the secret and looks for what should be gone.
func (p *patient) deleted(ctx context.Context) result {
	if why, can := p.writing(); !can {
		return why
	}
	name := p.main.name
	before, err := p.Latest(ctx, name)
	if err != nil {
		return broken("to read before", err)
	}
	if err := p.delete(ctx, name); err != nil {
		return p.may.note(toDelete, broken("to delete a secret", err))
	}
	switch _, err := p.Latest(ctx, name); {
	case err == nil:
		return failed("a deleted secret can be read")
	case !errors.Is(err, driver.ErrNotFound):
		return broken("to look for what is deleted", err)
	}
	found, err := p.GetMany(ctx, []string{name, p.absent("a").name})
	if err != nil || len(found) > 0 {
		return wrong("after the delete GetMany does not go without it", err)
	}
	if _, err := p.put(ctx, name, note(), before.Revision); !errors.Is(err, driver.ErrConflict) {
		return refusal("a write at the revision of a deleted secret", err)
	}
	if err := p.delete(ctx, name); err != nil {
		return broken("to delete what is deleted", err)
	}
	return ok("a deleted secret is gone, and a late write does not bring it back")
}

// delete is Delete, waited for like a put.
func (p *patient) delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := sending(ctx)
	defer cancel()
	return p.Delete(ctx, name)
}

// cleanTries is how often the clean-up begins again with what is left.
const cleanTries = 3

// clean deletes every secret that was made, and looks whether it is gone.
func (p *patient) clean(ctx context.Context) []Finding {
	if len(p.used) == 0 {
		return []Finding{{"left behind", OK, "nothing, as nothing was written"}}
	}
	left := map[scratch]error{}
	for range cleanTries {
		clear(left)
		for _, s := range p.used {
			if err := p.cleanOne(ctx, s.name); err != nil {
				left[s] = err
			}
		}
		if len(left) == 0 {
			break
		}
	}
	findings := []Finding{p.leftBehind(ctx, left)}
	if p.names && p.may[toCreate].verdict == OK {
		findings = append(findings, Finding{"names", Denied, fmt.Sprintf("the policy lets no program remove what a delete leaves, so the names of "+
			"%s stay, with no value: %s", plural(len(p.used), "deleted secret"), p.fullNames(p.used))})
	}
	return findings
}

// cleanOne removes a secret, and finds out whether it is gone.
func (p *patient) cleanOne(ctx context.Context, name string) error {
	if err := p.Delete(ctx, name); err != nil {
		return err
	}
	if forgetter, can := p.Secrets.(driver.Forgetter); can && !p.names {
		if err := forgetter.Forget(ctx, name); err != nil {
			return err
		}
	}
	_, err := p.Latest(ctx, name)
	switch {
	case errors.Is(err, driver.ErrNotFound):
		return nil
	case err == nil:
		return errors.New("its delete succeeds, and it can still be read")
	}
	return fmt.Errorf("it was deleted, and it cannot be found out whether it is gone: %w", err)
}

func (p *patient) leftBehind(ctx context.Context, left map[scratch]error) Finding {
	f := Finding{Check: "left behind", Verdict: OK, Detail: "nothing: " + plural(len(p.used), "name") + " tried, and none has a secret"}
	if len(left) > 0 {
		f.Verdict, f.Detail = Failed, p.advice(left)
		return f
	}
	listed, err := p.listed(ctx)
	switch {
	case err != nil:
		f.Detail += "; the list was not compared: " + line(err)
	case len(listed) > 0:
		f.Verdict, f.Detail = Failed, "the list still has deleted secrets: "+p.fullNames(listed)
	}
	return f
}

// advice names what is left, why, and who can remove it.
func (p *patient) advice(left map[scratch]error) string {
	var lines []string
	for _, s := range p.used {
		if err, is := left[s]; is {
			lines = append(lines, fmt.Sprintf("%s: %s; remove it by: tokenkeep delete %q", p.fullName(s.name), line(err), s.id))
		}
	}
	return strings.Join(lines, ". ") + ". Their values are no credentials. It takes the rights of the job write or operator"
}

// listed are our secrets that are still among the names, where these are never late and a delete leaves none.
func (p *patient) listed(ctx context.Context) (still []scratch, err error) {
	lister, can := p.Secrets.(driver.Lister)
	if !can || lister.Lag() != 0 || p.names || p.may[toList].verdict != OK {
		return nil, nil
	}
	for name, err := range lister.List(ctx) {
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(p.used, func(s scratch) bool { return s.name == name }); i >= 0 {
			still = append(still, p.used[i])
		}
	}
	return still, nil
}

func (p *patient) fullNames(of []scratch) string {
	var names []string
	for _, s := range of {
		names = append(names, p.fullName(s.name))
	}
	return strings.Join(names, ", ")
}
