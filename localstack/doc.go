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
// documentation leaves it open, the one that users of the service report. A test sends random calls to it and to moto, and
// the file differential_allowed_test.go lists each difference that it allows, with the reason.
//
// # What it does
//
// Secrets: CreateSecret, DescribeSecret, ListSecrets, UpdateSecret, DeleteSecret, RestoreSecret, TagResource, UntagResource.
// Values and versions: GetSecretValue, BatchGetSecretValue, PutSecretValue, UpdateSecret, UpdateSecretVersionStage,
// ListSecretVersionIds.
//
//   - Every life of a secret has an ARN of its own, so a client that kept an old ARN never reaches a new secret of the
//     same name.
//   - A ClientRequestToken is the ID of the version it makes. Repeated with the same value it changes nothing, with
//     another value it is ResourceExistsException; UpdateSecret answers that whatever the value.
//   - A staging label is on one version at a time. AWSPREVIOUS follows AWSCURRENT, and moving a label that is attached
//     elsewhere needs RemoveFromVersionId, which makes it a compare-and-swap. A secret has at most 20 labels.
//   - Members of a request are matched by their exact name, and unknown ones are ignored.
//   - No error repeats a secret value.
//
// # What time does
//
// The clock is that of [WithClock], so a test need not wait for any of this.
//
//   - A secret has at most 100 versions. The oldest one without a label makes room for a new one if it is 24 hours old;
//     if none is, the write is LimitExceededException. The ClientRequestToken of a version that was removed is free again,
//     so a compare-and-swap by token must not begin at a version that was read days ago.
//   - At the end of its recovery window a secret is gone and its name is free.
//   - A forced deletion ends at once, or later with [WithDeletionDelay], and until then its name is held.
//   - A list shows the account as it is, or as it was some time ago with [WithListLag].
//
// # What goes wrong
//
// A test decides what its program has to survive; without these, nothing of it happens.
//
//   - [Server.SetPolicy] limits what a principal may do, with actions and resources as in an IAM policy, and
//     [Server.ConfigAs] is the configuration of that principal. What is not allowed is AccessDeniedException, whether
//     the secret exists or not.
//   - [WithThrottling] refuses requests over the rates that AWS documents with ThrottlingException.
//   - [Server.Inject] makes one request of the future meet a [Fault]: an error or a cut connection before or after it is
//     executed, a wait, or an execution long after its client has gone. A test that injects the fault at the first
//     request, then at the second, and so on until it is not met, has tried them all.
//
// # What it does not do
//
// State is in memory and ends with the process. Signatures are not checked, so never listen on an address that others can
// reach. KMS permissions, denying statements, conditions and resource policies are no part of a policy here. A KmsKeyId is
// kept and shown, whether there is such a key or not, and nothing is encrypted. Reads of one secret are never stale.
//
// What AWS does in the background happens here at a set time: versions are removed by the write that needs the room,
// recovery windows end to the second, and the quota of versions, which AWS calls about 100, is 100. The number of secrets
// and the characters of tags are not limited. Replicas and managed external secrets are refused with
// InvalidParameterException. Other actions, rotation, replication and resource policies among them, answer
// UnknownOperationException.
package localstack
