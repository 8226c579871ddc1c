package gcpsmtest

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Grant gives permissions, in the words of IAM.
type Grant struct {
	// Permissions are such as "secretmanager.versions.access". There are no wildcards, as in a custom role.
	Permissions []string

	// ResourcePrefix limits them to resources whose name starts with it, as the condition
	// resource.name.startsWith("projects/NUMBER/secrets/crm-") does. The name has the project's number, which is that of
	// [ProjectNumber]. "" is no limit.
	ResourcePrefix string

	// OnSecret says that the grant is in the policy of each secret and not in that of the project. It ends with its secret,
	// so it permits nothing on one that does not exist, and never CreateSecret or ListSecrets.
	OnSecret bool
}

// SetPermissions gives a principal grants in place of those it had: from the next request on it may do what one of them
// allows, and nothing if there are none. A principal that was never given any may do everything, and so may who gives no
// name. Who sends a request is read from its metadata, "authorization: Bearer PRINCIPAL", and believed.
//
// What is not allowed is PERMISSION_DENIED, whether the resource exists or not. Each method needs the one permission that
// its reference names (Secret Manager documentation, Access control with IAM): CreateSecret and ListSecrets on the project
// or location, the others on the secret or version. The resource of a version is the one that the request names, by number,
// alias or latest. The permissions for KMS keys are not checked. Changes act at once, while Google's take minutes.
func (s *Server) SetPermissions(principal string, grants ...Grant) {
	own := make([]Grant, len(grants))
	for i, g := range grants {
		own[i] = Grant{slices.Clone(g.Permissions), g.ResourcePrefix, g.OnSecret}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants[principal] = own
}

// bearer is the credentials of a principal: its name.
type bearer string

// GetRequestMetadata returns the metadata of a request.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity says that the name is no secret.
func (b bearer) RequireTransportSecurity() bool { return false }

// principalOf returns who sends a request, "" if it does not say.
func principalOf(ctx context.Context) string {
	for _, value := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		if principal, ok := strings.CutPrefix(value, "Bearer "); ok {
			return principal
		}
	}
	return ""
}

// authorize says whether the principal of a request may send it.
func (s *Server) authorize(q request) error {
	grants, limited := s.grants[q.principal]
	if !limited || q.principal == "" {
		return nil
	}
	permission := methods[q.method].permission
	exists := s.store.secrets[q.name.of()] != nil
	allows := func(g Grant) bool {
		return slices.Contains(g.Permissions, permission) && strings.HasPrefix(q.name.String(), g.ResourcePrefix) && (exists || !g.OnSecret)
	}
	if slices.ContainsFunc(grants, allows) {
		return nil
	}
	return status.Errorf(codes.PermissionDenied, "Permission '%s' denied for resource '%s' (or it may not exist).", permission, q.resource)
}
