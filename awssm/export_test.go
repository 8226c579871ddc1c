package awssm

import (
	"context"
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
