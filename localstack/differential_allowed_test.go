package localstack_test

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// difference is something that moto does otherwise than the server. It allows what has all of its attributes.
type difference struct {
	name    string
	reason  string // what the service does, and where that is written
	actions string // of the calls, with spaces between them; "" is every action

	// The error codes that moto and the server answer: "" is success, and anything is whatever it is.
	moto, own string

	when func(observed) bool // nil is always

	// diverges says that moto's secret may be another one than the server's afterwards.
	diverges bool

	// example shows it where random calls seldom do. It follows begin.
	example []call

	// mend takes out of one line of moto's answer what the server does not show; "" is no line. A difference that has it is
	// taken out before two answers are compared, and allows nothing.
	mend func(c call, line string) string
}

// The error codes of the table.
const (
	anything         = "anything"
	invalidParameter = "InvalidParameterException"
	invalidRequest   = "InvalidRequestException"
	limitExceeded    = "LimitExceededException"
	notFound         = "ResourceNotFoundException"
	resourceExists   = "ResourceExistsException"
	validation       = "ValidationException"
	serverError      = "status 500"
)

func (d difference) allows(o observed) bool {
	return d.mend == nil && (d.actions == "" || slices.Contains(strings.Fields(d.actions), o.Action)) &&
		(d.moto == anything || d.moto == o.moto.code) && (d.own == anything || d.own == o.own.code) && (d.when == nil || d.when(o))
}

