package awssm

import (
	"fmt"
	"regexp"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Job is what a program does with the tokens of a prefix. A policy for one job may be attached beside that for another.
type Job string

const (
	// JobRead finds and lists tokens.
	JobRead Job = "read"

	// JobRefresh is JobRead, and refreshes tokens, and saves and updates what is there: all that leaves the index as it is.
	// New tokens, deletes, renames and new refresh or grant tokens are [tokenkeep.ErrPermission].
	JobRefresh Job = "refresh"

	// JobWrite does everything that [tokenkeep.Store] and UpdateToken have: it creates and deletes tokens too.
	JobWrite Job = "write"

	// JobOperator verifies and repairs a store, and deletes tokens, one or all. It creates no token.
	JobOperator Job = "operator"
)

// PolicyOptions say which store a policy is for, and which of the [Options] its programs set.
type PolicyOptions struct {
	// Prefix is Options.Prefix. It is required.
	Prefix string

	// Partition, Region and Account are those of the secrets, such as "aws", "us-east-1" and "123456789012". Without a
	// Partition it is "aws"; without a Region or an Account, the policy is for any.
	Partition, Region, Account string

	// KMSKeyID is the ID or ARN of the key that encrypts the secrets. Empty means the account's aws/secretsmanager key,
	// which needs no permission. It cannot be an alias: a policy names a key by its ARN (AWS KMS developer guide,
	// "Specifying KMS keys in IAM policy statements").
	KMSKeyID string

	// RecoveryWindow and Tags say whether Options.RecoveryWindow and Options.Tags are set.
	RecoveryWindow, Tags bool
}

// PolicyDocument is an IAM policy. encoding/json writes it as IAM reads it.
type PolicyDocument struct {
	Version   string
	Statement []PolicyStatement
}

// PolicyStatement allows each of the actions on each of the resources.
type PolicyStatement struct {
	Sid, Effect      string
	Action, Resource []string
}

// Policy returns the least policy with which a job can be done, with Options.TwoStep and without. It makes no call. What
// cannot be in a policy is [tokenkeep.ErrInvalid].
//
// BatchGetSecretValue, which takes no resource but "*" and reads only what GetSecretValue is allowed on, may be left out;
// secrets are then read one by one. UpdateSecretVersionStage is for TwoStep and for going on after AWSCURRENT was moved
// back by hand.
//
// The key policy of a KMS key counts too, and is not part of this.
func Policy(job Job, o PolicyOptions) (PolicyDocument, error) {
	if err := o.validate(); err != nil {
		return PolicyDocument{}, err
	}
	g, ok := o.grants(job)
	if !ok {
		return PolicyDocument{}, fmt.Errorf("awssm: the job %q is none of read, refresh, write and operator: %w", job, driver.ErrInvalid)
	}
	tokens, index := o.secretARN("t_*"), o.secretARN("i_*")
	p := PolicyDocument{Version: "2012-10-17"}
	p.allow("TokensAndIndex", "secretsmanager", g.both, tokens, index)
	p.allow("Tokens", "secretsmanager", g.tokens, tokens)
	p.allow("Index", "secretsmanager", g.index, index)
	p.allow("Account", "secretsmanager", g.account, "*")
	if o.KMSKeyID != "" {
		p.allow("Key", "kms", g.key, o.keyARN())
	}
	return p, nil
}

// grants are the actions of a job, by what they are allowed on.
type grants struct{ both, tokens, index, account, key []string }

func (o PolicyOptions) grants(job Job) (g grants, ok bool) {
	create, remove := []string{"CreateSecret"}, []string{"DeleteSecret"}
	if o.Tags {
		create = append(create, "TagResource")
	}
	g = grants{
		both:    []string{"GetSecretValue"},
		account: []string{"BatchGetSecretValue"},
		key:     []string{"Decrypt", "GenerateDataKey"},
	}
	put := []string{"PutSecretValue", "UpdateSecretVersionStage"}
	switch job {
	case JobRead:
		g.key = []string{"Decrypt"}
	case JobRefresh:
		g.tokens = put
	case JobWrite:
		g.both = append(append(g.both, put...), create...)
		g.tokens = remove
		if o.RecoveryWindow {
			g.tokens = append(remove, "DescribeSecret", "RestoreSecret")
		}
	case JobOperator:
		g.both = append(append(g.both, put...), "DescribeSecret")
		g.tokens = remove
		g.index = create
		g.account = append(g.account, "ListSecrets")
	default:
		return grants{}, false
	}
	return g, true
}

func (p *PolicyDocument) allow(sid, service string, actions []string, resources ...string) {
	if len(actions) == 0 {
		return
	}
	st := PolicyStatement{Sid: sid, Effect: "Allow", Resource: resources}
	for _, action := range actions {
		st.Action = append(st.Action, service+":"+action)
	}
	p.Statement = append(p.Statement, st)
}

// secretARN is the ARN of the secrets whose names under the prefix fit a pattern. Each ends in a hyphen and six random
// characters, so the pattern ends in *.
func (o PolicyOptions) secretARN(pattern string) string {
	return o.arn("secretsmanager", "secret:"+o.Prefix+"/"+pattern)
}

func (o PolicyOptions) keyARN() string {
	if keyARN.MatchString(o.KMSKeyID) {
		return o.KMSKeyID
	}
	return o.arn("kms", "key/"+o.KMSKeyID)
}

func (o PolicyOptions) arn(service, resource string) string {
	or := func(value, none string) string {
		if value == "" {
			return none
		}
		return value
	}
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", or(o.Partition, "aws"), service, or(o.Region, "*"), or(o.Account, "*"), resource)
}

var (
	dashed   = regexp.MustCompile(`^[a-z0-9-]*$`)
	accounts = regexp.MustCompile(`^([0-9]{12})?$`)
	keyID    = regexp.MustCompile(`^[A-Za-z0-9-]*$`)
	keyARN   = regexp.MustCompile(`^arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)
)

func (o PolicyOptions) validate() error {
	invalid := func(field, value, advice string) error {
		return fmt.Errorf("awssm: PolicyOptions.%s is %q; %s: %w", field, value, advice, driver.ErrInvalid)
	}
	if err := validatePrefix(o.Prefix); err != nil {
		return err
	}
	switch {
	case !dashed.MatchString(o.Partition):
		return invalid("Partition", o.Partition, `it is like "aws" or "aws-cn"`)
	case !dashed.MatchString(o.Region):
		return invalid("Region", o.Region, `it is like "us-east-1", or empty for any`)
	case !accounts.MatchString(o.Account):
		return invalid("Account", o.Account, "it has 12 digits, or is empty for any")
	case !keyID.MatchString(o.KMSKeyID) && !keyARN.MatchString(o.KMSKeyID):
		return invalid("KMSKeyID", o.KMSKeyID, "give the ID or ARN of the key; a policy takes no alias")
	}
	return nil
}
