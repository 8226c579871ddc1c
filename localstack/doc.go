// Package localstack is a strict AWS Secrets Manager inside your own process, for tests and development without an
// account, a container or Docker.
//
// [Start] listens on 127.0.0.1 and speaks the real protocol, AWS JSON 1.1 over HTTP, so that any SDK in any language is
// a client of it. In Go:
//
//	server, err := localstack.Start()
//	if err != nil {
//		return err
//	}
//	defer server.Close()
//	client := secretsmanager.NewFromConfig(server.Config())
//
// Any other program finds it through its environment:
//
//	AWS_ENDPOINT_URL_SECRETS_MANAGER = server.URL
//	AWS_REGION                       = us-east-1
//	AWS_ACCESS_KEY_ID                = test
//	AWS_SECRET_ACCESS_KEY            = test
//
// [Open] returns a token store on such a server, or on the LocalStack or moto that the environment names:
//
//	store, err := localstack.Open(ctx, awssm.Options{Prefix: "crm/dev"})
//
// # Who it is for
//
// It is for code that must be right on AWS and wants to know before it gets there. A lenient double accepts what the
// service refuses: a value of 70 KB, a name with a space, a 21st staging label, a write to a secret that is scheduled for
// deletion. This one refuses what AWS documents as refused, with the error code that AWS documents or, where the
// documentation leaves it open, the one that users of the service report.
//
// # What it does
//
// Secrets: CreateSecret, DescribeSecret, ListSecrets, DeleteSecret, RestoreSecret, TagResource, UntagResource. Values and
// versions: GetSecretValue, BatchGetSecretValue, PutSecretValue, UpdateSecretVersionStage, ListSecretVersionIds.
//
//   - Every life of a secret has an ARN of its own, so a client that kept an old ARN never reaches a new secret of the
//     same name.
//   - A ClientRequestToken is the ID of the version it makes: repeated with the same value it changes nothing, with
//     another value it is ResourceExistsException.
//   - A staging label is on one version at a time. AWSPREVIOUS follows AWSCURRENT, and moving a label that is attached
//     elsewhere needs RemoveFromVersionId, which makes it a compare-and-swap.
//   - Members of a request are matched by their exact name, and unknown ones are ignored.
//   - No error repeats a secret value.
//
// # What it does not do
//
// State is in memory and ends with the process. Signatures and credentials are not checked, so never listen on an
// address that others can reach. A KmsKeyId is kept and shown, nothing is encrypted. Versions are kept for ever, requests
// are not throttled, a forced deletion and a list are immediate, and a recovery window does not run out. Other actions,
// UpdateSecret, rotation, replication and resource policies among them, answer UnknownOperationException.
package localstack
