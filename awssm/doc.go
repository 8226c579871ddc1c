// Package awssm keeps tokens in AWS Secrets Manager.
//
//	cfg, err := config.LoadDefaultConfig(ctx)
//	if err != nil {
//		return err
//	}
//	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), awssm.Options{Prefix: "crm/prod"})
//
// Each token is a secret of its own, PREFIX/t_…, beside the index, PREFIX/i_r…. Their values are JSON that a person
// can read in the console. Any number of processes may share a prefix: every write is a compare-and-swap.
//
// # Policies
//
// [Policy] returns the least IAM policy for a job, and the command "tokenkeep policy aws" prints it. The tests hold each one to be
// enough, and each of its actions to be needed.
//
// With Options.KMSKeyID, kms:Decrypt and kms:GenerateDataKey on that key. Without BatchGetSecretValue, secrets are
// read one by one.
//
// # Costs and quotas
//
// AWS charges $0.40 for a secret and month and $0.05 for 10,000 calls. A read is 1 call, or 1 for 20 secrets; a
// write is 1, or 2 with Options.TwoStep; a delete is 1, or 3 with a recovery window. A conflict costs a read more.
//
// A secret holds about 100 versions and keeps each for at least 24 hours (user guide, "AWS Secrets Manager
// quotas"): it can be written about 100 times a day. More is [tokenkeep.ErrQuota].
//
// # Going back by hand
//
// Moving AWSCURRENT to an older version, in the console or by UpdateSecretVersionStage, is allowed. The next put sees
// after a second that nobody else is writing, and makes a new version current that no writer with an older read can
// overwrite: that put takes 8 calls, and one more for each version that AWSCURRENT was moved back by. From then on the
// secret is written in two steps, as with Options.TwoStep. A writer that had read the newest version before, and writes
// ahead of that put, still wins, unless Options.TwoStep is set.
//
// A label tokenkeep-pending on a version is this package's: on what was last written in two steps.
//
// # Errors
//
// Errors are the values of package tokenkeep, for errors.Is. One about a secret is a *driver.Error with the name of
// the call and of the secret; errors.As finds the SDK's own error inside, where its text is known to hold nothing
// secret.
//
//	ErrNotFound     no such secret, or it is scheduled for deletion
//	ErrConflict     another writer was faster
//	ErrPermission   the policy, the KMS key or the credentials; the text names the action that is missing
//	ErrQuota        a quota is used up: versions of one secret, or secrets of the account
//	ErrTooLarge     over 65,536 bytes
//	ErrInvalid      an option or a name that Secrets Manager refuses; a client without a region
//	ErrUnavailable  throttled, failing or out of reach, after the SDK's retries
//	ErrDamaged      AWSCURRENT was moved back by hand past 200 versions; the text says how to get on
//
// driver.ErrNameHeld, which is also ErrUnavailable, means that the name is scheduled for deletion by somebody else,
// or that AWS took longer than 20 seconds to finish a delete.
package awssm
