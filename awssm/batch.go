package awssm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/tokenkeep/tokenkeep/driver"
)

const (
	batchSize   = 20 // secrets in one BatchGetSecretValue (API reference)
	concurrency = 8  // calls of one GetMany at once
)

// GetMany reads several secrets: 1 call for 20 of them, up to 8 calls at once, and GetSecretValue for a single one.
//
// BatchGetSecretValue needs an action of its own. Where that is denied, or the endpoint has no such call, this
// handle reads secrets one by one from then on.
func (s *secrets) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	m := &many{secrets: s, found: map[string]driver.Secret{}, failed: map[string]error{}}
	todo := m.valid(names)
	if len(todo) > 1 && !s.noBatch.Load() {
		todo = m.batches(ctx, todo)
	}
	m.singly(ctx, todo)
	if m.broken != nil && m.lost == len(m.failed) && len(m.found) == 0 {
		return nil, m.broken
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(m.failed)) {
		errs = append(errs, m.failed[name])
	}
	return m.found, errors.Join(errs...)
}

// many is the work of one GetMany.
type many struct {
	*secrets
	mu     sync.Mutex // guards the rest
	found  map[string]driver.Secret
	failed map[string]error
	lost   int   // names whose batch failed as a whole
	broken error // of the first such batch
}

// valid returns the names to ask for, each once.
func (m *many) valid(names []string) []string {
	var todo []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if err := m.checkName(name); err != nil {
			m.failed[name] = m.errorOf("BatchGetSecretValue", name, m.reads(), err)
			continue
		}
		todo = append(todo, name)
	}
	return todo
}

// batches reads names 20 at a time, and returns those that are to be read singly.
func (m *many) batches(ctx context.Context, names []string) []string {
	var left []string
	var calls errgroup.Group
	calls.SetLimit(concurrency)
	for chunk := range slices.Chunk(names, batchSize) {
		calls.Go(func() error {
			rest := m.batch(ctx, chunk)
			m.mu.Lock()
			defer m.mu.Unlock()
			left = append(left, rest...)
			return nil
		})
	}
	_ = calls.Wait() // failures are in m
	return left
}

// batch reads up to 20 names, and returns those that are to be read singly.
//
// A reply may hold a part and a NextToken. Then the rest is asked for by name, as it is not documented whether a token
// can be sent with a list of names.
func (m *many) batch(ctx context.Context, names []string) (left []string) {
	asked := make(map[string]string, len(names)) // full names
	for _, name := range names {
		asked[m.FullName(name)] = name
	}
	for more := true; more && len(asked) > 0 && !m.noBatch.Load(); {
		a := m.reads()
		out, err := m.ask(ctx, asked, a)
		if err != nil && (denied(err) || unknownCall(err)) {
			m.noBatch.Store(true)
			break
		}
		if err != nil {
			m.lose(ctx, asked, a, err)
			return nil
		}
		before := len(asked)
		m.take(out, asked)
		more = aws.ToString(out.NextToken) != "" && len(asked) < before
	}
	return slices.Collect(maps.Values(asked))
}

func (m *many) ask(ctx context.Context, asked map[string]string, a *attempts) (*secretsmanager.BatchGetSecretValueOutput, error) {
	if err := m.stopped(ctx); err != nil {
		return nil, err
	}
	in := &secretsmanager.BatchGetSecretValueInput{SecretIdList: slices.Sorted(maps.Keys(asked))}
	return m.client.BatchGetSecretValue(ctx, in, a.option)
}

// stopped is the error of a batch that need not be sent, since another one failed.
func (m *many) stopped(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == nil {
		return ctx.Err()
	}
	return m.broken
}

// lose notes that nothing was heard of the names left in asked.
func (m *many) lose(ctx context.Context, asked map[string]string, a *attempts, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken == nil {
		cause := m.cause(ctx, "BatchGetSecretValue", m.FullName("*"), a, err)
		m.broken = fmt.Errorf("BatchGetSecretValue: %w", cause)
	}
	for _, name := range asked {
		m.failed[name] = m.errorOf("BatchGetSecretValue", name, a, errors.Unwrap(m.broken))
	}
	m.lost += len(asked)
}

// take files one reply, and takes out of asked what it is about.
func (m *many) take(out *secretsmanager.BatchGetSecretValueOutput, asked map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, entry := range out.SecretValues {
		full := aws.ToString(entry.Name)
		name, ok := asked[full]
		if !ok {
			continue
		}
		v, err := newValue(entry.ARN, entry.VersionId, entry.SecretString, entry.SecretBinary)
		if err != nil || !slices.Contains(entry.VersionStages, currentStage) {
			continue // read singly, which reports an error, and reads AWSCURRENT in moto too
		}
		delete(asked, full)
		if !v.tombstone() {
			m.found[name] = v.secret()
		}
	}
	for _, entry := range out.Errors {
		full := aws.ToString(entry.SecretId)
		if name, ok := nameInARN(full); ok {
			full = name
		}
		name, ok := asked[full]
		if !ok {
			continue
		}
		delete(asked, full)
		if cause := m.entryCause(full, entry); !errors.Is(cause, driver.ErrNotFound) {
			m.failed[name] = m.errorOf("BatchGetSecretValue", name, m.reads(), cause)
		}
	}
}

// entryCause explains why one secret of a batch could not be read.
func (m *many) entryCause(full string, entry types.APIErrorType) error {
	code, message := aws.ToString(entry.ErrorCode), aws.ToString(entry.Message)
	api := &smithy.GenericAPIError{Code: code, Message: message}
	if cause := m.apiCause("GetSecretValue", full, code, message, api); cause != nil {
		return cause
	}
	return fmt.Errorf("the secret is not in the reply: %w%s", driver.ErrUnavailable, codeOf(api))
}

// singly reads names with a call for each.
func (m *many) singly(ctx context.Context, names []string) {
	var calls errgroup.Group
	calls.SetLimit(concurrency)
	for _, name := range names {
		calls.Go(func() error {
			secret, err := m.read(ctx, name)
			m.mu.Lock()
			defer m.mu.Unlock()
			switch {
			case err == nil:
				m.found[name] = secret
			case !errors.Is(err, driver.ErrNotFound):
				m.failed[name] = err
			}
			return nil
		})
	}
	_ = calls.Wait() // failures are in m
}

// unknownCall tells whether the endpoint is an emulator from before BatchGetSecretValue, of November 2023.
func unknownCall(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && (strings.HasPrefix(api.ErrorCode(), "UnknownOperation") || api.ErrorCode() == "InvalidAction") {
		return true
	}
	return httpStatus(err) == 501
}
