package gcpsm

import (
	"context"
	"errors"

	"github.com/tokenkeep/tokenkeep/driver"
)

// amongTokens gives every name the beginning that those of tokens have, which is what roles go by. It lists nothing.
type amongTokens struct{ s *secrets }

const tokenName = "t_"

// renamed is an error about the name that the caller gave.
func renamed(err error) error {
	var e *driver.Error
	if errors.As(err, &e) {
		e.Name = e.Name[len(tokenName):]
	}
	return err
}

func (a amongTokens) Get(ctx context.Context, name string) (driver.Secret, error) {
	got, err := a.s.Get(ctx, tokenName+name)
	return got, renamed(err)
}

func (a amongTokens) Latest(ctx context.Context, name string) (driver.Secret, error) {
	got, err := a.s.Latest(ctx, tokenName+name)
	return got, renamed(err)
}

func (a amongTokens) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	var longer []string
	for _, name := range names {
		longer = append(longer, tokenName+name)
	}
	got, err := a.s.GetMany(ctx, longer)
	found := map[string]driver.Secret{}
	for name, secret := range got {
		found[name[len(tokenName):]] = secret
	}
	return found, err
}

func (a amongTokens) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	next, err := a.s.Put(ctx, tokenName+name, payload, rev)
	return next, renamed(err)
}

func (a amongTokens) Delete(ctx context.Context, name string) error {
	return renamed(a.s.Delete(ctx, tokenName+name))
}

func (a amongTokens) FullName(name string) string { return a.s.FullName(tokenName + name) }

func (a amongTokens) Limits() driver.Limits {
	l := a.s.Limits()
	l.Name -= len(tokenName)
	return l
}
