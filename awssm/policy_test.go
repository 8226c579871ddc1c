package awssm_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/localstack"
	"github.com/tokenkeep/tokenkeep/storetest"
)

// stores are the options with which the policies are tried.
var stores = map[string]awssm.Options{
	"plain":                  {},
	"in two steps":           {TwoStep: true},
	"with a window and tags": {RecoveryWindow: 7, Tags: map[string]string{"team": "crm"}},
}

// localstackGuard starts a server whose principals have policies.
func localstackGuard(t *testing.T) guard {
	server := startServer(t)
	return guard{ownConnections(t, server.Config()), func(t *testing.T, policy []localstack.Statement) aws.Config {
		principal := rand.Text()
		server.SetPolicy(principal, policy...)
		return ownConnections(t, server.ConfigAs(principal))
	}}
}

// permissions returns a policy for localstack's account, one statement for each action on each resource.
func permissions(t *testing.T, job awssm.Job, o awssm.Options) []localstack.Statement {
	t.Helper()
	p, err := awssm.Policy(job, awssm.PolicyOptions{
		Prefix: o.Prefix, Region: "us-east-1", Account: "000000000000", RecoveryWindow: o.RecoveryWindow != 0, Tags: o.Tags != nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	var single []localstack.Statement
	for _, st := range p.Statement {
		for _, action := range st.Action {
			for _, resource := range st.Resource {
				single = append(single, localstack.Statement{Actions: []string{action}, Resources: []string{resource}})
			}
		}
	}
	return single
}

func TestEachJobCanBeDoneWithItsPolicyAndNoOther(t *testing.T) {
	g := localstackGuard(t)
	for name, o := range stores {
		for _, job := range everyJob {
			for _, duty := range duties {
				t.Run(fmt.Sprintf("%s/%s/%s", name, job, duty.name), func(t *testing.T) {
					t.Parallel()
					o := o
					o.Prefix = freshPrefix()
					err := duty.do(t, newDesk(t, g, o, permissions(t, job, o)))
					switch may := slices.Contains(duty.jobs, job); {
					case may && err != nil:
						t.Errorf("error %v; want success, as this is part of the job", err)
					case !may && !errors.Is(err, tokenkeep.ErrPermission):
						t.Errorf("error %v; want ErrPermission, as this is not part of the job", err)
					}
				})
			}
		}
	}
}

// needed has for each job what it is allowed to, and a duty that is not done without that.
var needed = map[awssm.Job]map[string]string{
	awssm.JobRead: {
		"GetSecretValue on t_*":    "find a token by its ID",
		"GetSecretValue on i_*":    "find a token by its user",
		"BatchGetSecretValue on *": "list all tokens in two calls",
	},
	awssm.JobRefresh: {
		"GetSecretValue on t_*":           "find a token by its ID",
		"GetSecretValue on i_*":           "find a token by its user",
		"BatchGetSecretValue on *":        "list all tokens in two calls",
		"PutSecretValue on t_*":           "refresh a token",
		"UpdateSecretVersionStage on t_*": "refresh a token that was moved back by hand",
	},
	awssm.JobWrite: {
		"GetSecretValue on t_*":           "find a token by its ID",
		"GetSecretValue on i_*":           "find a token by its user",
		"BatchGetSecretValue on *":        "list all tokens in two calls",
		"PutSecretValue on t_*":           "update a token",
		"PutSecretValue on i_*":           "save a new token",
		"UpdateSecretVersionStage on t_*": "update a token that was moved back by hand",
		"UpdateSecretVersionStage on i_*": "save a new token after the index was moved back by hand",
		"CreateSecret on t_*":             "save a new token",
		"CreateSecret on i_*":             "save the first token",
		"TagResource on t_*":              "save a new token",
		"TagResource on i_*":              "save the first token",
		"DeleteSecret on t_*":             "delete a token",
		"DescribeSecret on t_*":           "save a token again that was deleted",
		"RestoreSecret on t_*":            "save a token again that was deleted",
	},
	awssm.JobOperator: {
		"GetSecretValue on t_*":           "find a token by its ID",
		"GetSecretValue on i_*":           "find a token by its user",
		"BatchGetSecretValue on *":        "list all tokens in two calls",
		"ListSecrets on *":                "verify",
		"DescribeSecret on t_*":           "verify",
		"DescribeSecret on i_*":           "verify",
		"PutSecretValue on t_*":           "repair a token that was moved back by hand",
		"PutSecretValue on i_*":           "repair an index that was moved back by hand",
		"UpdateSecretVersionStage on t_*": "repair a token that was moved back by hand",
		"UpdateSecretVersionStage on i_*": "repair an index that was moved back by hand",
		"CreateSecret on i_*":             "repair a lost index",
		"TagResource on i_*":              "repair a lost index",
		"DeleteSecret on t_*":             "delete all tokens",
	},
}

// permit names what a statement of permissions allows, as in needed.
func permit(st localstack.Statement, prefix string) string {
	_, name, secret := strings.Cut(st.Resources[0], ":secret:"+prefix+"/")
	if !secret {
		name = st.Resources[0]
	}
	return strings.TrimPrefix(st.Actions[0], "secretsmanager:") + " on " + name
}

func TestNoPolicyAllowsMoreThanItsJobNeeds(t *testing.T) {
	g := localstackGuard(t)
	for _, job := range everyJob {
		left := maps.Clone(needed[job])
		for name, o := range stores {
			o.Prefix = "crm/prod"
			for i, st := range permissions(t, job, o) {
				what := permit(st, o.Prefix)
				without, ok := needed[job][what]
				if !ok {
					t.Errorf("%s, %s: %s is allowed and not needed", job, name, what)
				}
				delete(left, what)
				t.Run(fmt.Sprintf("%s, %s, without %s", job, name, what), func(t *testing.T) {
					t.Parallel()
					o := o
					o.Prefix = freshPrefix()
					policy := permissions(t, job, o)
					err := dutyCalled(t, without).do(t, newDesk(t, g, o, slices.Delete(policy, i, i+1)))
					if batch := strings.HasPrefix(what, "Batch"); err == nil || !batch && !errors.Is(err, tokenkeep.ErrPermission) {
						t.Errorf("%s: error %v; want it to fail", without, err)
					}
				})
			}
		}
		if len(left) > 0 {
			t.Errorf("%s: %v are needed and never allowed", job, left)
		}
	}
}

func dutyCalled(t *testing.T, name string) duty {
	t.Helper()
	i := slices.IndexFunc(duties, func(d duty) bool { return d.name == name })
	if i < 0 || name == "" {
		t.Fatalf("no duty is called %q", name)
	}
	return duties[i]
}

// unlisting is a driver without the operator's calls.
type unlisting struct {
	driver.Secrets
	driver.Namer
}

func TestBothSuitesPassWithThePolicyOfAWriter(t *testing.T) {
	for name, o := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			g := localstackGuard(t)
			t.Run("driver", func(t *testing.T) { guardedDriver(t, g, o) })
			t.Run("store", func(t *testing.T) { guardedStore(t, g, o) })
		})
	}
}

