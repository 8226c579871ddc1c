package vault

import (
	"fmt"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Job is what a program does with the tokens of a prefix. A token of Vault may have the policies of several.
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

// PolicyOptions say which store a policy is for, and what else it is to allow.
type PolicyOptions struct {
	// Mount and Prefix are those of [Options]. The policy is written in the namespace of the mount.
	Mount, Prefix string

	// KeepVersions leaves out the right to destroy the versions that a refresh or a save has written over. They stay
	// readable to whoever may read the token, until the mount has kept max_versions newer ones. What deletes tokens has
	// that right in any case.
	KeepVersions bool

	// NoDefaultPolicy adds what the policy "default" has and a program needs for renewing its token and for telling an
	// expired token from a missing right. It is for auth roles with token_no_default_policy.
	NoDefaultPolicy bool
}

// PolicyDocument is an ACL policy of Vault. Its String is in HCL.
type PolicyDocument []PolicyPath

// PolicyPath allows capabilities on a path. An asterisk at its end stands for any text.
type PolicyPath struct {
	Path         string
	Capabilities []string
}

// Policy returns the least policy with which a job can be done. It makes no call. What cannot be in a policy is
// [tokenkeep.ErrInvalid].
func Policy(job Job, o PolicyOptions) (PolicyDocument, error) {
	checked, err := Options{Mount: o.Mount, Prefix: o.Prefix}.withDefaults()
	if err != nil {
		return nil, err
	}
	var p PolicyDocument
	allow := func(kind, names string, capabilities ...string) {
		p = append(p, PolicyPath{checked.Mount + "/" + kind + "/" + checked.Prefix + "/" + names, capabilities})
	}
	const tokens, index, folder = "t_*", "i_*", ""
	switch job {
	case JobRead:
		allow("data", tokens, "read")
		allow("data", index, "read")
	case JobRefresh:
		allow("data", tokens, "read", "update")
		allow("data", index, "read")
		if !o.KeepVersions {
			allow("destroy", tokens, "update")
		}
	case JobWrite, JobOperator:
		if job == JobWrite {
			allow("data", tokens, "create", "read", "update")
		} else {
			allow("data", tokens, "read", "update")
		}
		allow("data", index, "create", "read", "update")
		allow("destroy", tokens, "update")
		if !o.KeepVersions {
			allow("destroy", index, "update")
		}
		allow("metadata", tokens, "read")
		if job == JobOperator {
			allow("metadata", folder, "list")
		}
	default:
		return nil, fmt.Errorf("vault: the job %q is none of read, refresh, write and operator: %w", job, driver.ErrInvalid)
	}
	if o.NoDefaultPolicy {
		p = append(p, PolicyPath{"auth/token/lookup-self", []string{"read"}}, PolicyPath{"auth/token/renew-self", []string{"update"}})
	}
	return p, nil
}

// String is the policy as "vault policy write" takes it.
func (p PolicyDocument) String() string {
	var b strings.Builder
	for _, line := range p {
		fmt.Fprintf(&b, "path %q { capabilities = [\"%s\"] }\n", line.Path, strings.Join(line.Capabilities, `", "`))
	}
	return b.String()
}
