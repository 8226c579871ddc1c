package tokenkeep

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Options of a SecretStore. The zero value works.
type Options struct {
	// Parallel is how many calls DeleteTokens has under way at once; 0 means 8.
	Parallel int

	// IndexMaxAge is how long a handle goes by its copy of the index where a hit can be checked. Until then it may not
	// notice that another process saved a token that fits a query as well, or better. 0 means one minute; a negative
	// value reads the index each time.
	IndexMaxAge time.Duration

	// Logger is told, at level debug, what is removed from the index. It never sees a credential. nil discards.
	Logger *slog.Logger
}

// SecretStore is a [Store] in a secrets manager: each token is a secret of its own, and one more secret, the index,
// lists them. Any number of processes may share it.
//
// A SecretStore is safe for concurrent use. It remembers the tokens that it has read or written, at most 4,096 of
// them, to save calls; an answer from memory is always checked by the call that uses it.
type SecretStore struct {
	secrets driver.Secrets
	options Options
	cache   cache
	queue   queue
	noList  atomic.Bool // the manager's list may not be read
	seams   seams
}

var (
	_ Store     = (*SecretStore)(nil)
	_ Updater   = (*SecretStore)(nil)
	_ Refresher = (*SecretStore)(nil)
)

// seams are where the tests reach in: clock and chance, and the rules of the protocol that they switch off to prove
// that they would notice. In production all are zero but the first two.
type seams struct {
	now   func() time.Time
	nonce func() string

	noPause             bool                                             // no back-off after a conflict
	wait                func(ctx context.Context, d time.Duration) error // instead of a timer
	grace               time.Duration                                    // instead of sweepAge
	trustCache          bool                                             // rely on stamps that are only remembered
	fanOut, leafEntries int                                              // instead of fanOut and maxLeaf

	fateOf         func(record, answer) fate                                                 // instead of record.fateOf
	freeze         func(ctx context.Context, base *sheet, swept *node) (*sheet, error)       // instead of freezing a leaf
	createConflict func(ctx context.Context, op *operation, p plan) (saved Token, err error) // instead of matching again
}

// NewSecretStore returns a store over a driver. It does no I/O, needs no closing and leaves no goroutine behind.
func NewSecretStore(secrets driver.Secrets, o Options) *SecretStore {
	if o.Parallel <= 0 {
		o.Parallel = 8
	}
	if o.IndexMaxAge == 0 {
		o.IndexMaxAge = time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &SecretStore{secrets: secrets, options: o, seams: seams{now: time.Now, nonce: rand.Text}}
}

// Secrets returns the driver, for tools that examine the manager, such as package doctor. It is not for writing tokens or the
// index: what is written past the store breaks the promises of the index, and the store may not see it for a while.
func (s *SecretStore) Secrets() driver.Secrets { return s.secrets }

// Format prints no more than the type, since a SecretStore remembers credentials.
func (s *SecretStore) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("tokenkeep.SecretStore")) }

// LogValue is the type alone.
func (s *SecretStore) LogValue() slog.Value { return slog.StringValue("tokenkeep.SecretStore") }

// now is the wall clock: the monotonic one stands still while a process is frozen.
func (s *SecretStore) now() time.Time { return s.seams.now().Round(0) }

// fullName is what a secret is called in the manager.
func (s *SecretStore) fullName(name string) string {
	if namer, ok := s.secrets.(driver.Namer); ok {
		return namer.FullName(name)
	}
	return name
}

// fail returns err as an error of the operation op on a token.
func (s *SecretStore) fail(op, id string, err error) error {
	secret := ""
	if id != "" {
		secret = s.fullName(SecretName(id))
	}
	return &Error{Op: op, ID: id, Secret: secret, Err: err}
}

// operation is one call of a method that writes, over all its attempts.
type operation struct {
	start    tick            // nothing read before counts as read by the operation
	since    tick            // nothing read before counts as read by this attempt
	first    bool            // this is the first attempt: remembered rows may do
	occupied map[string]bool // IDs that turned out to be taken; they are looked at, whatever the index says
	held     map[string]bool // IDs whose names are held by deleted secrets
	listing  *change         // of a first attempt in bulk: the index change that is under way
}

func (s *SecretStore) newOperation() *operation {
	start := s.cache.tick()
	return &operation{start: start, since: start, first: true, occupied: map[string]bool{}, held: map[string]bool{}}
}

// errAgain makes retry try again: somebody else was faster.
var errAgain = errors.New("another writer was faster")

// maxAttempts is how often an operation loses to other writers before it gives up.
const maxAttempts = 100

// retry runs try until it comes to an end that is not errAgain.
func (s *SecretStore) retry(ctx context.Context, try func(*operation) (Token, error)) (Token, error) {
	op := s.newOperation()
	for attempt := range maxAttempts {
		t, err := try(op)
		if !errors.Is(err, errAgain) {
			return t, err
		}
		if err := s.pause(ctx, attempt); err != nil {
			return Token{}, err
		}
		op.first, op.since = false, s.cache.tick()
	}
	return Token{}, fmt.Errorf("other writers won %d attempts in a row; try again: %w", maxAttempts, ErrConflict)
}

// pause backs off after a conflict, longer with every one, at random so that two writers part.
func (s *SecretStore) pause(ctx context.Context, attempt int) error {
	if err := ctx.Err(); err != nil || s.seams.noPause {
		return err
	}
	longest := min(2*time.Millisecond<<min(attempt, 10), 500*time.Millisecond)
	return s.wait(ctx, mathrand.N(longest))
}

// wait pauses for d, or until ctx ends.
func (s *SecretStore) wait(ctx context.Context, d time.Duration) error {
	if s.seams.wait != nil {
		return s.seams.wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