// guardedDriver runs the suite for drivers under the policy of a writer. Its folders are among the tokens.
func guardedDriver(t *testing.T, g guard, o awssm.Options) {
	drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
		o := o
		o.Prefix = freshPrefix()
		cfg := g.as(t, permissions(t, awssm.JobWrite, o))
		o.Prefix += "/t_"
		return func() driver.Secrets {
			d := newDriver(t, secretsmanager.NewFromConfig(cfg), o)
			return unlisting{d, d}
		}
	})
}

func guardedStore(t *testing.T, g guard, o awssm.Options) {
	storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
		o := o
		o.Prefix = freshPrefix()
		cfg := g.as(t, permissions(t, awssm.JobWrite, o))
		return func() tokenkeep.Store { return newStore(t, secretsmanager.NewFromConfig(cfg), o) }
	}, storetest.Limits{})
}

const aKey = "1234abcd-12ab-34cd-56ef-1234567890ab"

func TestAPolicyInJSON(t *testing.T) {
	tests := []struct {
		name string
		job  awssm.Job
		o    awssm.PolicyOptions
		want string
	}{
		{"in any account", awssm.JobRead, awssm.PolicyOptions{Prefix: "crm"}, `{"Version":"2012-10-17","Statement":[` +
			`{"Sid":"TokensAndIndex","Effect":"Allow","Action":["secretsmanager:GetSecretValue"],` +
			`"Resource":["arn:aws:secretsmanager:*:*:secret:crm/t_*","arn:aws:secretsmanager:*:*:secret:crm/i_*"]},` +
			`{"Sid":"Account","Effect":"Allow","Action":["secretsmanager:BatchGetSecretValue"],"Resource":["*"]}]}`},
		{"in one account of China, with a key", awssm.JobRefresh,
			awssm.PolicyOptions{Prefix: "crm", Partition: "aws-cn", Region: "cn-north-1", Account: "123456789012", KMSKeyID: aKey},
			`{"Version":"2012-10-17","Statement":[` +
				`{"Sid":"TokensAndIndex","Effect":"Allow","Action":["secretsmanager:GetSecretValue"],` +
				`"Resource":["arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:crm/t_*","arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:crm/i_*"]},` +
				`{"Sid":"Tokens","Effect":"Allow","Action":["secretsmanager:PutSecretValue","secretsmanager:UpdateSecretVersionStage"],` +
				`"Resource":["arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:crm/t_*"]},` +
				`{"Sid":"Account","Effect":"Allow","Action":["secretsmanager:BatchGetSecretValue"],"Resource":["*"]},` +
				`{"Sid":"Key","Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":["arn:aws-cn:kms:cn-north-1:123456789012:key/` + aKey + `"]}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := awssm.Policy(tt.job, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := json.Marshal(p); err != nil || string(got) != tt.want {
				t.Errorf("the policy is\n%s\nerror %v; want\n%s", got, err, tt.want)
			}
		})
	}
}

// A reader decrypts; whoever writes needs a data key as well (user guide, "Secret encryption and decryption in AWS Secrets
// Manager").
func TestThePermissionsForAKey(t *testing.T) {
	const arn = "arn:aws:kms:eu-west-1:111122223333:key/" + aKey // of another account, perhaps
	for _, job := range everyJob {
		p, err := awssm.Policy(job, awssm.PolicyOptions{Prefix: "crm", Region: "us-east-1", KMSKeyID: arn})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"kms:Decrypt", "kms:GenerateDataKey"}
		if job == awssm.JobRead {
			want = want[:1]
		}
		last := p.Statement[len(p.Statement)-1]
		if !slices.Equal(last.Action, want) || !slices.Equal(last.Resource, []string{arn}) {
			t.Errorf("%s: the last statement is %v; want %q on %s", job, last, want, arn)
		}
	}
}

func TestPoliciesThatCannotBe(t *testing.T) {
	o := awssm.PolicyOptions{Prefix: "crm/prod"}
	tests := []struct {
		name string
		job  awssm.Job
		edit func(o *awssm.PolicyOptions)
		says string
	}{
		{"no job", "", func(*awssm.PolicyOptions) {}, `the job "" is none of read, refresh, write and operator`},
		{"an unknown job", "admin", func(*awssm.PolicyOptions) {}, `the job "admin"`},
		{"no prefix", awssm.JobRead, func(o *awssm.PolicyOptions) { o.Prefix = "" }, "Options.Prefix is empty"},
		{"a wildcard in the prefix", awssm.JobRead, func(o *awssm.PolicyOptions) { o.Prefix = "*" }, "Options.Prefix"},
		{"a slash after the prefix", awssm.JobRead, func(o *awssm.PolicyOptions) { o.Prefix = "crm/" }, "Options.Prefix"},
		{"a partition that is none", awssm.JobRead, func(o *awssm.PolicyOptions) { o.Partition = "aws:" }, "PolicyOptions.Partition"},
		{"a region that is none", awssm.JobRead, func(o *awssm.PolicyOptions) { o.Region = "us-*" }, "PolicyOptions.Region"},
		{"an account that is none", awssm.JobRead, func(o *awssm.PolicyOptions) { o.Account = "1234-5678-9012" }, "PolicyOptions.Account"},
		{"an alias", awssm.JobRead, func(o *awssm.PolicyOptions) { o.KMSKeyID = "alias/tokens" }, "takes no alias"},
		{"the ARN of an alias", awssm.JobRead, func(o *awssm.PolicyOptions) { o.KMSKeyID = "arn:aws:kms:us-east-1:123456789012:alias/tokens" }, "takes no alias"},
		{"every key", awssm.JobRead, func(o *awssm.PolicyOptions) { o.KMSKeyID = "*" }, "PolicyOptions.KMSKeyID"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := o
			tt.edit(&o)
			p, err := awssm.Policy(tt.job, o)
			refused(t, "Policy", err, tokenkeep.ErrInvalid, tt.says)
			if p.Statement != nil {
				t.Errorf("Policy returned %v together with an error", p)
			}
		})
	}
}
