package gcpsm

import (
	"context"
	"fmt"
	"slices"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/googleapis/gax-go/v2"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Delete removes a secret and all its versions in 1 call. With Options.NoCreate it leaves an empty secret: 3 calls, and 1
// for each version.
func (s *secrets) Delete(ctx context.Context, name string) error {
	const op = "DeleteSecret"
	a := s.reads()
	err := s.checkName(name)
	switch {
	case err != nil:
	case s.o.NoCreate:
		err = s.empty(ctx, name, a)
	default:
		err = s.deleteSecret(ctx, name, a)
	}
	if err != nil && !absent(err) {
		return s.errorOf(ctx, op, name, a, err)
	}
	s.memory.noteGone(name)
	return nil
}

func (s *secrets) deleteSecret(ctx context.Context, name string, a *attempts) error {
	_, err := do(ctx, s, a, request[struct{}]{op: "DeleteSecret",
		send: func(ctx context.Context, options ...gax.CallOption) (struct{}, error) {
			return struct{}{}, s.client.DeleteSecret(ctx, &secretmanagerpb.DeleteSecretRequest{Name: s.FullName(name)}, options...)
		}})
	return in("DeleteSecret", err)
}

// empties bounds how often emptying a secret begins again because somebody else wrote.
const empties = 20

// noEtag is the etag of no secret: an update with it finds out whether there is one.
const noEtag = `"none"`

// empty takes the alias off a secret and destroys all its versions. The update proves that what was read is not out of date,
// also where there is no alias. Versions are listed before it, as a version that is added after it may be a new token's.
func (s *secrets) empty(ctx context.Context, name string, a *attempts) error {
	for try, wait := 1, firstLook; try <= empties; try, wait = try+1, min(2*wait, lastPause) {
		st, err := s.getSecret(ctx, name, a)
		if absent(err) {
			st = state{Etag: noEtag}
		} else if err != nil {
			return err
		}
		versions, err := s.liveVersions(ctx, name, true)
		if err != nil && !absent(err) {
			return err
		}
		if st.Version == 0 || lists(versions, st.Version) {
			_, err = s.setAliases(ctx, name, st.Etag, st.aliases(0), a)
			if err == nil {
				_, err = s.destroyAll(ctx, name, versions)
				if err != nil {
					err = fmt.Errorf("it is deleted, but its versions stay readable; delete it again: %w", err)
				}
			}
			if !mismatch(err) {
				return err
			}
		}
		if s.pause(ctx, wait) != nil {
			return in("GetSecret", ctx.Err())
		}
	}
	return fmt.Errorf("%d times another writer was faster; try again: %w", empties, driver.ErrUnavailable)
}

func lists(versions []*secretmanagerpb.SecretVersion, number int64) bool {
	return slices.ContainsFunc(versions, func(pb *secretmanagerpb.SecretVersion) bool {
		v, err := versionOf(pb)
		return err == nil && v.number == number
	})
}
