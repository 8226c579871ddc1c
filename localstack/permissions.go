package localstack

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Statement allows actions on resources, in the words of an IAM policy. In both, * stands for any text and ? for any
// character. There are no denying statements and no conditions.
type Statement struct {
	// Actions are such as "secretsmanager:GetSecretValue" or "secretsmanager:*", in any case.
	Actions []string

	// Resources are ARNs such as "arn:aws:secretsmanager:*:*:secret:crm/prod/t_*", or "*" for everything. The ARN of a
	// secret ends in a hyphen and six random characters, so one without a wildcard at its end rarely allows anything.
	Resources []string
}

// SetPolicy gives the principal with this access key ID a policy in place of the one it had: from the next request on it
// may do what one of the statements allows, and nothing if there are none. A principal that was never given a policy may
// do everything. Who sends a request is read from its Authorization header and believed, since signatures are not checked.
//
// What is not allowed is AccessDeniedException, whether the secret exists or not. As on AWS (Service Authorization
// Reference, AWS Secrets Manager; API reference of each action):
//
//   - An action on a secret needs the secret's complete ARN, however the request names it. For a secret that does not
//     exist this server takes the ARN without the random suffix, or the ARN of the request; AWS documents neither.
//   - CreateSecret needs the ARN to be, with a random suffix, and TagResource on it too if the request has tags.
//   - ListSecrets and BatchGetSecretValue need the resource "*". With Filters, BatchGetSecretValue needs ListSecrets too.
//   - Each secret of a BatchGetSecretValue needs GetSecretValue. One without it is an entry in Errors.
//
// The permissions for KMS keys are not checked.
func (s *Server) SetPolicy(accessKeyID string, statements ...Statement) {
	own := make([]Statement, len(statements))
	for i, st := range statements {
		own[i] = Statement{slices.Clone(st.Actions), slices.Clone(st.Resources)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policies[accessKeyID] = own
}

// ConfigAs is Config with the credentials of another principal. SetPolicy says what it may do; until then, everything.
func (s *Server) ConfigAs(accessKeyID string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(s.URL),
		Credentials:  credentials.NewStaticCredentialsProvider(accessKeyID, "test", ""),
	}
}

// accessKeyID returns who signed a request (AWS Signature Version 4: "AWS4-HMAC-SHA256 Credential=ID/date/…"), "" if
// nobody did.
func accessKeyID(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	id, _, _ := strings.Cut(credential, "/")
	return id
}

// caller is who sends a request, and what it may do.
type caller struct {
	accessKeyID string
	policy      []Statement
	limited     bool // whether there is a policy
}

// check says whether the policy allows action on resource, which the error shows as shown.
func (c caller) check(action, resource, shown string) error {
	if slices.ContainsFunc(c.policy, func(st Statement) bool { return st.allows("secretsmanager:"+action, resource) }) {
		return nil
	}
	return accessDenied(c.accessKeyID, action, shown)
}

// checkSecret is check for the secret that id means in a, for any caller.
func (c caller) checkSecret(a *account, action, id string) error {
	if !c.limited {
		return nil
	}
	if s, err := a.find(id); err == nil {
		return c.check(action, s.arn, s.arn)
	}
	if strings.HasPrefix(id, "arn:") {
		return c.check(action, id, id)
	}
	return c.check(action, arnPrefix+id, id)
}

// authorize checks what a request needs before its action looks at anything. What a batch needs for each of its secrets
// is left to the action.
func (c caller) authorize(a *account, action string, body []byte) error {
	if !c.limited {
		return nil
	}
	switch action {
	case "CreateSecret":
		return c.authorizeCreate(body)
	case "ListSecrets":
		return c.check(action, "*", "")
	case "BatchGetSecretValue":
		var in struct{ Filters []filter }
		if err := decode(body, &in); err != nil {
			return err
		}
		if err := c.check(action, "*", ""); err != nil || in.Filters == nil {
			return err
		}
		return c.check("ListSecrets", "*", "")
	}
	var in struct{ SecretId string }
	if err := decode(body, &in); err != nil {
		return err
	}
	return c.checkSecret(a, action, in.SecretId)
}

func (c caller) authorizeCreate(body []byte) error {
	var in struct {
		Name string
		Tags []tag
	}
	if err := decode(body, &in); err != nil {
		return err
	}
	arn := newARN(in.Name)
	if err := c.check("CreateSecret", arn, arn); err != nil || len(in.Tags) == 0 {
		return err
	}
	return c.check("TagResource", arn, arn)
}

func (st Statement) allows(action, resource string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(st.Actions, func(p string) bool { return matchWildcards(strings.ToLower(p), action) }) &&
		slices.ContainsFunc(st.Resources, func(p string) bool { return matchWildcards(p, resource) })
}

// matchWildcards says whether pattern, in which * is any text and ? any byte, is the whole of s.
func matchWildcards(pattern, s string) bool {
	p, i := 0, 0
	star, tried := -1, 0 // the last * so far, and how much of s it and what is before it take
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, tried = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			tried++
			p, i = star+1, tried
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
