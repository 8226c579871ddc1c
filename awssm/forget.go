package awssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Forget ends the recovery window of a deleted secret at once, by ForceDeleteWithoutRecovery: 1 call, DeleteSecret. Without
// Options.RecoveryWindow a delete leaves nothing, and Forget makes no call.
func (s *secrets) Forget(ctx context.Context, name string) error {
	a := s.reads()
	if err := s.checkName(name); err != nil {
		return s.errorOf("DeleteSecret", name, a, err)
	}
	if s.window == 0 {
		return nil
	}
	in := &secretsmanager.DeleteSecretInput{SecretId: aws.String(s.FullName(name)), ForceDeleteWithoutRecovery: aws.Bool(true)}
	if _, err := s.client.DeleteSecret(ctx, in, a.option); err != nil && !absent(err) {
		return s.fail(ctx, "DeleteSecret", name, a, err)
	}
	return nil
}

// LeavesNames is false: until its recovery window has run out, a deleted secret can be restored.
func (s *secrets) LeavesNames() bool { return false }
