package gcpsm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep/driver"
)

// cleanUp destroys the versions that nothing needs any more after a put has moved the alias from base to v, and tells
// whether it did: that before, and those of other writers who ended halfway, or whose attempts were lost.
//
// All versions with lower numbers are such: whoever added one had read an etag before that does not fit any more. A gap in
// the numbers tells that there may be some.
func (s *secrets) cleanUp(ctx context.Context, name string, base, st state, v version) bool {
	gap := v.number > base.Version+1
	if ctx.Err() != nil || base.Version == 0 && !gap {
		return ctx.Err() == nil
	}
	known, _ := s.memory.get(name)
	own := known.Created == base.Created && known.Version == base.Version && known.versionEtag != ""
	clean := true
	if own && !st.refersTo(base.Version) {
		clean = s.destroyed(s.destroyVersion(ctx, name, version{base.Version, known.versionEtag}))
	}
	if own && !gap {
		return clean
	}
	versions, err := s.liveVersions(ctx, name, false)
	if err != nil {
		s.tellDenied(err)
		return false
	}
	if !own && base.Version != 0 && !lists(versions, base.Version) {
		clean = false // the list is late
	}
	for _, pb := range versions {
		old, err := versionOf(pb)
		if err != nil || old.number >= v.number || st.refersTo(old.number) || own && old.number == base.Version {
			continue
		}
		clean = s.destroyed(s.destroyVersion(ctx, name, old)) && clean
	}
	return clean
}

// destroyed tells whether a version is destroyed, by this call or by another one.
func (s *secrets) destroyed(err error) bool {
	s.tellDenied(err)
	return err == nil || absent(err) || mismatch(err)
}

// tellDenied tells the logger once that superseded versions stay.
func (s *secrets) tellDenied(err error) {
	var call *callError
	if errors.As(err, &call) && codeOf(err) == codes.PermissionDenied {
		s.warn(call.op, "superseded versions stay readable, and are billed each month, as the role does not let them be destroyed")
	}
}

// youngest is the age that a version must have before Clean destroys it: twice as long as a put may take.
const youngest = 10 * time.Minute

// Clean destroys the versions of a secret that no alias stands for: 2 calls, and where there are such versions 1 more and 1
// for each. The secret itself, which costs nothing, stays. It needs the permissions secrets.get, secrets.update,
// versions.list and versions.destroy.
//
// Before it destroys anything it updates the secret without changing it. That succeeds only if the aliases are as they were
// read, and makes a new etag, so that no writer who had read before can succeed with a version that is listed here.
func (s *secrets) Clean(ctx context.Context, name string) (int, error) {
	a := s.reads()
	if err := s.checkName(name); err != nil {
		return 0, s.errorOf(ctx, "ListSecretVersions", name, a, err)
	}
	for look, wait := 1, firstLook; ; look, wait = look+1, 2*wait {
		n, err := s.clean(ctx, name, a)
		if err == nil || !mismatch(err) || look == looks || s.pause(ctx, wait) != nil {
			if err != nil {
				err = s.errorOf(ctx, "DestroySecretVersion", name, a, err)
			}
			return n, err
		}
	}
}

// clean is one round of Clean. A mismatch means that nothing was destroyed.
func (s *secrets) clean(ctx context.Context, name string, a *attempts) (n int, err error) {
	st, err := s.getSecret(ctx, name, a)
	if absent(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	versions, err := s.liveVersions(ctx, name, true)
	if err != nil && !absent(err) {
		return 0, err
	}
	var old []*secretmanagerpb.SecretVersion
	for _, pb := range versions {
		v, err := versionOf(pb)
		if err == nil && !st.refersTo(v.number) && s.now().Sub(pb.GetCreateTime().AsTime()) >= youngest {
			old = append(old, pb)
		}
	}
	if len(old) == 0 {
		return 0, nil
	}
	if _, err := s.setAliases(ctx, name, st.Etag, st.aliases(st.Version), a); err != nil {
		return 0, err
	}
	return s.destroyAll(ctx, name, old)
}

// destroyAll destroys versions that were listed, and returns how many. One that is destroyed already, or whose number is
// another's since, counts for nothing.
func (s *secrets) destroyAll(ctx context.Context, name string, versions []*secretmanagerpb.SecretVersion) (n int, failed error) {
	for _, pb := range versions {
		v, err := versionOf(pb)
		if err == nil {
			err = s.destroyVersion(ctx, name, v)
		}
		switch {
		case err == nil:
			n++
		case !absent(err) && !mismatch(err) && failed == nil:
			failed = err
		}
	}
	if failed == nil {
		return n, nil
	}
	var call *callError
	if errors.As(failed, &call) {
		return n, fmt.Errorf("%d of %d versions were destroyed: %w", n, len(versions), s.cause(ctx, call))
	}
	return n, fmt.Errorf("%d of %d versions were destroyed: %w", n, len(versions), errors.Join(failed, driver.ErrUnavailable))
}
