package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/awssm"
)

func newPolicy() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy",
		Short:   "Print what a program must be allowed to do",
		Example: "  tokenkeep policy aws --prefix crm/prod --job refresh",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyAWS())
	return cmd
}

func newPolicyAWS() *cobra.Command {
	var job string
	var o awssm.PolicyOptions
	cmd := &cobra.Command{
		Use:   "aws",
		Short: "Print the least IAM policy for a job on AWS Secrets Manager",
		Long: `aws prints the least IAM policy with which a program can do its job on the tokens under a prefix. It makes no call.

The jobs:
  read      find and list tokens
  refresh   also refresh tokens, and save and update what is there
  write     also create and delete tokens
  operator  verify, repair and clear a store; creates no token`,
		Example: `  tokenkeep policy aws --prefix crm/prod --job read
  tokenkeep policy aws --prefix crm/prod --job write --region us-east-1 --account 123456789012 --recovery-window`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			policy, err := awssm.Policy(awssm.Job(job), o)
			if err != nil {
				return err
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(policy)
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
	for _, name := range []string{"prefix", "job"} {
		cobra.CheckErr(cmd.MarkFlagRequired(name))
	}
	return cmd
}
