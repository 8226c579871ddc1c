package gcpsm

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	secretmanager "cloud.google.com/go/secretmanager/apiv1"

	"github.com/tokenkeep/tokenkeep/driver"
)

// secrets is the driver: the secrets of one parent that begin with one prefix.
type secrets struct {
	client   *secretmanager.Client
	parent   string
	location string // of regional secrets
	o        Options
	logger   *slog.Logger

	now   func() time.Time
	pause func(ctx context.Context, d time.Duration) error

	memory memory
	told   sync.Map // permissions whose lack was logged
}

var (
	_ driver.Secrets = (*secrets)(nil)
	_ driver.Namer   = (*secrets)(nil)
	_ driver.Lister  = (*secrets)(nil)
	_ driver.Cleaner = (*secrets)(nil)
	_ driver.Clock   = (*secrets)(nil)
)

func newSecrets(client *secretmanager.Client, parent string, o Options) (*secrets, error) {
	if client == nil {
		return nil, fmt.Errorf("gcpsm: the client is nil; make one with secretmanager.NewClient: %w", driver.ErrInvalid)
	}
	location, err := locationOf(parent)
	if err != nil {
		return nil, err
	}
	if err := o.validate(location); err != nil {
		return nil, err
	}
	logger := o.Logger
	if logger == nil {
		logger = o.Store.Logger
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &secrets{client: client, parent: parent, location: location, o: o, logger: logger, now: time.Now, pause: pause}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// id is the ID of a secret. Relative names have no hyphen, so the last one tells the two parts.
func (s *secrets) id(name string) string { return s.o.Prefix + "-" + name }

// FullName is the resource name of a secret, with the project as the caller has it.
func (s *secrets) FullName(name string) string { return s.parent + "/secrets/" + s.id(name) }

// Limits are 64 KiB and 255 characters for prefix and name. A secret takes any number of writes, and the project 600 in a
// minute.
func (s *secrets) Limits() driver.Limits {
	return driver.Limits{Payload: maxPayload, Name: maxID - len(s.o.Prefix) - 1}
}

// checkName refuses names that lie outside the folder.
func (s *secrets) checkName(name string) error { return driver.CheckName(name, s.Limits().Name) }

// checkPayload refuses what Secret Manager would.
func checkPayload(payload []byte) error {
	switch {
	case len(payload) == 0:
		return fmt.Errorf("the payload is empty: %w", driver.ErrInvalid)
	case !utf8.Valid(payload):
		return fmt.Errorf("the payload is not UTF-8: %w", driver.ErrInvalid)
	case len(payload) > maxPayload:
		return fmt.Errorf("the payload has %d bytes, a version takes %d: %w", len(payload), maxPayload, driver.ErrTooLarge)
	}
	return nil
}

// warn tells the logger once what a missing permission leads to.
func (s *secrets) warn(op, message string) {
	if _, told := s.told.LoadOrStore(op, true); !told {
		s.logger.Warn("gcpsm: "+message, "permission", permissions[op], "secrets", s.FullName("*"))
	}
}
