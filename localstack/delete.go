package localstack

import (
	"errors"
	"strings"
	"time"
)

// The recovery window in days (DeleteSecret, RecoveryWindowInDays).
const (
	minWindow     = 7
	maxWindow     = 30
	defaultWindow = 30
)

type deleteSecretInput struct {
	ForceDeleteWithoutRecovery bool
	RecoveryWindowInDays       *int
	SecretId                   string
}

type deleteSecretOutput struct {
	ARN          string
	DeletionDate epoch
	Name         string
}

// WithDeletionDelay makes a deletion with ForceDeleteWithoutRecovery end d later, by the server's clock, as the service
// does it in the background (Secrets Manager API reference, DeleteSecret). Until then the secret is marked for deletion: its
// name is held, so CreateSecret answers InvalidRequestException, and it can be described but neither read, changed nor
// restored. Without this option, or with a d of 0 or less, it is gone at once.
func WithDeletionDelay(d time.Duration) Option {
	return func(o *options) { o.deletionDelay = d }
}

// deleteSecret schedules a secret for deletion, or with force begins to end its life. Forcing what does not exist, or was
// forced before, is no error, so a client can repeat the call.
func (a *account) deleteSecret(in deleteSecretInput) (deleteSecretOutput, error) {
	days := defaultWindow
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
		switch {
		case in.ForceDeleteWithoutRecovery:
			return deleteSecretOutput{}, errForceWithWindow
		case days < minWindow || days > maxWindow:
			return deleteSecretOutput{}, errWindow
		}
	}
	now := a.now()
	s, err := a.find(in.SecretId)
	if err != nil {
		if in.ForceDeleteWithoutRecovery && errors.Is(err, errNotFound) {
			return neverExisted(in.SecretId, now), nil
		}
		return deleteSecretOutput{}, err
	}
	switch {
	case in.ForceDeleteWithoutRecovery && !s.forced:
		s.forced, s.deleted, s.freed, s.changed = true, now, now.Add(a.deletionDelay), now
	case !in.ForceDeleteWithoutRecovery && !s.deleted.IsZero():
		return deleteSecretOutput{}, errMarkedDeleted
	case !in.ForceDeleteWithoutRecovery:
		s.deleted, s.changed = now.Add(time.Duration(days)*24*time.Hour), now
		s.freed = s.deleted
	}
	if s.gone(now) {
		delete(a.secrets, s.name)
	}
	a.listed.note(s, now)
	return deleteSecretOutput{s.arn, epoch(s.deleted), s.name}, nil
}

// neverExisted is the answer to the forced deletion of a secret that is not there.
func neverExisted(id string, now time.Time) deleteSecretOutput {
	if strings.HasPrefix(id, "arn:") {
		return deleteSecretOutput{ARN: id, DeletionDate: epoch(now), Name: strings.TrimPrefix(id, arnPrefix)}
	}
	return deleteSecretOutput{ARN: newARN(id), DeletionDate: epoch(now), Name: id}
}

type restoreSecretInput struct {
	SecretId string
}

// restoreSecret brings a scheduled secret back as it was, under the same ARN. Of a live one it does nothing, and what was
// deleted by force is lost.
func (a *account) restoreSecret(in restoreSecretInput) (secretOutput, error) {
	s, err := a.find(in.SecretId)
	if err != nil {
		return secretOutput{}, err
	}
	if s.forced {
		return secretOutput{}, errMarkedDeleted
	}
	if !s.deleted.IsZero() {
		s.deleted, s.freed, s.changed = time.Time{}, time.Time{}, a.now()
		a.listed.note(s, s.changed)
	}
	return secretOutput{s.arn, s.name}, nil
}
