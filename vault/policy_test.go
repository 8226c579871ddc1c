package vault

import (
	"errors"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

func TestThePolicyOfAJobIsThis(t *testing.T) {
	tests := []struct {
		name string
		job  Job
		o    PolicyOptions
		want string
	}{
		{"read", JobRead, PolicyOptions{Prefix: "crm/prod"}, `
path "secret/data/crm/prod/t_*" { capabilities = ["read"] }
path "secret/data/crm/prod/i_*" { capabilities = ["read"] }
`},
		{"refresh", JobRefresh, PolicyOptions{Mount: "/team/kv/", Prefix: "p"}, `
path "team/kv/data/p/t_*" { capabilities = ["read", "update"] }
path "team/kv/data/p/i_*" { capabilities = ["read"] }
path "team/kv/destroy/p/t_*" { capabilities = ["update"] }
`},
		{"refresh and keep", JobRefresh, PolicyOptions{Prefix: "p", KeepVersions: true}, `
path "secret/data/p/t_*" { capabilities = ["read", "update"] }
path "secret/data/p/i_*" { capabilities = ["read"] }
`},
		{"write", JobWrite, PolicyOptions{Prefix: "p"}, `
path "secret/data/p/t_*" { capabilities = ["create", "read", "update"] }
path "secret/data/p/i_*" { capabilities = ["create", "read", "update"] }
path "secret/destroy/p/t_*" { capabilities = ["update"] }
path "secret/destroy/p/i_*" { capabilities = ["update"] }
path "secret/metadata/p/t_*" { capabilities = ["read"] }
`},
		{"operator", JobOperator, PolicyOptions{Prefix: "p", KeepVersions: true, NoDefaultPolicy: true}, `
path "secret/data/p/t_*" { capabilities = ["read", "update"] }
path "secret/data/p/i_*" { capabilities = ["create", "read", "update"] }
path "secret/destroy/p/t_*" { capabilities = ["update"] }
path "secret/metadata/p/t_*" { capabilities = ["read"] }
path "secret/metadata/p/" { capabilities = ["list"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Policy(tt.job, tt.o)
			if err != nil || "\n"+got.String() != tt.want {
				t.Errorf("Policy = %v\n%s\nwant%s", err, got, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		job Job
		o   PolicyOptions
	}{{"own", PolicyOptions{Prefix: "p"}}, {JobRead, PolicyOptions{}}, {JobRead, PolicyOptions{Prefix: `p/+"`}}} {
		if p, err := Policy(tt.job, tt.o); !errors.Is(err, driver.ErrInvalid) || p != nil {
			t.Errorf("Policy(%q, %v) = %v, %v; want ErrInvalid", tt.job, tt.o, p, err)
		}
	}
}
