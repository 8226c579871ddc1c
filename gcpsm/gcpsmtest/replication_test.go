package gcpsmtest_test

import (
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
)

func key(location string) *secretmanagerpb.CustomerManagedEncryption {
	if location == "" {
		return nil
	}
	return &secretmanagerpb.CustomerManagedEncryption{KmsKeyName: "projects/k/locations/" + location + "/keyRings/r/cryptoKeys/k"}
}

func automaticWith(key *secretmanagerpb.CustomerManagedEncryption) *secretmanagerpb.Replication {
	return &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_Automatic_{
		Automatic: &secretmanagerpb.Replication_Automatic{CustomerManagedEncryption: key},
	}}
}

// userManaged is a policy with a replica in each location, whose key is in the location that follows it, "" for none.
func userManaged(locations ...string) *secretmanagerpb.Replication {
	policy := &secretmanagerpb.Replication_UserManaged{}
	for i := 0; i < len(locations); i += 2 {
		policy.Replicas = append(policy.Replicas, &secretmanagerpb.Replication_UserManaged_Replica{
			Location: locations[i], CustomerManagedEncryption: key(locations[i+1]),
		})
	}
	return &secretmanagerpb.Replication{Replication: &secretmanagerpb.Replication_UserManaged_{UserManaged: policy}}
}

func TestAGlobalSecretNeedsAReplicationPolicyAndARegionalOneHasNone(t *testing.T) {
	tests := []struct {
		name, parent string
		secret       *secretmanagerpb.Secret
		want         codes.Code
	}{
		{"global and automatic", global, &secretmanagerpb.Secret{Replication: automatic}, codes.OK},
		{"global and user-managed", global, &secretmanagerpb.Secret{Replication: userManaged("us-east1", "", "us-west1", "")}, codes.OK},
		{"global without replicas", global, &secretmanagerpb.Secret{Replication: userManaged()}, codes.InvalidArgument},
		{"global with a replica nowhere", global, &secretmanagerpb.Secret{Replication: userManaged("", "")}, codes.InvalidArgument},
		{"global with an empty policy", global, &secretmanagerpb.Secret{Replication: &secretmanagerpb.Replication{}}, codes.InvalidArgument},
		{"global without a policy", global, &secretmanagerpb.Secret{}, codes.InvalidArgument},
		{"regional without a policy", regional, &secretmanagerpb.Secret{}, codes.OK},
		{"regional with a policy", regional, &secretmanagerpb.Secret{Replication: automatic}, codes.InvalidArgument},
		{"automatic with a global key", global, &secretmanagerpb.Secret{Replication: automaticWith(key("global"))}, codes.OK},
		{"automatic with a key elsewhere", global, &secretmanagerpb.Secret{Replication: automaticWith(key("us-east1"))}, codes.InvalidArgument},
		{"a replica with a key there", global, &secretmanagerpb.Secret{Replication: userManaged("us-east1", "us-east1")}, codes.OK},
		{"a replica with a key elsewhere", global, &secretmanagerpb.Secret{Replication: userManaged("us-east1", "global")}, codes.InvalidArgument},
		{"regional with a key there", regional, &secretmanagerpb.Secret{CustomerManagedEncryption: key("europe-west1")}, codes.OK},
		{"regional with a key elsewhere", regional, &secretmanagerpb.Secret{CustomerManagedEncryption: key("us-east1")}, codes.InvalidArgument},
		{"regional with no key's name", regional, &secretmanagerpb.Secret{
			CustomerManagedEncryption: &secretmanagerpb.CustomerManagedEncryption{KmsKeyName: "k"},
		}, codes.InvalidArgument},
		{"global with a regional secret's key", global, &secretmanagerpb.Secret{
			Replication: automatic, CustomerManagedEncryption: key("global"),
		}, codes.InvalidArgument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newClient(t).make(tt.parent, "s", tt.secret)
			wantCode(t, err, tt.want)
		})
	}
}

func TestAReplicationPolicyChangesNothingButItsKeys(t *testing.T) {
	c := newClient(t)
	if _, err := c.make(global, "s", &secretmanagerpb.Secret{Replication: userManaged("us-east1", "")}); err != nil {
		t.Fatal(err)
	}
	name := global + "/secrets/s"
	for _, policy := range []*secretmanagerpb.Replication{nil, automatic, userManaged("us-west1", ""), userManaged("us-east1", "", "us-west1", "")} {
		_, err := c.update(&secretmanagerpb.Secret{Name: name, Replication: policy}, "replication")
		wantCode(t, err, codes.InvalidArgument)
	}
	c.mustUpdate(&secretmanagerpb.Secret{Name: name, Replication: userManaged("us-east1", "us-east1")}, "replication")
	if got := c.get(name).GetReplication().GetUserManaged().GetReplicas()[0].GetCustomerManagedEncryption(); got == nil {
		t.Error("no key after an update that sets one")
	}
}

func TestAVersionShowsWhereItIsAndItsKeys(t *testing.T) {
	encrypted := func(location string) *secretmanagerpb.CustomerManagedEncryptionStatus {
		return &secretmanagerpb.CustomerManagedEncryptionStatus{KmsKeyVersionName: key(location).KmsKeyName + "/cryptoKeyVersions/1"}
	}
	tests := []struct {
		name, parent string
		secret       *secretmanagerpb.Secret
		want         *secretmanagerpb.SecretVersion
	}{
		{"automatic", global, &secretmanagerpb.Secret{Replication: automaticWith(key("global"))}, &secretmanagerpb.SecretVersion{
			ReplicationStatus: &secretmanagerpb.ReplicationStatus{ReplicationStatus: &secretmanagerpb.ReplicationStatus_Automatic{
				Automatic: &secretmanagerpb.ReplicationStatus_AutomaticStatus{CustomerManagedEncryption: encrypted("global")},
			}},
		}},
		{"user-managed", global, &secretmanagerpb.Secret{Replication: userManaged("us-east1", "us-east1", "us-west1", "")}, &secretmanagerpb.SecretVersion{
			ReplicationStatus: &secretmanagerpb.ReplicationStatus{ReplicationStatus: &secretmanagerpb.ReplicationStatus_UserManaged{
				UserManaged: &secretmanagerpb.ReplicationStatus_UserManagedStatus{
					Replicas: []*secretmanagerpb.ReplicationStatus_UserManagedStatus_ReplicaStatus{
						{Location: "us-east1", CustomerManagedEncryption: encrypted("us-east1")}, {Location: "us-west1"},
					},
				},
			}},
		}},
		{"regional", regional, &secretmanagerpb.Secret{CustomerManagedEncryption: key("europe-west1")}, &secretmanagerpb.SecretVersion{
			CustomerManagedEncryption: encrypted("europe-west1"),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t)
			if _, err := c.make(tt.parent, "s", tt.secret); err != nil {
				t.Fatal(err)
			}
			got := c.mustAdd(tt.parent+"/secrets/s", "value")
			got = &secretmanagerpb.SecretVersion{ReplicationStatus: got.ReplicationStatus, CustomerManagedEncryption: got.CustomerManagedEncryption}
			if diff := cmp.Diff(tt.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
