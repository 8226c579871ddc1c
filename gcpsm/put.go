package gcpsm

import (
	"context"
	"fmt"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Put writes a secret if it is still at rev: AddSecretVersion, then UpdateSecret, which moves the alias if the etag is that
// of rev, then DestroySecretVersion of the version before. That is 3 calls; 1 more before the last where another handle
// wrote the version before, or was at work at the same time; 2 more before where rev is of Get; CreateSecret in place of
// the last for a new secret.
//
// What decides is the comparison of etags. Any change of the secret's metadata makes a new one, so a put may conflict
// although the payload is what it was.
//
// Throttled and unanswered calls are repeated, within the context. An update whose reply was lost is sent again, since its
// etag fits once only; if it does not fit any more, the secret is read to find out who moved the alias.
func (s *secrets) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	w := &write{secrets: s, name: name, payload: payload, a: s.writes(ctx)}
	base, err := w.check(ctx, rev)
	var st state
	if err == nil {
		switch {
		case rev == "":
			st, err = w.create(ctx)
		case base.Etag == "":
			st, err = w.updateRead(ctx, base)
		default:
			st, err = w.commit(ctx, base)
		}
	}
	if err != nil {
		return "", s.errorOf(ctx, w.op(rev), name, w.a, err)
	}
	return st.revision(s.FullName(name)), nil
}

// write is the work of one Put. The errors of its methods are for errorOf.
type write struct {
	*secrets
	name    string
	payload []byte
	a       *attempts
}

func (w *write) op(rev driver.Revision) string {
	if rev == "" && !w.o.NoCreate {
		return "CreateSecret"
	}
	return "UpdateSecret"
}

// check finds what is wrong without a call.
func (w *write) check(ctx context.Context, rev driver.Revision) (base state, err error) {
	if err := w.checkName(w.name); err != nil {
		return base, err
	}
	if err := checkPayload(w.payload); err != nil {
		return base, err
	}
	known := true
	if rev != "" {
		base, known = decodeRevision(rev, w.FullName(w.name))
	}
	switch {
	case ctx.Err() != nil:
		return base, fmt.Errorf("given up: %w", ctx.Err())
	case !known:
		return base, fmt.Errorf("the revision is not one of this secret: %w", driver.ErrConflict)
	case w.a.late():
		return base, fmt.Errorf("%w: %w", errTooLate, driver.ErrConflict)
	}
	return base, nil
}

// create writes where there is no live secret: to a new one, or one whose alias is not set.
func (w *write) create(ctx context.Context) (state, error) {
	if !w.o.NoCreate {
		st, err := w.createSecret(ctx, w.name, w.a)
		if err == nil {
			return w.commit(ctx, st)
		}
		if !exists(err) {
			return state{}, err
		}
	}
	for look, wait := 1, firstLook; ; look, wait = look+1, 2*wait {
		st, err := w.getSecret(ctx, w.name, w.a)
		switch {
		case err == nil && st.Version != 0:
			return w.recognise(ctx, "the secret is there already")
		case err == nil:
			return w.commit(ctx, st)
		case !absent(err):
			return state{}, err
		case w.o.NoCreate:
			return state{}, fmt.Errorf("there is no such secret, and Options.NoCreate is set; make an empty one: %w", driver.ErrPermission)
		case look == looks:
			return state{}, fmt.Errorf("the secret was made by another writer, or deleted, just now: %w", driver.ErrConflict)
		}
		if w.pause(ctx, wait) != nil {
			return state{}, err
		}
	}
}

// updateRead writes over a version that was read by its alias, if it is still the current one in the same life.
func (w *write) updateRead(ctx context.Context, base state) (state, error) {
	st, payload, err := w.latest(ctx, w.name, w.a)
	switch {
	case err == driver.ErrNotFound:
		return state{}, lost("the secret was deleted")
	case err != nil:
		return state{}, err
	case string(payload) == string(w.payload):
		return st, nil // this very put was sent before
	case st.Version != base.Version || fromAlias(st.Version, payload).Digest != base.Digest:
		return state{}, lost("another writer was faster")
	}
	return w.commit(ctx, st)
}

// commit writes over a state.
func (w *write) commit(ctx context.Context, base state) (state, error) {
	v, err := w.addVersion(ctx, w.name, w.payload, w.a)
	if absent(err) {
		return state{}, lost("the secret was deleted")
	}
	if err != nil {
		return state{}, err
	}
	if v.number <= base.Version {
		w.discard(ctx, v)
		return state{}, lost("the secret was deleted, and created again")
	}
	st, err := w.setAliases(ctx, w.name, base.Etag, base.aliases(v.number), w.a)
	switch {
	case err == nil:
		return w.done(ctx, base, st, v), nil
	case w.a.unknown && (mismatch(err) || absent(err)):
		return w.settle(ctx, base, v)
	case w.a.unknown:
		return state{}, err // the version may be the current one
	}
	w.discard(ctx, v)
	if mismatch(err) {
		return w.recognise(ctx, "another writer was faster")
	}
	if absent(err) {
		return state{}, lost("the secret was deleted")
	}
	return state{}, err
}

// done cleans up behind a put that took effect.
func (w *write) done(ctx context.Context, base, st state, v version) state {
	if !w.cleanUp(ctx, w.name, base, st, v) {
		v.etag = "" // so that the next put looks for what is left
	}
	w.memory.note(w.name, st, v.etag)
	return st
}

// discard destroys a version that no alias ever stood for.
func (w *write) discard(ctx context.Context, v version) {
	if ctx.Err() != nil {
		return // a later put destroys it, or Clean
	}
	w.tellDenied(w.destroyVersion(ctx, w.name, v))
}

// settle finds out who moved the alias from base, after replies were lost. v is destroyed only where it is certain that it
// is not the current version, and never will be: nobody else makes it so.
//
// A writer adds its version after it has read the etag, so whoever wrote over a state has a higher number than that has.
func (w *write) settle(ctx context.Context, base state, v version) (state, error) {
	for look, wait := 1, firstLook; look <= looks; look, wait = look+1, 2*wait {
		st, err := w.getSecret(ctx, w.name, w.a)
		switch {
		case absent(err) && !w.lives(ctx, w.name, v.number, w.a):
			return state{}, lost("the secret was deleted, perhaps after this was written")
		case err != nil && !absent(err):
			return state{}, err
		case err == nil && st.Created == base.Created && st.Version == v.number:
			return w.done(ctx, base, st, v), nil
		case err == nil && st.Created == base.Created && st.Version > base.Version:
			w.a.resent = st.Version > v.number // else ours did not take effect: theirs would have come after it
			w.discard(ctx, v)
			return state{}, lost("another writer was faster")
		case err == nil && st.Created > base.Created:
			return state{}, lost("the secret was deleted, and created again")
		}
		if w.pause(ctx, wait) != nil {
			break
		}
	}
	return state{}, fmt.Errorf("it cannot be found out whether this was written; read again: %w", unlessEnded(ctx, driver.ErrUnavailable))
}

func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// recognise finds out whether a put that came too late had come before: its payload is there then. Otherwise it is a
// conflict.
func (w *write) recognise(ctx context.Context, what string) (state, error) {
	number, payload, err := w.access(ctx, w.name, current, w.a)
	if err != nil || string(payload) != string(w.payload) {
		return state{}, lost(what)
	}
	st, err := w.getSecret(ctx, w.name, w.a)
	if err != nil || st.Version != number {
		return state{}, lost(what)
	}
	return st, nil
}

func lost(what string) error { return fmt.Errorf("%s: %w", what, driver.ErrConflict) }
