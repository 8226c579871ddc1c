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

// deleteSecret schedules a secret for deletion, or with force ends its life at once. Forcing what does not exist is no
// error, so a client can repeat the call.
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
	now := time.Now()
	s, err := a.find(in.SecretId)
	if err != nil {
		if in.ForceDeleteWithoutRecovery && errors.Is(err, errNotFound) {
			return neverExisted(in.SecretId, now), nil
		}
		return deleteSecretOutput{}, err
	}
	if in.ForceDeleteWithoutRecovery {
		delete(a.secrets, s.name)
		return deleteSecretOutput{s.arn, epoch(now), s.name}, nil
	}
	if !s.deleted.IsZero() {
		return deleteSecretOutput{}, errMarkedDeleted
	}
	s.deleted, s.changed = now.Add(time.Duration(days)*24*time.Hour), now
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

// restoreSecret brings a scheduled secret back as it was, under the same ARN. Of a live one it does nothing.
func (a *account) restoreSecret(in restoreSecretInput) (secretOutput, error) {
	s, err := a.find(in.SecretId)
	if err != nil {
		return secretOutput{}, err
	}
	if !s.deleted.IsZero() {
		s.deleted, s.changed = time.Time{}, time.Now()
	}
	return secretOutput{s.arn, s.name}, nil
}
