package localstack

import (
	"cmp"
	"slices"
	"time"
)

// The quota of versions. AWS calls it "about 100", removes versions without a label where there are more, and none of them
// before it is a day old (Secrets Manager user guide, AWS Secrets Manager quotas).
const (
	maxVersions   = 100
	minVersionAge = 24 * time.Hour
)

var errTooManyVersions = limitExceeded("You can't have more than %d versions of a secret. A version without a staging label is "+
	"removed when there are more, but not before it is 24 hours old.", maxVersions)

// makeRoom removes the oldest versions that it may so that one more fits. The ID of a removed version is free for another.
// After an error the secret is as it was.
func (s *secret) makeRoom(now time.Time) error {
	excess := len(s.versions) + 1 - maxVersions
	if excess <= 0 {
		return nil
	}
	var removable []*version
	for id, v := range s.versions {
		if now.Sub(v.created) >= minVersionAge && len(s.labelsOf(id)) == 0 {
			removable = append(removable, v)
		}
	}
	if len(removable) < excess {
		return errTooManyVersions
	}
	slices.SortFunc(removable, func(a, b *version) int { return cmp.Compare(a.serial, b.serial) })
	for _, v := range removable[:excess] {
		delete(s.versions, v.id)
	}
	return nil
}
