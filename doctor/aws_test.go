package doctor_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep/awssm"
	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/localstack"
)

func onAWS(t *testing.T, cfg aws.Config, o awssm.Options) driver.Secrets {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	cfg.HTTPClient = &http.Client{Transport: transport}
	store, err := awssm.NewStore(secretsmanager.NewFromConfig(cfg), o)
	if err != nil {
		t.Fatal(err)
	}
	return store.Secrets()
}

func startAWS(t *testing.T) *localstack.Server {
	t.Helper()
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

// inAccount are the names of all secrets, also of those that are scheduled for deletion.
func inAccount(t *testing.T, server *localstack.Server) (names []string) {
	t.Helper()
	cfg := server.Config()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	cfg.HTTPClient = &http.Client{Transport: transport}
	out, err := secretsmanager.NewFromConfig(cfg).ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range out.SecretList {
		names = append(names, aws.ToString(secret.Name))
	}
	return names
}

func jobPolicy(t *testing.T, job awssm.Job, o awssm.Options) (statements []localstack.Statement) {
	t.Helper()
	p, err := awssm.Policy(job, awssm.PolicyOptions{
		Prefix: o.Prefix, Region: "us-east-1", Account: "000000000000", RecoveryWindow: o.RecoveryWindow != 0,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range p.Statement {
		statements = append(statements, localstack.Statement{Actions: st.Action, Resources: st.Resource})
	}
	return statements
}

// underPolicy is what is not OK under the policy of each job, on a manager whose operators look at lists and history.
var underPolicy = map[string]map[string]doctor.Verdict{
	"read": untried(map[string]doctor.Verdict{"history": doctor.Denied, "delete": doctor.Denied, "create": doctor.Unknown, "list": doctor.Denied,
		"job refresh": doctor.Unknown, "job write": doctor.Denied, "job operator": doctor.Denied}),
	"refresh": untried(map[string]doctor.Verdict{"history": doctor.Denied, "delete": doctor.Denied, "create": doctor.Unknown, "list": doctor.Denied,
		"job refresh": doctor.Unknown, "job write": doctor.Denied, "job operator": doctor.Denied}),
	"write": {"history": doctor.Denied, "list": doctor.Denied, "job operator": doctor.Denied},
	"operator": untried(map[string]doctor.Verdict{"create": doctor.Denied,
		"job refresh": doctor.Unknown, "job write": doctor.Denied, "job operator": doctor.Unknown}),
}

func TestOnSecretsManager(t *testing.T) {
	for name, o := range map[string]awssm.Options{"plain": {}, "in two steps": {TwoStep: true}, "with a window": {RecoveryWindow: 7}} {
		o.Prefix = "crm/prod"
		t.Run(name, func(t *testing.T) {
			server := startAWS(t)
			expect(t, verdicts(t, doctor.Secrets(t.Context(), onAWS(t, server.Config(), o))), nil)
			all := 0
			for _, n := range server.Calls() {
				all += n
			}
			if puts := server.Calls()["PutSecretValue"]; all > 160 || puts > 40 {
				t.Errorf("%d calls, of which %d puts; want about 130 and 30", all, puts)
			}
			if left := inAccount(t, server); len(left) > 0 {
				t.Errorf("%q are left behind", left)
			}
		})
	}
}

func TestUnderThePoliciesOfSecretsManager(t *testing.T) {
	for _, job := range []awssm.Job{awssm.JobRead, awssm.JobRefresh, awssm.JobWrite, awssm.JobOperator} {
		for _, window := range []int{0, 7} {
			t.Run(fmt.Sprintf("%s with a window of %d days", job, window), func(t *testing.T) {
				server, o := startAWS(t), awssm.Options{Prefix: "crm/prod", RecoveryWindow: window}
				server.SetPolicy("program", jobPolicy(t, job, o)...)
				want := underPolicy[string(job)]
				if window > 0 && job == awssm.JobWrite {
					want = map[string]doctor.Verdict{"list": doctor.Denied, "job operator": doctor.Denied} // it restores secrets
				}
				got := verdicts(t, doctor.Secrets(t.Context(), onAWS(t, server.ConfigAs("program"), o)))
				expect(t, got, want)
				if left := inAccount(t, server); len(left) > 0 {
					t.Errorf("%q are left behind", left)
				}
			})
		}
	}
}

func without(want map[string]doctor.Verdict, check string) map[string]doctor.Verdict {
	rest := map[string]doctor.Verdict{}
	for name, verdict := range want {
		if name != check {
			rest[name] = verdict
		}
	}
	return rest
}

// Each action of the policy for writing is needed, and its lack is told by a line that names it.
func TestALackOfAnActionOfSecretsManagerIsNamed(t *testing.T) {
	o := awssm.Options{Prefix: "crm/prod"}
	for _, action := range []string{"GetSecretValue", "CreateSecret", "PutSecretValue", "DeleteSecret"} {
		t.Run(action, func(t *testing.T) {
			server := startAWS(t)
			policy := jobPolicy(t, awssm.JobWrite, o)
			for i := range policy {
				policy[i].Actions = slices.DeleteFunc(policy[i].Actions, func(a string) bool { return a == "secretsmanager:"+action })
			}
			server.SetPolicy("program", policy...)
			named := false
			got := verdicts(t, doctor.Secrets(t.Context(), onAWS(t, server.ConfigAs("program"), o)))
			for _, f := range got {
				named = named || f.Verdict == doctor.Denied && strings.Contains(f.Detail, "allow secretsmanager:"+action)
			}
			if !named || got["job write"].Verdict != doctor.Denied {
				t.Errorf("named is %t, job write %v; want it denied", named, got["job write"])
			}
			if left := inAccount(t, server); len(left) > 0 {
				t.Errorf("%q are left behind", left)
			}
		})
	}
}

func TestAnEndpointThatDoesNotAnswerIsTold(t *testing.T) {
	server, err := localstack.Start()
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.Config()
	cfg.RetryMaxAttempts = 1
	server.Close()
	got := verdicts(t, doctor.Secrets(t.Context(), onAWS(t, cfg, awssm.Options{Prefix: "crm/prod"})))
	if got["read"].Verdict != doctor.Failed || got["job write"].Verdict != doctor.Unknown {
		t.Errorf("read is %v, job write %v; want the first failed and the other unknown", got["read"], got["job write"])
	}
}
