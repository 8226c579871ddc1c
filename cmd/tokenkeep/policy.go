package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/gcpsm"
	"github.com/tokenkeep/tokenkeep/vault"
)

const jobs = `The jobs:
  read      find and list tokens
  refresh   also refresh tokens, and save and update what is there
  write     also create and delete tokens
  operator  verify, repair and clear a store; creates no token`

func newPolicy(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy",
		Short:   "Print what a program must be allowed to do",
		Example: "  tokenkeep policy aws --prefix crm/prod --job refresh",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyAWS(), newPolicyGCP(), newPolicyVault(g))
	return cmd
}

func newPolicyAWS() *cobra.Command {
	var job string
	var o awssm.PolicyOptions
	cmd := &cobra.Command{
		Use:   "aws",
		Short: "Print the least IAM policy for a job on AWS Secrets Manager",
		Long: `aws prints the least IAM policy with which a program can do its job on the tokens under a prefix. It makes no call.

` + jobs,
		Example: `  tokenkeep policy aws --prefix crm/prod --job read
  tokenkeep policy aws --prefix crm/prod --job write --region us-east-1 --account 123456789012 --recovery-window`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			policy, err := awssm.Policy(awssm.Job(job), o)
			if err != nil {
				return err
			}
			return printPolicy(cmd, policy)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Prefix, "prefix", "", "`folder` of the tokens' secrets, such as crm/prod")
	flags.StringVar(&job, "job", "", "what the program does: read, refresh, write or operator")
	flags.StringVar(&o.Partition, "partition", "aws", "`partition` of the ARNs, such as aws-cn")
	flags.StringVar(&o.Region, "region", "", "`region` of the secrets (default any)")
	flags.StringVar(&o.Account, "account", "", "`number` of the account, 12 digits (default any)")
	flags.StringVar(&o.KMSKeyID, "kms-key", "", "`ID or ARN` of the KMS key, where the secrets have one of your own")
	flags.BoolVar(&o.RecoveryWindow, "recovery-window", false, "the programs set Options.RecoveryWindow")
	flags.BoolVar(&o.Tags, "tags", false, "the programs set Options.Tags")
	completeJob(cmd)
	for _, name := range []string{"prefix", "job"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}

// completeJob lets a shell complete --job.
func completeJob(cmd *cobra.Command) {
	jobs := []cobra.Completion{"read", "refresh", "write", "operator"}
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("job", cobra.FixedCompletions(jobs, cobra.ShellCompDirectiveNoFileComp)))
}

func printPolicy(cmd *cobra.Command, policy any) error {
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(policy)
}

func newPolicyGCP() *cobra.Command {
	var job string
	var o gcpsm.PolicyOptions
	cmd := &cobra.Command{
		Use:   "gcp",
		Short: "Print the least custom roles for a job on Google Secret Manager",
		Long: `gcp prints the least custom roles with which a program can do its job on the tokens under a prefix, each with the
condition under which it is bound to the service account on the project. It makes no call.

` + jobs,
		Example: `  tokenkeep policy gcp --prefix crm-prod --parent projects/123456789012/locations/europe-west1 --job refresh`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			policy, err := gcpsm.Policy(gcpsm.Job(job), o)
			if err != nil {
				return err
			}
			return printPolicy(cmd, policy)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Prefix, "prefix", "", "`start` of the names of the tokens' secrets, such as crm-prod")
	flags.StringVar(&o.Parent, "parent", "", "`parent` of the secrets with the number of the project, such as projects/123456789012")
	flags.StringVar(&job, "job", "", "what the program does: read, refresh, write or operator")
	flags.BoolVar(&o.NoCreate, "no-create", false, "the programs set Options.NoCreate")
	completeJob(cmd)
	for _, name := range []string{"prefix", "parent", "job"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}

func newPolicyVault(g *global) *cobra.Command {
	var job string
	var o vault.PolicyOptions
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Print the least policy for a job on HashiCorp Vault or OpenBao",
		Long: `vault prints the least ACL policy with which a program can do its job on the tokens under a prefix, in HCL as
"vault policy write" takes it, or with --json as the API does. It makes no call.

` + jobs,
		Example: `  tokenkeep policy vault --prefix crm/prod --job refresh | vault policy write crm-refresh -
  tokenkeep policy vault --mount kv --prefix crm/prod --job write --no-default-policy`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			policy, err := vault.Policy(vault.Job(job), o)
			if err != nil {
				return err
			}
			return g.print(cmd, map[string]string{"policy": policy.String()}, func(w io.Writer) error {
				_, err := fmt.Fprint(w, policy)
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Prefix, "prefix", "", "`folder` of the tokens' secrets, such as crm/prod")
	flags.StringVar(&job, "job", "", "what the program does: read, refresh, write or operator")
	flags.StringVar(&o.Mount, "mount", "secret", "`path` of the KV engine of version 2")
	flags.BoolVar(&o.KeepVersions, "keep-versions", false, "without the right to destroy what was written over")
	flags.BoolVar(&o.NoDefaultPolicy, "no-default-policy", false, "the auth role leaves out the policy \"default\"")
	completeJob(cmd)
	for _, name := range []string{"prefix", "job"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}
