package main

import (
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/localstack"
)

// permit gives the program with an access key the policy of a job on the prefix crm/test.
func permit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: permit ACCESSKEY JOB")
	}
	p, err := awssm.Policy(awssm.Job(args[1]), awssm.PolicyOptions{Prefix: "crm/test"})
	ts.Check(err)
	var statements []localstack.Statement
	for _, st := range p.Statement {
		statements = append(statements, localstack.Statement{Actions: st.Action, Resources: st.Resource})
	}
	ts.Value("server").(*localstack.Server).SetPolicy(args[0], statements...)
}
