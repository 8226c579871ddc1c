package vault

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Put writes a secret if it is still at rev: 1 call, and 1 more to destroy the version before where the policy allows it.
// A revision that this handle has not read or written within the last minute costs a read before; a conflict costs a read
// after; a create over a deleted secret is 3.
//
// The check-and-set of Vault compares numbers. They go on through a delete by this package, but not through one of the
// metadata, nor do they change when a version is deleted or destroyed by hand. That is what the read before is for: such
// a change is noticed if it came before that read.
//
// After a lost reply the version that would be ours is read, and its payload compared.
func (s *secrets) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	w := &write{secrets: s, name: name, payload: payload, a: s.writes(ctx)}
	w.call = s.on(http.MethodPut, "data", name, "update")
	base, ok := revision{}, true
	if rev == "" {
		w.capability = "create"
	} else {
		base, ok = decodeRevision(rev, s.FullName(name))
	}
	if err := w.check(ctx, ok); err != nil {
		return "", s.errorOf(w.op(), name, w.a, err)
	}
	if err := s.ready(ctx); err != nil {
		return "", s.errorOf(mountOp, name, w.a, err)
	}
	if rev == "" {
		return w.create(ctx)
	}
	return w.update(ctx, base)
}

// write is the work of one Put.
type write struct {
	*secrets
	call
	name    string
	payload []byte
	fresh   bool // what is written over is destroyed already
	a       *attempts
}

// check finds what is wrong without a call.
func (w *write) check(ctx context.Context, known bool) error {
	if err := w.checkName(w.name); err != nil {
		return err
	}
	if err := w.checkPayload(w.payload); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("given up: %w", ctx.Err())
	case !known:
		return fmt.Errorf("the revision is not one of this secret: %w", driver.ErrConflict)
	case w.a.late():
		return fmt.Errorf("%w: %w", errTooLate, driver.ErrConflict)
	}
	return nil
}

// update writes over a version that was read.
func (w *write) update(ctx context.Context, base revision) (driver.Revision, error) {
	if !w.recent.has(w.name, base, w.now()) {
		if err := w.compare(ctx, base); err != nil {
			return "", err
		}
	}
	err := w.swap(ctx, base.version)
	if err == nil {
		return w.done(ctx, base.version)
	}
	if forbidden(err) {
		return w.refused(ctx, err, base)
	}
	return w.settle(ctx, base.version, err)
}

// compare finds a change that left the number as it was. Anything else is left to check-and-set, as this read may be
// answered by a node that is behind.
func (w *write) compare(ctx context.Context, base revision) error {
	v, err := w.value(ctx, w.name)
	if err != nil {
		return w.fail(ctx, w.reading(w.name), w.name, w.a, err)
	}
	if v.version == base.version && (v.absent() || v.revision() != base) {
		return w.lost("somebody deleted the secret by hand since it was read")
	}
	return nil
}

const (
	createTries = 20
	stalePause  = 50 * time.Millisecond // for a node that is behind
)

// create writes where there is no live secret: as version 1, or after the last version of a deleted one.
func (w *write) create(ctx context.Context) (driver.Revision, error) {
	for last, try := 0, 1; ; try++ {
		err := w.swap(ctx, last)
		switch {
		case err == nil:
			return w.done(ctx, last)
		case forbidden(err):
			return w.refused(ctx, err, revision{})
		case !mismatch(err):
			return w.settle(ctx, last, err)
		}
		v, err := w.value(ctx, w.name)
		switch {
		case err != nil:
			return "", w.fail(ctx, w.reading(w.name), w.name, w.a, err)
		case !v.absent() && v.version == last+1 && string(v.payload) == string(w.payload):
			return w.done(ctx, last)
		case !v.absent() && v.version > last+1 && w.a.resent:
			return w.settle(ctx, last, errMismatch)
		case !v.absent():
			w.a.resent = false // what is there is not ours
			return "", w.lost("the secret is there already")
		case w.a.resent:
			return "", w.lost("the secret may have been written, and deleted since")
		case try == createTries:
			return "", w.lost(fmt.Sprintf("%d times another writer was faster", try))
		case v.version <= last:
			if err := w.pause(ctx, stalePause); err != nil {
				return "", w.fail(ctx, w.call, w.name, w.a, err)
			}
		default:
			last, w.fresh, w.capability = v.version, v.destroyed, "update"
		}
	}
}

// swap writes the version after last, if last is the current one. It is one JSON text in one field, since Vault turns
// numbers into floating point.
func (w *write) swap(ctx context.Context, last int) error {
	c := w.call
	c.body = map[string]any{
		"data":    map[string]string{payloadField: string(w.payload)},
		"options": map[string]int{"cas": last},
	}
	secret, err := w.send(ctx, c, w.a)
	if err != nil {
		return err
	}
	if version, ok := number(secret.Data["version"]); !ok || version != last+1 {
		w.a.unknown = true
		return errNotVault
	}
	return nil
}

// done returns the revision of the version after last, which is ours, and destroys last.
func (w *write) done(ctx context.Context, last int) (driver.Revision, error) {
	rev := newRevision(last+1, w.payload)
	w.recent.note(w.name, rev, w.now())
	if last > 0 && !w.fresh {
		w.destroySuperseded(ctx, w.name, last)
	}
	return rev.encode(w.FullName(w.name)), nil
}

// settle decides what it means that a swap failed, by reading the version that would be ours.
func (w *write) settle(ctx context.Context, last int, failure error) (driver.Revision, error) {
	if !mismatch(failure) && !w.a.unknown || ctx.Err() != nil {
		return "", w.fail(ctx, w.call, w.name, w.a, failure)
	}
	v, err := w.valueAt(ctx, w.name, last+1)
	switch {
	case err == nil && v.version == last+1 && !v.gone && string(v.payload) == string(w.payload):
		return w.done(ctx, last)
	case err == nil && v.version == last+1 && !v.gone:
		w.a.resent = false // what is there is not ours
		return "", w.lost("another writer was faster")
	}
	return "", w.fail(ctx, w.call, w.name, w.a, failure)
}

// refused decides what a 403 means: a policy that lets a token be updated and not created refuses an update of one that
// was deleted meanwhile, and one that lets it be created and not updated a create of one that is there.
func (w *write) refused(ctx context.Context, failure error, base revision) (driver.Revision, error) {
	v, err := w.value(ctx, w.name)
	switch {
	case err != nil:
		return "", w.fail(ctx, w.call, w.name, w.a, failure)
	case base.version != 0 && v.absent():
		return "", w.lost("the secret was deleted")
	case base.version == 0 && !v.absent() && v.version == 1 && string(v.payload) == string(w.payload):
		return w.done(ctx, 0)
	case base.version == 0 && !v.absent():
		return "", w.lost("the secret is there already")
	}
	if v.version > 0 {
		w.capability = "update" // a deleted secret exists, for Vault
	}
	return "", w.errorOf(w.op(), w.name, w.a, lacks(w.call))
}

func (w *write) lost(what string) error {
	return w.errorOf(w.op(), w.name, w.a, fmt.Errorf("%s: %w", what, driver.ErrConflict))
}
