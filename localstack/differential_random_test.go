package localstack_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// hyphenated is a name whose partial ARN looks like a complete one.
const hyphenated = "app/a-bcdefg"

// What random calls are about: few things, so that they meet.
var (
	anySecret      = []string{"app/a", "app/b", hyphenated}
	anyVersion     = []string{"v1", "v2", "v3", "v4"}
	anyValue       = []string{"one", "two", "binary"}
	anyDescription = []string{"", "x", "y", "nothing"}
	anyLabel       = []string{"AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "A", "B"}
	anyPutLabel    = [][]string{nil, nil, nil, {"A"}, {"A"}, {"B"}, {"A", "AWSCURRENT"}, {"A", "B"}, {"AWSCURRENT"}, {"AWSPREVIOUS"},
		{"AWSPREVIOUS", "AWSCURRENT"}, {"AWSPENDING"}, {"AWSPENDING"}, {"AWSPENDING"}, numbered(16), numbered(20)}
	anyTagList    = [][]string{{"k=x"}, {"k=y"}, {"l=x", "m=x"}, {}, {"k="}}
	anyNameFilter = [][]string{{"name", "app/"}, {"name", "app/a"}, {"name", "!app/a"}, {"name", "app/b", "app/a-"}, {"name", "App"},
		{"name", "other", "!app/b"}}
	anyOtherFilter = [][]string{{"tag-key", "k"}, {"tag-key", "l", "k"}, {"tag-value", "x"}, {"tag-value", "X"}}
)

func numbered(n int) []string {
	var labels []string
	for i := range n {
		labels = append(labels, fmt.Sprint("L", i))
	}
	return labels
}

func many(n int) []string {
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprint("t", i, "=x"))
	}
	return tags
}

// begin makes a secret of two versions.
var begin = []call{
	{Action: "CreateSecret", Secret: "app/a", Token: "v1", Value: "one"},
	{Action: "PutSecretValue", Secret: "app/a", Token: "v2", Value: "two"},
}

// beginEmpty makes one without a version.
var beginEmpty = []call{{Action: "CreateSecret", Secret: "app/a", Token: "v1"}}

// usual are calls that belong together, which random calls seldom find. They follow begin.
var usual = map[string][]call{
	"a tag that is replaced": {
		{Action: "TagResource", Secret: "app/a", Tags: []string{"k=x", "l=x"}}, {Action: "TagResource", Secret: "app/a", Tags: []string{"k=y"}},
		{Action: "UntagResource", Secret: "app/a", Tags: []string{"l"}},
	},
	"a secret that is deleted and restored": {
		{Action: "DeleteSecret", Secret: "app/a", Window: aws.Int64(7)}, {Action: "ListSecrets"}, {Action: "ListSecrets", All: true},
		{Action: "GetSecretValue", Secret: "app/a"}, {Action: "BatchGetSecretValue", Secrets: []string{"app/a"}},
		{Action: "RestoreSecret", Secret: "app/a"}, {Action: "ListSecrets"}, {Action: "GetSecretValue", Secret: "app/a"},
	},
	"a write to an earlier life": {
		{Action: "DeleteSecret", Secret: "app/a", Force: true}, {Action: "CreateSecret", Secret: "app/a", Token: "v1", Value: "one"},
		{Action: "PutSecretValue", Secret: "app/a", By: byEndedARN, Token: "v3", Value: "one"},
		{Action: "GetSecretValue", Secret: "app/a", By: byARN},
	},
	"writes in two steps": {
		{Action: "PutSecretValue", Secret: "app/a", Token: "v3", Value: "one", Stages: []string{"A"}},
		{Action: moving, Secret: "app/a", Stage: current, To: "v3", From: "v2"}, {Action: moving, Secret: "app/a", Stage: "A", From: "v3"},
		{Action: "PutSecretValue", Secret: "app/a", Token: "v4", Value: "two", Stages: []string{"A"}},
		{Action: moving, Secret: "app/a", Stage: current, To: "v4", From: "v2"},
		{Action: moving, Secret: "app/a", Stage: current, To: "v4", From: "v3"},
		{Action: "GetSecretValue", Secret: "app/a", Stage: current}, {Action: "GetSecretValue", Secret: "app/a", Stage: "AWSPREVIOUS"},
	},
}

func randomCalls(r *rand.Rand, n int) []call {
	sequence := slices.Clone(one(r, begin, begin, beginEmpty))
	for len(sequence) < n {
		action := randomAction(r)
		if next := followers[sequence[len(sequence)-1].Action]; next != nil && r.IntN(2) == 0 {
			action = one(r, next...)
		}
		sequence = append(sequence, randomCall(r, action))
	}
	return sequence
}

// followers are actions that often follow others, since they show or undo what those did.
var followers = map[string][]string{
	"CreateSecret":             {"PutSecretValue"},
	"DeleteSecret":             {"RestoreSecret", "RestoreSecret", "ListSecrets", "ListSecrets", "GetSecretValue"},
	"PutSecretValue":           {"PutSecretValue", "UpdateSecretVersionStage", "GetSecretValue"},
	"RestoreSecret":            {"GetSecretValue", "PutSecretValue"},
	"TagResource":              {"TagResource", "UntagResource", "ListSecrets"},
	"UpdateSecretVersionStage": {"UpdateSecretVersionStage", "GetSecretValue"},
}

