package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/awssm"
)

// account are the flags of the policies in docs/operations.md.
var account = []string{"--prefix", "crm/prod", "--region", "us-east-1", "--account", "123456789012"}

func TestThePolicyOfEachJobIsInTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []string{"read", "refresh", "write", "operator"} {
		t.Run(job, func(t *testing.T) {
			got := command(t, append([]string{"policy", "aws", "--job", job}, account...)...)
			_, rest, _ := strings.Cut(string(text), "<!-- policy: "+job+" -->\n\n```json\n")
			shown, _, ok := strings.Cut(rest, "```\n")
			if got.status != 0 || got.stderr != "" || !ok || shown != got.stdout {
				t.Errorf("status %d, on stderr %q, and\n%s; docs/operations.md shows, after its mark,\n%s", got.status, got.stderr, got.stdout, shown)
			}
		})
	}
}

func TestTheGCPPolicyIsInTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	parent := []string{"--prefix", "crm-prod", "--parent", "projects/123456789012/locations/europe-west1"}
	got := command(t, append([]string{"policy", "gcp", "--job", "refresh"}, parent...)...)
	_, rest, _ := strings.Cut(string(text), "<!-- gcp policy: refresh -->\n\n```json\n")
	if shown, _, ok := strings.Cut(rest, "```\n"); got.status != 0 || !ok || shown != got.stdout {
		t.Errorf("status %d, %s\n%s; docs/operations.md shows\n%s", got.status, got.stderr, got.stdout, shown)
	}
	creates := command(t, append([]string{"policy", "gcp", "--job", "write"}, parent...)...)
	without := command(t, append([]string{"policy", "gcp", "--job", "write", "--no-create"}, parent...)...)
	if !strings.Contains(creates.stdout, "secrets.create") || without.status != 0 || strings.Contains(without.stdout, "secrets.create") {
		t.Errorf("with --no-create: %s; without: %s", without.stdout, creates.stdout)
	}
}

func TestTheVaultPolicyOfEachJobIsInTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []string{"read", "refresh", "write", "operator"} {
		got := command(t, "policy", "vault", "--job", job, "--prefix", "crm/prod")
		_, rest, _ := strings.Cut(string(text), "<!-- vault policy: "+job+" -->\n\n```hcl\n")
		if shown, _, ok := strings.Cut(rest, "```\n"); got.status != 0 || !ok || shown != got.stdout {
			t.Errorf("%s: status %d, %s\n%s; docs/operations.md shows\n%s", job, got.status, got.stderr, got.stdout, shown)
		}
	}
	more := command(t, "policy", "vault", "--job", "refresh", "--prefix", "a", "--mount", "kv", "--keep-versions", "--no-default-policy")
	want := `path "kv/data/a/t_*" { capabilities = ["read", "update"] }
path "kv/data/a/i_*" { capabilities = ["read"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
`
	if more.stdout != want {
		t.Errorf("with all flags: %s%s", more.stdout, more.stderr)
	}
}

func TestEachFlagOfAPolicyCounts(t *testing.T) {
	const key = "1234abcd-12ab-34cd-56ef-1234567890ab"
	base := awssm.PolicyOptions{Prefix: "crm/prod", Region: "us-east-1", Account: "123456789012"}
	tests := []struct {
		args []string
		edit func(o *awssm.PolicyOptions)
	}{
		{nil, func(*awssm.PolicyOptions) {}},
		{[]string{"--prefix", "other"}, func(o *awssm.PolicyOptions) { o.Prefix = "other" }},
		{[]string{"--partition", "aws-cn"}, func(o *awssm.PolicyOptions) { o.Partition = "aws-cn" }},
		{[]string{"--region", ""}, func(o *awssm.PolicyOptions) { o.Region = "" }},
		{[]string{"--account", ""}, func(o *awssm.PolicyOptions) { o.Account = "" }},
		{[]string{"--kms-key", key}, func(o *awssm.PolicyOptions) { o.KMSKeyID = key }},
		{[]string{"--recovery-window"}, func(o *awssm.PolicyOptions) { o.RecoveryWindow = true }},
		{[]string{"--tags"}, func(o *awssm.PolicyOptions) { o.Tags = true }},
	}
	var outputs []string
	for _, tt := range tests {
		o := base
		tt.edit(&o)
		policy, err := awssm.Policy(awssm.JobWrite, o)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.MarshalIndent(policy, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got := command(t, slices.Concat([]string{"policy", "aws", "--job", "write"}, account, tt.args)...)
		if got.status != 0 || got.stdout != string(want)+"\n" || slices.Contains(outputs, got.stdout) {
			t.Errorf("%q: status %d, on stderr %q, and\n%s; want another policy than before,\n%s", tt.args, got.status, got.stderr, got.stdout, want)
		}
		outputs = append(outputs, got.stdout)
	}
}

func TestWhatIsWrongWithAPolicyIsSaidInOneLine(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"another manager", []string{"policy", "gpc"}, `unknown command "gpc" for "tokenkeep policy"`},
		{"no flags", []string{"policy", "aws"}, `required flag(s) "job", "prefix" not set`},
		{"an unknown job", []string{"policy", "aws", "--job", "admin", "--prefix", "crm"}, `awssm: the job "admin" is none of read, refresh, write and operator: invalid`},
		{"an alias", []string{"policy", "aws", "--job", "read", "--prefix", "crm", "--kms-key", "alias/a"},
			`awssm: PolicyOptions.KMSKeyID is "alias/a"; give the ID or ARN of the key; a policy takes no alias: invalid`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := command(t, tt.args...); got.status != 2 || got.stdout != "" || got.stderr != "tokenkeep: "+tt.want+"\n" {
				t.Errorf("status %d, %q and on stderr %q; want 2, nothing and %q", got.status, got.stdout, got.stderr, tt.want)
			}
		})
	}
}

func TestHelpOfPoliciesAndOfTheServerHasAnExample(t *testing.T) {
	for _, tt := range []struct {
		args    []string
		example string
	}{
		{[]string{"policy"}, "tokenkeep policy aws --prefix crm/prod --job refresh"},
		{[]string{"policy", "--help"}, "tokenkeep policy aws --prefix crm/prod --job refresh"},
		{[]string{"policy", "aws", "--help"}, "tokenkeep policy aws --prefix crm/prod --job read"},
		{[]string{"localstack", "--help"}, "tokenkeep localstack"},
	} {
		got := command(t, tt.args...)
		if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, "Examples:\n  "+tt.example+"\n") {
			t.Errorf("tokenkeep %v: status %d, %q, on stderr %q; want 0 and an example", tt.args, got.status, got.stdout, got.stderr)
		}
	}
}
