// Package gcpsmtest is a strict Google Cloud Secret Manager inside your own process, for tests and development without an
// account, a container or an emulator.
//
// [Start] listens on 127.0.0.1 and speaks the real protocol, gRPC without TLS, so that the client library of any language
// is a client of it. In Go:
//
//	server, err := gcpsmtest.Start()
//	if err != nil {
//		return err
//	}
//	defer server.Close()
//	client, err := server.Client(ctx)
//
// One server is every project, by its ID or its number, and every location: projects/P and projects/P/locations/L.
//
// # Who it is for
//
// It is for code that must be right on Google Cloud and wants to know before it gets there. A lenient double accepts what
// the service refuses: an update with an old etag, an alias in DestroySecretVersion, a payload of 70 KB, a regional secret
// with a replication policy. This one refuses what Google documents as refused, with the code that its documentation has or
// that users of the service report, and in their words where those are known.
//
// # What it does
//
// CreateSecret, GetSecret, ListSecrets, UpdateSecret, DeleteSecret; AddSecretVersion, GetSecretVersion, ListSecretVersions,
// AccessSecretVersion, EnableSecretVersion, DisableSecretVersion, DestroySecretVersion.
//
//   - Answers have the number of the project, whatever the request has, so names are not to be compared.
//   - UpdateSecret, DeleteSecret and the three changes of a version's state honour an etag, which is an opaque quoted text,
//     and no other call does. A successful change gives its secret or version a new etag even if nothing else is new.
//     AddSecretVersion leaves the etag of the secret alone: only UpdateSecret is a compare-and-swap.
//   - An alias is for GetSecretVersion and AccessSecretVersion alone. The version latest is the one created last; if that
//     is disabled or destroyed, access fails and does not fall back.
//   - A CRC32C is verified where it is sent, computed where it is not, and always answered.
//   - Ids, labels, annotations, aliases and payloads have the documented limits. An update mask names whole fields.
//   - Lists come in pages and take filters: comparisons of the fields that a message has, with AND, OR, NOT and parentheses.
//   - A global secret needs a replication policy and a regional one has none. The names of encryption keys are checked, kept
//     and shown, and nothing is encrypted.
//   - Secrets expire and delayed destruction ends by the clock, which is that of [WithClock].
//   - No error repeats a payload.
//
// # What goes wrong
//
// A test decides what its program has to survive; without these, nothing of it happens.
//
//   - [WithStaleness] lets every read be some commits late but AccessSecretVersion by number, the one read that Google
//     promises to be consistent.
//   - [WithQuotas] refuses requests over the documented rates. On a global secret that is more than 2 changes a second.
//   - [Server.SetPermissions] limits what a principal may do, and [Server.ClientAs] is a client of that principal. What is
//     not allowed is PERMISSION_DENIED, whether the secret exists or not.
//   - [Server.Inject] makes one request of the future meet a [Fault]: an error before or after it is executed, a wait, or
//     an execution long after its client has given up. A test that injects the fault at the first request, then at the
//     second, and so on until it is not met, has tried them all.
//   - [WithMismatchCode], [WithSecretsNewestFirst] and [WithPageSize] are for what Google's documents leave open or
//     contradict each other in.
//
// [Server.Calls] counts requests, and [Server.LiveVersions] are the versions that Google would bill.
//
// # What it does not do
//
// State is in memory and ends with the process. Credentials are not checked, so never listen on an address that others can
// reach. There is no REST, and one address answers for all locations, where Google has one for each. IAM policies, managed
// rotation and locations answer UNIMPLEMENTED, and types of secrets INVALID_ARGUMENT. A rotation and its topics are kept
// and shown, and nothing is published. Tags are dropped. Projects are not looked up: every name of one is good.
//
// Google does not document everything. The texts of errors that no user has reported are this package's own. So are these
// answers, which no program should depend on: an alias of a version that does not exist is INVALID_ARGUMENT, an empty
// payload too; to change the state of a destroyed version is FAILED_PRECONDITION, also to destroy it; a filter compares
// text with regard to case; versions are listed from the newest, as the comments of the API have it.
package gcpsmtest
