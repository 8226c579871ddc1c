package gcpsm

import (
	"context"
	"errors"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Get reads a secret by its alias in 1 call, of the quota of 90,000 in a minute. It may be older than the newest write, but
// not than what this handle has read or written: then, and where the version is destroyed already, it goes on as Latest
// does.
func (s *secrets) Get(ctx context.Context, name string) (driver.Secret, error) {
	const op = "AccessSecretVersion"
	a := s.reads()
	if err := s.checkName(name); err != nil {
		return driver.Secret{}, s.errorOf(ctx, op, name, a, err)
	}
	number, payload, err := s.access(ctx, name, current, a)
	known, seen := s.memory.get(name)
	outdated := err == nil && (known.gone || number < known.Version) || absent(err) && !known.gone
	if notEnabled(err) || seen && outdated {
		return s.Latest(ctx, name)
	}
	if err != nil {
		return driver.Secret{}, s.errorOf(ctx, op, name, a, err)
	}
	return driver.Secret{Payload: payload, Revision: fromAlias(number, payload).revision(s.FullName(name))}, nil
}

// Latest reads a secret in 2 calls: GetSecret, of the quota of 600 in a minute, and the version by number.
//
// Only the second is promised to be fresh. So what has been written over, and destroyed, or deleted is never returned; a
// secret that another handle has just created may be missed.
func (s *secrets) Latest(ctx context.Context, name string) (driver.Secret, error) {
	const op = "GetSecret"
	a := s.reads()
	if err := s.checkName(name); err != nil {
		return driver.Secret{}, s.errorOf(ctx, op, name, a, err)
	}
	st, payload, err := s.latest(ctx, name, a)
	if err != nil {
		return driver.Secret{}, s.errorOf(ctx, op, name, a, err)
	}
	return driver.Secret{Payload: payload, Revision: st.revision(s.FullName(name))}, nil
}

const (
	looks     = 5 // at a secret whose state is known to be out of date
	firstLook = 50 * time.Millisecond
)

// latest reads a secret again while what it reads is known to be out of date.
func (s *secrets) latest(ctx context.Context, name string, a *attempts) (state, []byte, error) {
	for look, wait := 1, firstLook; ; look, wait = look+1, 2*wait {
		st, payload, stale, err := s.look(ctx, name, a)
		if stale && look == looks && err == nil {
			s.memory.forget(name) // somebody moved the alias back by hand
		}
		if !stale || look == looks {
			if err == nil {
				s.memory.note(name, st, "")
			}
			return st, payload, err
		}
		if s.pause(ctx, wait) != nil {
			return st, nil, in("GetSecret", ctx.Err())
		}
	}
}

// look reads a secret once, and tells whether that is known to be out of date. The error is driver.ErrNotFound where there
// is no secret, or none with a current version.
func (s *secrets) look(ctx context.Context, name string, a *attempts) (st state, payload []byte, stale bool, err error) {
	st, err = s.getSecret(ctx, name, a)
	if err != nil && !absent(err) {
		return st, nil, false, err
	}
	known, seen := s.memory.get(name)
	if err != nil || st.Version == 0 {
		stale = seen && !known.gone && s.lives(ctx, name, known.Version, a)
		return st, nil, stale, driver.ErrNotFound
	}
	payload, err = s.accessNumber(ctx, name, st.Version, a)
	switch {
	case absent(err):
		return st, nil, true, driver.ErrNotFound
	case notEnabled(err):
		return st, nil, true, err
	case err != nil:
		return st, nil, false, err
	}
	return st, payload, seen && st.before(known.state), nil
}

// lives tells whether a secret has a version that it had: if not, the secret was deleted since. Versions are not removed.
func (s *secrets) lives(ctx context.Context, name string, number int64, a *attempts) bool {
	_, err := s.accessNumber(ctx, name, number, a)
	if absent(err) {
		s.memory.forget(name)
	}
	return err == nil || notEnabled(err)
}

// GetMany reads several secrets as Latest does, up to 8 at once. When Secret Manager cannot be reached for one, or a quota
// is used up, the rest is not asked for.
func (s *secrets) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	return driver.Each(ctx, names, s.Latest, outOfReach)
}

// outOfReach tells whether an error is about more than one secret.
func outOfReach(err error) bool {
	return errors.Is(err, driver.ErrQuota) ||
		errors.Is(err, driver.ErrUnavailable) && !errors.Is(err, errNotEnabled) && !errors.Is(err, errSpoilt)
}
