package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/vault/api"

	"github.com/tokenkeep/tokenkeep/driver"
)

// secrets is the driver: the secrets of one mount under one prefix.
type secrets struct {
	client *api.Client // the caller's: has the token and the headers
	sender *api.Client // ours: see the function sender
	mount  string      // without slashes around
	prefix string      // without slashes around
	limit  int         // bytes of a payload
	logger *slog.Logger

	now   func() time.Time
	pause func(ctx context.Context, d time.Duration) error

	mounted atomic.Bool // the mount is known to be a KV engine of version 2
	recent  recent
	kept    sync.Map  // stems of names whose old versions may not be destroyed
	expires sync.Once // the warning about delete_version_after
}

var (
	_ driver.Secrets   = (*secrets)(nil)
	_ driver.Namer     = (*secrets)(nil)
	_ driver.Lister    = (*secrets)(nil)
	_ driver.Clock     = (*secrets)(nil)
	_ driver.Forgetter = (*secrets)(nil)
)

func newSecrets(client *api.Client, o Options) (*secrets, error) {
	if client == nil {
		return nil, fmt.Errorf("vault: the client is nil; make one with api.NewClient: %w", driver.ErrInvalid)
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	own, err := sender(client, o.Namespace)
	if err != nil {
		return nil, fmt.Errorf("vault: the client cannot be copied; check the environment variables VAULT_*: %w (%w)", driver.ErrInvalid, err)
	}
	return &secrets{
		client: client, sender: own,
		mount: o.Mount, prefix: o.Prefix, limit: o.MaxPayload, logger: o.Logger,
		now: time.Now, pause: pause,
	}, nil
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

// FullName is the name of a secret as "vault kv get" takes it.
func (s *secrets) FullName(name string) string { return s.mount + "/" + s.prefix + "/" + name }

// Limits are Options.MaxPayload and 512 bytes for prefix and name.
func (s *secrets) Limits() driver.Limits {
	return driver.Limits{Payload: s.limit, Name: maxName - len(s.prefix) - 1}
}

// Get is Latest: 1 call.
func (s *secrets) Get(ctx context.Context, name string) (driver.Secret, error) {
	return s.read(ctx, name)
}

// Latest reads a secret in 1 call.
func (s *secrets) Latest(ctx context.Context, name string) (driver.Secret, error) {
	return s.read(ctx, name)
}

func (s *secrets) read(ctx context.Context, name string) (driver.Secret, error) {
	c, a := s.reading(name), s.reads()
	if err := s.checkName(name); err != nil {
		return driver.Secret{}, s.errorOf(c.op(), name, a, err)
	}
	if err := s.ready(ctx); err != nil {
		return driver.Secret{}, s.errorOf(mountOp, name, a, err)
	}
	v, err := s.value(ctx, name)
	if err != nil {
		return driver.Secret{}, s.fail(ctx, c, name, a, err)
	}
	if v.absent() {
		return driver.Secret{}, s.errorOf(c.op(), name, a, driver.ErrNotFound)
	}
	s.recent.note(name, v.revision(), s.now())
	return driver.Secret{Payload: v.payload, Revision: v.revision().encode(s.FullName(name))}, nil
}

func (s *secrets) reading(name string) call { return s.on(http.MethodGet, "data", name, "read") }

// value is one version of a secret.
type value struct {
	version   int    // 0: there never was any, as far as is known
	gone      bool   // deleted or destroyed
	destroyed bool   // for good
	payload   []byte // where it is not gone
}

func (v value) revision() revision { return newRevision(v.version, v.payload) }

func (v value) absent() bool { return v.version == 0 || v.gone || string(v.payload) == tombstone }

// value reads the current version of a secret. Errors are those of send.
func (s *secrets) value(ctx context.Context, name string) (value, error) {
	return s.fetch(ctx, name, nil)
}

// valueAt reads one version.
func (s *secrets) valueAt(ctx context.Context, name string, version int) (value, error) {
	return s.fetch(ctx, name, url.Values{"version": {strconv.Itoa(version)}})
}

func (s *secrets) fetch(ctx context.Context, name string, query url.Values) (value, error) {
	c := s.reading(name)
	c.query = query
	secret, err := s.send(ctx, c, s.reads())
	if err != nil || secret == nil {
		return value{}, err
	}
	metadata, ok := secret.Data["metadata"].(map[string]any)
	version, known := number(metadata["version"])
	if !ok || !known || version <= 0 {
		return value{}, errNotVault
	}
	destroyed, _ := metadata["destroyed"].(bool)
	deletion, _ := metadata["deletion_time"].(string)
	if secret.Data["data"] == nil && (destroyed || deletion != "") {
		return value{version: version, gone: true, destroyed: destroyed}, nil
	}
	if deletion != "" {
		s.warnExpires()
	}
	payload, err := payloadOf(secret.Data["data"])
	return value{version: version, payload: payload}, err
}

const payloadField = "payload"

// payloadOf returns the text that this package stored or, where somebody else wrote, all that there is: it is for the
// caller to refuse it.
func payloadOf(data any) ([]byte, error) {
	if fields, ok := data.(map[string]any); ok && len(fields) == 1 {
		if text, ok := fields[payloadField].(string); ok {
			return []byte(text), nil
		}
	}
	return json.Marshal(data)
}

func number(v any) (int, bool) {
	text, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(text.String())
	return n, err == nil
}

func (s *secrets) warnExpires() {
	s.expires.Do(func() {
		s.logger.Warn("vault: delete_version_after is set, so tokens vanish by themselves; set it to 0 on the mount and on the secrets",
			"mount", s.mount, "prefix", s.prefix)
	})
}

// checkName refuses names that lie outside the folder.
func (s *secrets) checkName(name string) error { return driver.CheckName(name, s.Limits().Name) }

// checkPayload refuses what Vault would not store as it is.
func (s *secrets) checkPayload(payload []byte) error {
	if !utf8.Valid(payload) {
		return fmt.Errorf("the payload is not UTF-8: %w", driver.ErrInvalid)
	}
	text, err := json.Marshal(string(payload))
	if err != nil {
		return fmt.Errorf("the payload cannot be encoded: %w", driver.ErrInvalid)
	}
	if size := len(text) - len(`""`); size > s.limit {
		return fmt.Errorf("the payload is %d bytes in JSON, Options.MaxPayload is %d: %w", size, s.limit, driver.ErrTooLarge)
	}
	return nil
}