// frequencies are those of the actions among a hundred calls.
var frequencies = []struct {
	action string
	calls  int
}{
	{"CreateSecret", 12}, {"PutSecretValue", 20}, {"UpdateSecretVersionStage", 16}, {"UpdateSecret", 8}, {"GetSecretValue", 10},
	{"BatchGetSecretValue", 7}, {"ListSecrets", 6}, {"ListSecretVersionIds", 3}, {"DeleteSecret", 8}, {"RestoreSecret", 2},
	{"TagResource", 5}, {"UntagResource", 2},
}

func randomAction(r *rand.Rand) string {
	at := r.IntN(100)
	for _, f := range frequencies {
		if at -= f.calls; at < 0 {
			return f.action
		}
	}
	return "DescribeSecret"
}

func one[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// rarely returns what is wrong, one time in thirty.
func rarely[T any](r *rand.Rand, usual T, wrong ...T) T {
	if r.IntN(30) == 0 {
		return one(r, wrong...)
	}
	return usual
}

func randomCall(r *rand.Rand, action string) call {
	c := call{Action: action}
	switch c.Action {
	case "BatchGetSecretValue", "ListSecrets":
		randomList(r, &c)
		return c
	}
	c.Secret = one(r, anySecret...)
	if c.Action != "CreateSecret" {
		c.Secret = one(r, "app/a", "app/a", "app/a", c.Secret)
		c.By = one(r, "", "", "", byARN, byARN, byPartialARN, one(r, "", byEndedARN))
	}
	if c.Secret == hyphenated && c.Action != "CreateSecret" {
		c.By = one(r, "", byARN, byPartialARN, byPartialARN)
	}
	c.Secret = rarely(r, c.Secret, "app a", "name of 513")
	switch c.Action {
	case "CreateSecret", "PutSecretValue", "UpdateSecret":
		randomValue(r, &c)
	case "UpdateSecretVersionStage":
		c.Stage = rarely(r, one(r, "AWSCURRENT", one(r, anyLabel...)), "label of 257")
		c.To = rarely(r, one(r, "v1", "v2", "v2", itsHolder, one(r, append(anyVersion, "")...)), "short")
		c.From = rarely(r, one(r, itsHolder, itsHolder, "", one(r, append(anyVersion, "")...)), "short")
	case "GetSecretValue":
		c.Version = rarely(r, one(r, "", "", one(r, anyVersion...)), "short")
		c.Stage = rarely(r, one(r, "", "", one(r, anyLabel...)), "label of 257")
	case "ListSecretVersionIds":
		c.All = r.IntN(2) == 0
	case "DeleteSecret":
		c.Force = r.IntN(3) == 0
		if r.IntN(3) == 0 {
			c.Window = aws.Int64(one[int64](r, 0, 6, 7, 8, 30, 31))
		}
	case "TagResource":
		c.Tags = randomTags(r)
	case "UntagResource":
		c.Tags = rarely(r, one(r, []string{"k"}, []string{"k", "l"}, []string{"absent"}), []string{"key of 129"})
	}
	return c
}

func randomValue(r *rand.Rand, c *call) {
	c.Token = rarely(r, one(r, anyVersion...), "short")
	own := map[string]string{"v1": "one", "v2": "two", "v3": "one", "v4": "binary"}[c.Token]
	c.Value = rarely(r, one(r, own, own, one(r, anyValue...)), "", "nothing", "65536 bytes", "65537 bytes")
	if c.Action == "PutSecretValue" {
		c.Stages = rarely(r, one(r, anyPutLabel...), []string{}, []string{"label of 257"}, numbered(21))
		return
	}
	c.Value = one(r, c.Value, c.Value, "")
	c.Description = rarely(r, one(r, anyDescription...), "2049 characters")
	if c.Action == "CreateSecret" && r.IntN(3) == 0 {
		c.Tags = randomTags(r)
	}
}

func randomTags(r *rand.Rand) []string {
	wrong := one(r, []string{"aws:k=x"}, []string{"=x"}, []string{"key of 129=x"}, many(50), many(51))
	return one(r, one(r, anyTagList...), one(r, anyTagList...), wrong)
}

func randomList(r *rand.Rand, c *call) {
	filters := [][]string{one(r, anyNameFilter...)}
	if r.IntN(4) == 0 {
		filters = append(filters, one(r, anyOtherFilter...))
	}
	filters = rarely(r, filters, [][]string{{"other", "x"}}, [][]string{{"name"}}, [][]string{{"name", "$"}})
	switch {
	case c.Action == "ListSecrets":
		c.All = r.IntN(2) == 0
		c.Filters = one(r, nil, filters)
		c.Max = rarely(r, one(r, nil, aws.Int32(1), aws.Int32(2)), aws.Int32(0), aws.Int32(101))
	case r.IntN(2) == 0:
		c.Filters = filters
		c.Max = one(r, nil, aws.Int32(1), aws.Int32(2))
	default:
		c.By = one(r, "", byARN, byPartialARN)
		c.Secrets = []string{one(r, anySecret...), one(r, anySecret...)}
		if r.IntN(5) == 0 {
			c.Secrets = one(r, nil, slices.Repeat(c.Secrets, 11))
		}
	}
}
