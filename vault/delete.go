package vault

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/tokenkeep/tokenkeep/driver"
)

// tombstone is the payload of the last version of a deleted secret. It is read as absent.
const tombstone = `{"tokenkeep": 1, "kind": "deleted"}`

// burials bounds how often a delete begins again because somebody else wrote.
const burials = 100

// Delete removes a secret and all its versions: 3 calls, and 1 where nothing is left to remove.
//
// No delete of Vault takes a check-and-set. So a tombstone is written by one; then every version is destroyed, the
// tombstone too. The metadata stays, a name and a counter: deleting it would also delete a secret that was created again
// in that moment, and would begin the counter again, so that revisions read before would fit.
func (s *secrets) Delete(ctx context.Context, name string) error {
	c, a := s.on(http.MethodGet, "metadata", name, "read"), s.reads()
	if err := s.checkName(name); err != nil {
		return s.errorOf(c.op(), name, a, err)
	}
	if err := s.ready(ctx); err != nil {
		return s.errorOf(mountOp, name, a, err)
	}
	grave := &write{secrets: s, call: s.on(http.MethodPut, "data", name, "update"), name: name, payload: []byte(tombstone), a: a}
	for range burials {
		last, versions, err := s.versions(ctx, c)
		if err != nil {
			return s.fail(ctx, c, name, a, err)
		}
		if len(versions) == 0 {
			return nil
		}
		err = grave.swap(ctx, last)
		if mismatch(err) {
			continue
		}
		if err != nil {
			return s.fail(ctx, grave.call, name, a, err)
		}
		if err := s.destroy(ctx, name, append(versions, last+1)); err != nil {
			cause := s.cause(ctx, s.destroying(name), a, err)
			return s.errorOf(s.destroying(name).op(), name, a, fmt.Errorf("it is deleted, but its versions stay readable; delete it again: %w", cause))
		}
		return nil
	}
	return s.errorOf(c.op(), name, a, fmt.Errorf("%d times another writer was faster; try again: %w", burials, driver.ErrUnavailable))
}

// versions returns the number of the current version of a secret, and those of the versions that are not destroyed.
func (s *secrets) versions(ctx context.Context, c call) (last int, versions []int, err error) {
	secret, err := s.send(ctx, c, s.reads())
	if err != nil || secret == nil {
		return 0, nil, err
	}
	last, ok := number(secret.Data["current_version"])
	all, isMap := secret.Data["versions"].(map[string]any)
	if !ok || !isMap {
		return 0, nil, errNotVault
	}
	for text, about := range all {
		version, err := strconv.Atoi(text)
		if err != nil {
			return 0, nil, errNotVault
		}
		fields, _ := about.(map[string]any)
		if destroyed, _ := fields["destroyed"].(bool); !destroyed {
			versions = append(versions, version)
		}
	}
	slices.Sort(versions)
	return last, versions, nil
}