// allowed are the differences between moto 5.2.1 and the server, of which the first counts that allows what was observed.
// "API" is the Secrets Manager API reference.
var allowed = []difference{
	// What the service refuses whatever there is, and moto takes.
	{
		name: "a name or ID of other characters, or too long", moto: anything, own: validation, diverges: true,
		reason: "a name has 1 to 512 ASCII letters, digits and /_+=.@- (API, CreateSecret, Name)",
		when:   func(o observed) bool { return o.Secret == "app a" || o.Secret == "name of 513" },
	},
	{
		name: "a value of more than 65,536 bytes", actions: writing, moto: anything, own: validation, diverges: true,
		reason:  "a secret value has at most 65,536 bytes (Secrets Manager user guide, AWS Secrets Manager quotas)",
		when:    func(o observed) bool { return o.Value == "65537 bytes" },
		example: []call{{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "65537 bytes"}},
	},
	{
		name: "an empty value", actions: writing, moto: anything, own: invalidRequest, diverges: true,
		reason:  "SecretString has at least one character (API, CreateSecret, SecretString); moto checks it in PutSecretValue",
		when:    func(o observed) bool { return o.Value == "nothing" },
		example: []call{{Action: "UpdateSecret", Secret: "app/a", Token: "v3", Value: "nothing"}},
	},
	{
		name: "a description of more than 2,048 characters", actions: writing, moto: anything, own: validation, diverges: true,
		reason: "a description has at most 2,048 characters (API, CreateSecret, Description)",
		when:   func(o observed) bool { return o.Description == "2049 characters" },
	},
	{
		name: "a version ID of less than 32 characters", actions: "GetSecretValue UpdateSecretVersionStage",
		moto: anything, own: validation, diverges: true,
		reason: "a version ID has 32 to 64 characters (API, GetSecretValue, VersionId); moto takes it for one that is not there",
		when:   func(o observed) bool { return o.Version == "short" || o.To == "short" || o.From == "short" },
	},
	{
		name: "a ClientRequestToken of less than 32 characters", actions: writing, moto: anything, own: invalidParameter, diverges: true,
		reason:  "a token has 32 to 64 characters (API, CreateSecret, ClientRequestToken); moto checks it in what is not refused otherwise",
		when:    func(o observed) bool { return o.Token == "short" },
		example: []call{{Action: "CreateSecret", Secret: "app/a", Token: "short", Value: "one"}},
	},
	{
		name: "a staging label of more than 256 characters", moto: anything, own: validation, diverges: true,
		reason: "a staging label has 1 to 256 characters (API, PutSecretValue, VersionStages)",
		when:   func(o observed) bool { return o.Stage == "label of 257" || slices.Contains(o.Stages, "label of 257") },
	},
	{
		name: "a list of no or of more than 20 staging labels", actions: "PutSecretValue", moto: anything, own: validation, diverges: true,
		reason: "a list has 1 to 20 labels (API, PutSecretValue, VersionStages); moto makes versions without labels too",
		when:   func(o observed) bool { return o.Stages != nil && (len(o.Stages) == 0 || len(o.Stages) > 20) },
	},
	{
		name: "a tag key of no or of more than 128 characters", moto: anything, own: validation, diverges: true,
		reason: "a tag key has 1 to 128 characters (API, Tag, Key)",
		when: func(o observed) bool {
			return slices.ContainsFunc(o.Tags, func(tag string) bool { return tag == "=x" || strings.HasPrefix(tag, "key of 129") })
		},
	},
	{
		name: "a tag key that begins with aws:", moto: anything, own: invalidParameter, diverges: true,
		reason:  "the prefix is reserved (AWS General Reference, Service quotas for Tagging)",
		when:    func(o observed) bool { return slices.Contains(o.Tags, "aws:k=x") },
		example: []call{{Action: "TagResource", Secret: "app/a", Tags: []string{"aws:k=x"}}},
	},
	{
		name: "a 51st tag", moto: "", own: invalidParameter, diverges: true,
		reason:  "a secret has at most 50 tags (AWS General Reference, Service quotas for Tagging)",
		when:    func(o observed) bool { return len(o.Tags) > 50 || o.before.tags+len(o.Tags) > 50 },
		example: []call{{Action: "TagResource", Secret: "app/a", Tags: many(51)}},
	},
	{
		name: "a 21st staging label", actions: "PutSecretValue UpdateSecretVersionStage", moto: "", own: limitExceeded, diverges: true,
		reason:  "the versions of a secret have at most 20 labels (Secrets Manager user guide, AWS Secrets Manager quotas)",
		when:    func(o observed) bool { return o.labelsAfter() > 20 },
		example: []call{{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one", Stages: numbered(20)}},
	},

	// The lives of secrets.
	{
		name: "a version with AWSPENDING is written again", actions: writing, moto: "", own: resourceExists, diverges: true,
		reason: "a version does not change (API, PutSecretValue, ClientRequestToken); moto lets a rotation overwrite its own",
		when:   func(o observed) bool { return o.before.holder("AWSPENDING") == o.Token },
		example: []call{
			{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one", Stages: []string{"AWSPENDING"}},
			{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "two"},
		},
	},
	{
		name: "a version with AWSPENDING is labelled by a repeated write", actions: writing, diverges: true,
		reason: "a repeated write changes nothing (API, PutSecretValue, ClientRequestToken)",
		when:   func(o observed) bool { return o.before.holder("AWSPENDING") == o.Token },
		example: []call{
			{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one", Stages: []string{"AWSPENDING"}},
			{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one"},
		},
	},
	{
		name: "creating a secret that is scheduled for deletion", actions: "CreateSecret", moto: anything, own: invalidRequest, diverges: true,
		reason: "it is InvalidRequestException, as users of the service report",
		when:   func(o observed) bool { return o.before.deleted },
		example: []call{
			{Action: "DeleteSecret", Secret: "app/a"}, {Action: "CreateSecret", Secret: "app/a", Token: "v3", Value: "one"},
		},
	},
	{
		name: "changing a secret that is scheduled for deletion", moto: anything, own: invalidRequest, diverges: true,
		actions: "PutSecretValue UpdateSecret UpdateSecretVersionStage TagResource UntagResource",
		reason:  "it is InvalidRequestException (API, the errors of each of these actions)",
		when:    func(o observed) bool { return o.before.deleted },
	},
	{
		name:    "the value of a label that is not there, of a secret scheduled for deletion",
		actions: "GetSecretValue", moto: notFound, own: invalidRequest,
		reason:  "that is refused whatever the label (API, DeleteSecret: the secret cannot be accessed); moto looks for the label first",
		when:    func(o observed) bool { return o.before.deleted && o.Stage != "" },
		example: []call{{Action: "DeleteSecret", Secret: "app/a"}, {Action: "GetSecretValue", Secret: "app/a", Stage: "A"}},
	},
	{
		name: "a repeated CreateSecret tells another version", actions: "CreateSecret",
		reason:  "it tells the version of its ClientRequestToken (API, CreateSecret, VersionId); moto tells the current one",
		when:    func(o observed) bool { return o.exists && o.Token != o.before.motoDefault },
		example: []call{{Action: "CreateSecret", Secret: "app/a", Token: "v1", Value: "one"}},
	},
	{
		name: "a forced deletion of an ARN that is not there tells another name", actions: "DeleteSecret",
		reason:  "what it tells is not documented; moto takes the ARN for the name",
		when:    func(o observed) bool { return o.Force && o.By != "" && (!o.exists || o.By == byEndedARN) },
		example: []call{{Action: "DeleteSecret", Secret: "app/a", By: byEndedARN, Force: true}},
	},
	{
		name: "a partial ARN that looks complete", moto: anything, own: notFound, diverges: true,
		reason: "a hyphen and six characters end a complete ARN (Secrets Manager user guide, Finding a secret from a partial ARN)",
		when:   func(o observed) bool { return o.By == byPartialARN && o.Secret == hyphenated },
	},
	{
		name: "forced deletion by a partial ARN that looks complete", actions: "DeleteSecret", diverges: true,
		reason: "there is no such secret, which is no error (API, DeleteSecret, ForceDeleteWithoutRecovery)",
		when:   func(o observed) bool { return o.By == byPartialARN && o.Secret == hyphenated && o.exists },
		example: []call{
			{Action: "CreateSecret", Secret: hyphenated, Token: "v1", Value: "one"},
			{Action: "DeleteSecret", Secret: hyphenated, By: byPartialARN, Force: true},
		},
	},
	{
		name: "a partial ARN that looks complete in a batch", actions: "BatchGetSecretValue",
		reason: "a hyphen and six characters end a complete ARN (Secrets Manager user guide, Finding a secret from a partial ARN)",
		when:   func(o observed) bool { return o.By == byPartialARN && slices.Contains(o.Secrets, hyphenated) },
		example: []call{
			{Action: "CreateSecret", Secret: hyphenated, Token: "v1", Value: "one"},
			{Action: "BatchGetSecretValue", By: byPartialARN, Secrets: []string{hyphenated}},
		},
	},

	// Versions and their labels.
	{
		name: "UpdateSecret repeated", actions: "UpdateSecret", moto: "", own: resourceExists,
		reason: "it is ResourceExistsException where there is such a version, whatever its value (API, UpdateSecret)",
	},
	{
		name: "UpdateSecret without a value, with the ID of a version", actions: "UpdateSecret", moto: resourceExists, own: "", diverges: true,
		reason: "the token is the ID of a new version where there is one (API, UpdateSecret, ClientRequestToken), and here there is none",
		when:   func(o observed) bool { return o.Value == "" },
	},
	{
		name: "UpdateSecret with an empty description", actions: "UpdateSecret", diverges: true,
		reason: "it sets the description, of 0 characters or more (API, UpdateSecret, Description); moto keeps the old one",
		when:   func(o observed) bool { return o.Description == "nothing" && o.before.description != "" },
		example: []call{
			{Action: "UpdateSecret", Secret: "app/a", Token: "v3", Description: "x"},
			{Action: "UpdateSecret", Secret: "app/a", Token: "v3", Description: "nothing"},
		},
	},
	{
		name: "the version that AWSCURRENT has left is read without a label", actions: "GetSecretValue BatchGetSecretValue",
		reason: "what is read is the version with AWSCURRENT (API, GetSecretValue, VersionStage); to moto it is the last one that was put with it",
		when: func(o observed) bool {
			moved := func(secret string) bool { s := o.states[secret]; return s.motoDefault != s.holder(current) }
			return slices.ContainsFunc(append(o.Secrets, o.Secret), moved) || o.Filters != nil && slices.ContainsFunc(anySecret, moved)
		},
		example: []call{{Action: moving, Secret: "app/a", Stage: current, To: "v1", From: "v2"}, {Action: "GetSecretValue", Secret: "app/a"}},
	},
	{
		name: "AWSCURRENT stays on a version after a write, since it was moved there", actions: writing, diverges: true,
		reason: "a label is on one version at a time (API, PutSecretValue, VersionStages); moto takes it off the last one that was put with it",
		when:   func(o observed) bool { return o.makesCurrent() && o.before.motoDefault != o.before.holder(current) },
		example: []call{
			{Action: moving, Secret: "app/a", Stage: current, To: "v1", From: "v2"},
			{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one"},
		},
	},
	{
		name: "a version that AWSCURRENT leaves loses its other labels", actions: writing, diverges: true,
		reason: "other labels stay (API, PutSecretValue, VersionStages)",
		when: func(o observed) bool {
			return o.makesCurrent() && len(o.before.stages[o.before.holder(current)]) > 1
		},
		example: []call{
			{Action: moving, Secret: "app/a", Stage: "A", To: "v2"}, {Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one"},
		},
	},
	{
		name: "a label put together with AWSCURRENT is on two versions", actions: "PutSecretValue", diverges: true,
		reason: "a label is on one version at a time, and AWSPREVIOUS follows AWSCURRENT (API, PutSecretValue, VersionStages)",
		when: func(o observed) bool {
			taken := func(label string) bool {
				return label == "AWSPREVIOUS" || label != current && o.before.holder(label) != ""
			}
			return o.makesCurrent() && slices.ContainsFunc(o.Stages, taken)
		},
		example: []call{
			{Action: moving, Secret: "app/a", Stage: "A", To: "v1"},
			{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one", Stages: []string{"A", current}},
		},
	},
	{
		name: "a label moves from the version where it is, which is not named", actions: moving, moto: "", own: invalidParameter, diverges: true,
		reason: "a label that is attached needs its version in RemoveFromVersionId (API, UpdateSecretVersionStage, MoveToVersionId)",
		when: func(o observed) bool {
			return o.From == "" && o.Stage != current && o.before.holder(o.Stage) != "" && o.before.holder(o.Stage) != o.To
		},
		example: []call{{Action: moving, Secret: "app/a", Stage: "A", To: "v1"}, {Action: moving, Secret: "app/a", Stage: "A", To: "v2"}},
	},
	{
		name: "a label moves to where it is", actions: moving, diverges: true,
		reason:  "a version has a label once (API, UpdateSecretVersionStage); moto attaches it twice",
		when:    func(o observed) bool { return o.From == "" && o.before.holder(o.Stage) == o.To },
		example: []call{{Action: moving, Secret: "app/a", Stage: "A", To: "v1"}, {Action: moving, Secret: "app/a", Stage: "A", To: "v1"}},
	},
	{
		name: "AWSCURRENT moves to where it is, which is not named", actions: moving, moto: invalidParameter, own: "",
		reason: "only a label on another version needs RemoveFromVersionId (API, UpdateSecretVersionStage, MoveToVersionId)",
		when:   func(o observed) bool { return o.From == "" && o.Stage == current && o.before.holder(current) == o.To },
	},
	{
		name: "AWSCURRENT moves to where it is, which is named", actions: moving, diverges: true,
		reason: "AWSPREVIOUS goes where AWSCURRENT was removed from (API, UpdateSecretVersionStage), and it was not; moto drops AWSPREVIOUS",
		when: func(o observed) bool {
			return o.Stage == current && o.From == o.To && o.before.holder("AWSPREVIOUS") != ""
		},
	},
	{
		name: "AWSCURRENT is removed", actions: moving, moto: "", own: invalidParameter, diverges: true,
		reason:  "AWSCURRENT can be moved but not removed, which is not documented but reported by users of the service",
		when:    func(o observed) bool { return o.Stage == current && o.To == "" },
		example: []call{{Action: moving, Secret: "app/a", Stage: current, From: "v2"}},
	},
	{
		name: "a label moves nowhere", actions: moving, moto: "", own: invalidParameter,
		reason: "UpdateSecretVersionStage needs one of its versions (API, UpdateSecretVersionStage, MoveToVersionId)",
		when:   func(o observed) bool { return o.To == "" && o.From == "" },
	},
	{
		name: "a label moves to a version that is not there", actions: moving, moto: invalidParameter, own: notFound, diverges: true,
		reason: "it is ResourceNotFoundException (API, UpdateSecretVersionStage); moto takes the label off RemoveFromVersionId before it looks",
		when:   func(o observed) bool { return o.To != "" },
	},

	{
		name: "AWSCURRENT moves where no version is", actions: moving, moto: serverError, own: anything,
		reason:  "it is ResourceNotFoundException, or InvalidParameterException if it is to move nowhere (API, UpdateSecretVersionStage)",
		when:    func(o observed) bool { return o.Stage == current && o.From == "" && o.before.holder(current) == "" },
		example: []call{{Action: "CreateSecret", Secret: "app/b", Token: "v1"}, {Action: moving, Secret: "app/b", Stage: current, To: "v1"}},
	},

	// Lists.
	{
		name: "the versions of a secret that is not there", actions: "ListSecretVersionIds", moto: serverError, own: notFound,
		reason:  "it is ResourceNotFoundException (API, ListSecretVersionIds)",
		example: []call{{Action: "ListSecretVersionIds", Secret: "app/b"}},
	},
	{
		name:   "ListSecretVersionIds tells the name for the ARN",
		reason: "it tells the ARN (API, ListSecretVersionIds, ARN)",
		mend: func(c call, line string) string {
			if c.Action == "ListSecretVersionIds" {
				return strings.TrimSuffix(line, unknownARN)
			}
			return line
		},
	},
	{
		name:   "versions without a label are shown",
		reason: "they are not (API, DescribeSecret, VersionIdsToStages; API, ListSecretVersionIds, IncludeDeprecated)",
		mend: func(c call, line string) string {
			asked := c.Action == "GetSecretValue" || c.Action == "ListSecretVersionIds" && c.All
			if strings.HasPrefix(line, "version ") && strings.HasSuffix(line, ":") && !asked {
				return ""
			}
			return line
		},
	},
	{
		name: "a batch with a secret that has no value", actions: "BatchGetSecretValue", moto: notFound,
		reason: "what cannot be read is an entry in Errors (API, BatchGetSecretValue, Errors)",
		when: func(o observed) bool {
			return slices.ContainsFunc(anySecret, func(secret string) bool { s, ok := o.states[secret]; return ok && s.holder(current) == "" })
		},
		example: []call{
			{Action: "CreateSecret", Secret: "app/b", Token: "v1"},
			{Action: "BatchGetSecretValue", Secrets: []string{"app/a", "app/b"}},
		},
	},
	{
		name: "a batch that chooses a secret scheduled for deletion", actions: "BatchGetSecretValue", moto: invalidRequest,
		reason: "a list leaves it out unless asked for (API, ListSecrets, IncludePlannedDeletion), and a batch cannot ask",
		when: func(o observed) bool {
			return o.Filters != nil && slices.ContainsFunc(anySecret, func(secret string) bool { return o.states[secret].deleted })
		},
		example: []call{
			{Action: "DeleteSecret", Secret: "app/a"}, {Action: "BatchGetSecretValue", Filters: [][]string{{"name", "app/"}}},
		},
	},
	{
		name: "a page of no or of more than 100 secrets", actions: "ListSecrets", moto: "", own: validation,
		reason:  "a page has 1 to 100 (API, ListSecrets, MaxResults)",
		when:    func(o observed) bool { return o.Max != nil && (*o.Max < 1 || *o.Max > 100) },
		example: []call{{Action: "ListSecrets", Max: aws.Int32(0)}},
	},
	{
		name: "a batch with a filter of another key", actions: "BatchGetSecretValue", moto: anything, own: validation,
		reason: "it is refused (API, Filter, Key); moto checks the key in ListSecrets only",
		when: func(o observed) bool {
			return slices.ContainsFunc(o.Filters, func(f []string) bool { return f[0] == "other" })
		},
		example: []call{{Action: "BatchGetSecretValue", Filters: [][]string{{"other", "x"}}}},
	},
	{
		name: "a filter of no values or of other characters", moto: "", own: validation,
		reason: "it has 1 to 10 values of letters, digits and some others (API, Filter, Values)",
		when: func(o observed) bool {
			return slices.ContainsFunc(o.Filters, func(f []string) bool { return len(f) == 1 || f[1] == "$" })
		},
		example: []call{{Action: "ListSecrets", Filters: [][]string{{"name", "$"}}}},
	},
	{
		name: "a batch of no secrets", actions: "BatchGetSecretValue", moto: "", own: invalidParameter,
		reason:  "it needs SecretIdList or Filters (API, BatchGetSecretValue)",
		when:    func(o observed) bool { return o.Secrets == nil && o.Filters == nil },
		example: []call{{Action: "BatchGetSecretValue"}},
	},
	{
		name: "a batch of 21 secrets", actions: "BatchGetSecretValue", moto: anything, own: validation,
		reason:  "it has at most 20 (API, BatchGetSecretValue, SecretIdList)",
		when:    func(o observed) bool { return len(o.Secrets) > 20 },
		example: []call{{Action: "BatchGetSecretValue", Secrets: slices.Repeat([]string{"app/a"}, 21)}},
	},
}

const (
	writing = "CreateSecret PutSecretValue UpdateSecret"
	moving  = "UpdateSecretVersionStage"
	current = "AWSCURRENT"
)
