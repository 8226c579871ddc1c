package awssm

import (
	"context"
	"iter"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// The tests are in package awssm_test, since package localstack, which they run on, may import this one.

// Driver is the driver under test, with its clock and its waiting.
type Driver struct {
	driver.Secrets
	s *secrets
}

// NewDriver returns the driver of a store.
func NewDriver(client Client, o Options) (Driver, error) {
	s, err := newSecrets(client, o)
	return Driver{s, s}, err
}

// FullName makes a Driver a driver.Namer.
func (d Driver) FullName(name string) string { return d.s.FullName(name) }

// List and Lag make a Driver a driver.Lister.
func (d Driver) List(ctx context.Context) iter.Seq2[string, error] { return d.s.List(ctx) }

// Lag is how long a write may take to show in List.
func (d Driver) Lag() time.Duration { return d.s.Lag() }

// RolledBack makes a Driver a driver.RollbackChecker.
func (d Driver) RolledBack(ctx context.Context, name string) (bool, error) {
	return d.s.RolledBack(ctx, name)
}

// SetNow replaces the clock.
func (d Driver) SetNow(now func() time.Time) { d.s.now = now }

// SetPause replaces the waiting.
func (d Driver) SetPause(pause func(context.Context, time.Duration) error) { d.s.pause = pause }

// SetHeldFor replaces the bound of the wait for a name that a deleted secret holds.
func (d Driver) SetHeldFor(limit time.Duration) { d.s.heldFor = limit }

// Tombstone is what a secret deleted with a recovery window ends in.
var Tombstone = string(tombstonePayload)

// Successor is the VersionId that follows a version.
func Successor(version string) string { return revision{version: version}.successor().version }

// StagedSuccessor is the VersionId of the n-th place for what follows a version in two steps.
func StagedSuccessor(version string, n int) string {
	return revision{version: version}.stagedSuccessor(n).version
}

// FirstVersion is the VersionId of a new secret.
var FirstVersion = firstVersion

// MovedByHand tells whether AWSCURRENT came from one version to another by hand.
func MovedByHand(current, previous string) bool { return movedByHand(current, previous) }

// Placeholder is what holds the place of a version that nobody may write any more.
var Placeholder = string(placeholder)

// PendingStage is the label of a version that is to become current.
const PendingStage = pendingStage
