package awssm

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/driver"
)

// RolledBack tells whether AWSCURRENT was moved to an older version by hand: 1 call, DescribeSecret.
//
// Whenever AWSCURRENT moves, AWSPREVIOUS moves to where it was (API reference, UpdateSecretVersionStage). So, after a
// put, AWSCURRENT is on a version whose VersionId follows from that of AWSPREVIOUS, and after a move by hand it is not.
// A value that somebody put in is no such move. Two moves one after the other can look like none.
func (s *secrets) RolledBack(ctx context.Context, name string) (bool, error) {
	a := s.reads()
	if err := s.checkName(name); err != nil {
		return false, s.errorOf("DescribeSecret", name, a, err)
	}
	out, err := s.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(s.FullName(name))}, a.option)
	if err != nil {
		return false, s.fail(ctx, "DescribeSecret", name, a, err)
	}
	if out.DeletedDate != nil || endsInTombstone(out.VersionIdsToStages) {
		return false, s.errorOf("DescribeSecret", name, a, driver.ErrNotFound)
	}
	return movedByHand(holder(out.VersionIdsToStages, currentStage), holder(out.VersionIdsToStages, previousStage)), nil
}

// holder is the version that a label is on, or "".
func holder(stages map[string][]string, label string) string {
	for version, labels := range stages {
		if slices.Contains(labels, label) {
			return version
		}
	}
	return ""
}

// movedByHand tells whether AWSCURRENT came from previous to current by hand. A current version that somebody else
// wrote did not, unless what was previous is known to follow it.
func movedByHand(current, previous string) bool {
	now, before := revision{version: current}, revision{version: previous}
	switch {
	case previous == "":
		return false
	case before.follows(now):
		return true
	}
	return now.ours() && !now.follows(before)
}

// ours tells whether a version has a VersionId of the kind that this package makes. Others are UUIDs, as a rule.
func (r revision) ours() bool {
	return r.staged() || len(r.version) == 64 && strings.Trim(r.version, "0123456789abcdef") == ""
}
