package awssm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Client is what this package uses of *secretsmanager.Client, which has the comments. Some of it is called only
//
//   - where Options.RecoveryWindow is set: DescribeSecret and RestoreSecret;
//   - where Options.TwoStep is or was set, or AWSCURRENT was moved back by hand: UpdateSecretVersionStage;
//   - to compare the store with what is in the account: ListSecrets and DescribeSecret.
//
// A client of your own must apply the options of each call: they keep a put from being sent after its time.
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	BatchGetSecretValue(context.Context, *secretsmanager.BatchGetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.BatchGetSecretValueOutput, error)
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	DeleteSecret(context.Context, *secretsmanager.DeleteSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DeleteSecretOutput, error)
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	RestoreSecret(context.Context, *secretsmanager.RestoreSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.RestoreSecretOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
	ListSecrets(context.Context, *secretsmanager.ListSecretsInput, ...func(*secretsmanager.Options)) (*secretsmanager.ListSecretsOutput, error)
}

var _ Client = (*secretsmanager.Client)(nil)

// secrets is the driver: the secrets of one account and region under one prefix.
type secrets struct {
	client   Client
	prefix   string // without the slash
	kmsKeyID string
	window   int64 // days; 0 means that deletes are final at once
	tags     []types.Tag
	twoStep  bool // every write is in two steps

	now     func() time.Time
	pause   func(ctx context.Context, d time.Duration) error
	heldFor time.Duration // for how long a create waits for a name that a deleted secret holds

	noBatch atomic.Bool // BatchGetSecretValue was refused
}

var (
	_ driver.Secrets         = (*secrets)(nil)
	_ driver.Namer           = (*secrets)(nil)
	_ driver.Lister          = (*secrets)(nil)
	_ driver.RollbackChecker = (*secrets)(nil)
	_ driver.Clock           = (*secrets)(nil)
	_ driver.Forgetter       = (*secrets)(nil)
)

// nameHeldFor bounds the wait for a forced deletion, which happens in the background after "a short delay" (API
// reference, DeleteSecret).
const nameHeldFor = 20 * time.Second

func newSecrets(client Client, o Options) (*secrets, error) {
	if client == nil {
		return nil, fmt.Errorf("awssm: the client is nil; make one with secretsmanager.NewFromConfig: %w", driver.ErrInvalid)
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &secrets{
		client:   client,
		prefix:   o.Prefix,
		kmsKeyID: o.KMSKeyID,
		window:   int64(o.RecoveryWindow),
		tags:     o.sdkTags(),
		twoStep:  o.TwoStep,
		now:      time.Now,
		pause:    pause,
		heldFor:  nameHeldFor,
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

// FullName is the name of a secret in Secrets Manager.
func (s *secrets) FullName(name string) string { return s.prefix + "/" + name }

// Limits are those of the user guide, "AWS Secrets Manager quotas".
func (s *secrets) Limits() driver.Limits {
	return driver.Limits{Payload: maxPayload, Name: maxName - len(s.prefix) - 1, WritesPerDay: versionsPerDay}
}

// Get is Latest: GetSecretValue has no way to ask for a fresher answer. 1 call.
func (s *secrets) Get(ctx context.Context, name string) (driver.Secret, error) {
	return s.read(ctx, name)
}

// Latest reads a secret in 1 call.
func (s *secrets) Latest(ctx context.Context, name string) (driver.Secret, error) {
	return s.read(ctx, name)
}

func (s *secrets) read(ctx context.Context, name string) (driver.Secret, error) {
	a := s.reads()
	if err := s.checkName(name); err != nil {
		return driver.Secret{}, s.errorOf("GetSecretValue", name, a, err)
	}
	v, err := s.value(ctx, s.FullName(name), a)
	if err != nil {
		return driver.Secret{}, s.fail(ctx, "GetSecretValue", name, a, err)
	}
	if v.tombstone() {
		return driver.Secret{}, s.errorOf("GetSecretValue", name, a, driver.ErrNotFound)
	}
	return v.secret(), nil
}

// value is the current version of a secret.
type value struct {
	revision
	payload []byte
}

func (v value) secret() driver.Secret { return driver.Secret{Payload: v.payload, Revision: v.encode()} }

// value reads the current version of a secret by its name or ARN. Errors are the SDK's.
//
// AWSCURRENT is what is read without a stage too, but not in moto after that label was moved (moto 5.2.1).
func (s *secrets) value(ctx context.Context, id string, a *attempts) (value, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String(id), VersionStage: aws.String(currentStage)}
	out, err := s.client.GetSecretValue(ctx, in, a.option)
	if err != nil {
		return value{}, err
	}
	return newValue(out.ARN, out.VersionId, out.SecretString, out.SecretBinary)
}

// newValue takes SecretBinary where there is no SecretString: somebody else wrote that, and it is for the caller
// to refuse it.
func newValue(arn, version, text *string, binary []byte) (value, error) {
	v := value{revision{aws.ToString(arn), aws.ToString(version)}, binary}
	if v.arn == "" || v.version == "" {
		return value{}, errIncompleteReply
	}
	if text != nil {
		v.payload = []byte(*text)
	}
	return v, nil
}

var errIncompleteReply = errors.New("the reply has no ARN or VersionId; check the endpoint of the client")

// checkName refuses names that the service would refuse or that lie outside the folder.
func (s *secrets) checkName(name string) error { return driver.CheckName(name, s.Limits().Name) }

func checkPayload(payload []byte) error {
	switch {
	case len(payload) == 0:
		return fmt.Errorf("the payload is empty, which Secrets Manager does not store: %w", driver.ErrInvalid)
	case len(payload) > maxPayload:
		return fmt.Errorf("the payload is %d bytes, Secrets Manager takes %d: %w", len(payload), maxPayload, driver.ErrTooLarge)
	case !utf8.Valid(payload):
		return fmt.Errorf("the payload is not UTF-8: %w", driver.ErrInvalid)
	}
	return nil
}
