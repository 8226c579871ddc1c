package gcpsmtest

import (
	"regexp"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/protobuf/proto"
)

var kmsKey = regexp.MustCompile(`^projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+$`)

// checkReplication wants a policy for a global secret and none for a regional one.
func checkReplication(s *secret, n name) error {
	policy := s.pb.GetReplication()
	if n.location != "" {
		if policy != nil {
			return invalid("The regional secret [%s] cannot have a replication policy.", n.of())
		}
		return nil
	}
	if policy.GetAutomatic() == nil && len(policy.GetUserManaged().GetReplicas()) == 0 {
		return invalid("The secret [%s] needs a replication policy: automatic, or user-managed with at least one replica.", n.of())
	}
	for _, replica := range policy.GetUserManaged().GetReplicas() {
		if !segment.MatchString(replica.GetLocation()) {
			return invalid("The secret [%s] has a replica with the location %q.", n.of(), replica.GetLocation())
		}
	}
	return nil
}

// checkKeys wants each key in the location of what it encrypts.
func checkKeys(s *secret, n name) error {
	keys := map[string]*secretmanagerpb.CustomerManagedEncryption{} // by location
	if n.location != "" {
		keys[n.location] = s.pb.GetCustomerManagedEncryption()
	} else if s.pb.GetCustomerManagedEncryption() != nil {
		return invalid("The secret [%s] has its encryption keys in its replication policy; only a regional one has one of its own.", n.of())
	}
	keys["global"] = s.pb.GetReplication().GetAutomatic().GetCustomerManagedEncryption()
	for _, replica := range s.pb.GetReplication().GetUserManaged().GetReplicas() {
		keys[replica.GetLocation()] = replica.GetCustomerManagedEncryption()
	}
	for location, key := range keys {
		if key == nil {
			continue
		}
		found := kmsKey.FindStringSubmatch(key.GetKmsKeyName())
		if found == nil || found[1] != location {
			return invalid("The secret [%s] has the encryption key [%s]; it must be one of the location %s.", n.of(), key.GetKmsKeyName(), location)
		}
	}
	return nil
}

// withoutKeys is what is immutable of a replication policy.
func withoutKeys(policy *secretmanagerpb.Replication) *secretmanagerpb.Replication {
	policy = proto.CloneOf(policy)
	if policy.GetAutomatic() != nil {
		policy.GetAutomatic().CustomerManagedEncryption = nil
	}
	for _, replica := range policy.GetUserManaged().GetReplicas() {
		replica.CustomerManagedEncryption = nil
	}
	return policy
}

// replicationStatus is what a new version shows of a policy; a regional secret has none.
func replicationStatus(policy *secretmanagerpb.Replication) *secretmanagerpb.ReplicationStatus {
	if policy == nil {
		return nil
	}
	if automatic := policy.GetAutomatic(); automatic != nil {
		return &secretmanagerpb.ReplicationStatus{ReplicationStatus: &secretmanagerpb.ReplicationStatus_Automatic{
			Automatic: &secretmanagerpb.ReplicationStatus_AutomaticStatus{
				CustomerManagedEncryption: keyStatus(automatic.GetCustomerManagedEncryption()),
			},
		}}
	}
	shown := &secretmanagerpb.ReplicationStatus_UserManagedStatus{}
	for _, replica := range policy.GetUserManaged().GetReplicas() {
		shown.Replicas = append(shown.Replicas, &secretmanagerpb.ReplicationStatus_UserManagedStatus_ReplicaStatus{
			Location:                  replica.GetLocation(),
			CustomerManagedEncryption: keyStatus(replica.GetCustomerManagedEncryption()),
		})
	}
	return &secretmanagerpb.ReplicationStatus{ReplicationStatus: &secretmanagerpb.ReplicationStatus_UserManaged{UserManaged: shown}}
}

// keyStatus is the version of a key that encrypts a new payload: here the first.
func keyStatus(key *secretmanagerpb.CustomerManagedEncryption) *secretmanagerpb.CustomerManagedEncryptionStatus {
	if key == nil {
		return nil
	}
	return &secretmanagerpb.CustomerManagedEncryptionStatus{KmsKeyVersionName: key.GetKmsKeyName() + "/cryptoKeyVersions/1"}
}
