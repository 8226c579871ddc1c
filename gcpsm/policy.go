package gcpsm

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Job is what a program does with the tokens of a prefix. A service account may have the roles of several.
type Job string

const (
	// JobRead finds and lists tokens.
	JobRead Job = "read"

	// JobRefresh is JobRead, and refreshes tokens, and saves and updates what is there: all that leaves the index as it is.
	// New tokens, deletes, renames and new refresh or grant tokens are [tokenkeep.ErrPermission].
	JobRefresh Job = "refresh"

	// JobWrite does everything that [tokenkeep.Store] and UpdateToken have: it creates and deletes tokens too.
	JobWrite Job = "write"

	// JobOperator verifies and repairs a store, and deletes tokens, one or all. It does not need to create tokens, but it
	// may: IAM has no permission to create the index alone.
	JobOperator Job = "operator"
)

// PolicyOptions say which store a policy is for, and which of the [Options] its programs set.
type PolicyOptions struct {
	// Prefix is Options.Prefix. It is required.
	Prefix string

	// Parent is that of the store, with the number of the project, which conditions have in place of its ID:
	// "projects/123456789012" or "projects/123456789012/locations/europe-west1". It is required.
	Parent string

	// NoCreate says whether Options.NoCreate is set.
	NoCreate bool
}

// PolicyDocument are custom roles, each to be bound to a service account on the project, with its condition.
type PolicyDocument []PolicyRole

// PolicyRole is a custom role and the condition under which it is bound.
type PolicyRole struct {
	Title       string   `json:"title"`
	Permissions []string `json:"includedPermissions"`

	// Condition is an expression of IAM Conditions. It is empty where a role is for the project itself: what creates and
	// lists secrets cannot be limited to some of them (Secret Manager documentation, "Access control with IAM").
	Condition string `json:"condition,omitempty"`
}

// Policy returns the least roles with which a job can be done. It makes no call. What cannot be in a policy is
// [tokenkeep.ErrInvalid].
//
// No predefined role but the administrator's may update a secret, so these are custom roles. Keys of Cloud KMS are used by
// Secret Manager's own service agent, and need nothing here.
func Policy(job Job, o PolicyOptions) (PolicyDocument, error) {
	if err := checkPrefix(o.Prefix); err != nil {
		return nil, err
	}
	if !numbered.MatchString(o.Parent) {
		return nil, fmt.Errorf(`gcpsm: PolicyOptions.Parent is %q; it is like "projects/123456789012", with the number of the project: %w`,
			o.Parent, driver.ErrInvalid)
	}
	var p PolicyDocument
	allow := func(title, condition string, permissions ...string) {
		for i, permission := range permissions {
			permissions[i] = "secretmanager." + permission
		}
		p = append(p, PolicyRole{title, permissions, condition})
	}
	tokens, both := o.condition("t_"), o.condition("t_", "i_")
	read := []string{"secrets.get", "versions.access"}
	change := []string{"secrets.update", "versions.add", "versions.destroy", "versions.list"}
	remove := []string{"secrets.delete"}
	if o.NoCreate {
		remove = nil // tokens are deleted by emptying their secrets
	}
	var project []string
	switch job {
	case JobRead:
		allow("TokensAndIndex", both, read...)
	case JobRefresh:
		allow("TokensAndIndex", both, read...)
		allow("Tokens", tokens, change...)
	case JobWrite, JobOperator:
		allow("TokensAndIndex", both, append(read, change...)...)
		if len(remove) > 0 {
			allow("Tokens", tokens, remove...)
		}
		if !o.NoCreate {
			project = append(project, "secrets.create")
		}
		if job == JobOperator {
			project = append(project, "secrets.list")
		}
		if len(project) > 0 {
			allow("Project", "", project...)
		}
	default:
		return nil, fmt.Errorf("gcpsm: the job %q is none of read, refresh, write and operator: %w", job, driver.ErrInvalid)
	}
	return p, nil
}

var numbered = regexp.MustCompile(`^projects/[0-9]+(/locations/[a-z0-9-]+)?$`)

// condition is true for the secrets of the folder whose names begin so, and for their versions.
func (o PolicyOptions) condition(names ...string) string {
	var either []string
	for _, name := range names {
		either = append(either, fmt.Sprintf("resource.name.startsWith(%q)", o.Parent+"/secrets/"+o.Prefix+"-"+name))
	}
	return strings.Join(either, " || ")
}
