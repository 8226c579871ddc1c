package gcpsmtest_test

import (
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestAFilterOfSecretsChoosesAsDocumented(t *testing.T) {
	c, clock := newClientWithClock(t)
	for _, s := range []struct {
		id     string
		fields *secretmanagerpb.Secret
	}{
		{"plain", &secretmanagerpb.Secret{Replication: automatic}},
		{"crm-token", &secretmanagerpb.Secret{Replication: automatic, Labels: map[string]string{"env": "prod", "team": "a"}}},
		{"crm-index", &secretmanagerpb.Secret{Replication: automaticWith(key("global")), Labels: map[string]string{"env": "test"}}},
		{"local", &secretmanagerpb.Secret{Replication: userManaged("us-east1", "us-east1", "us-west1", ""), Annotations: map[string]string{"a.b": "c d"}}},
		{"rotated", &secretmanagerpb.Secret{Replication: userManaged("us-west1", ""), Expiration: ttl(240 * time.Hour),
			Topics: []*secretmanagerpb.Topic{{Name: "projects/p/topics/t"}}, Rotation: &secretmanagerpb.Rotation{
				RotationPeriod: durationpb.New(40 * 24 * time.Hour), NextRotationTime: timestamppb.New(epoch.Add(time.Hour)),
			}}},
	} {
		if _, err := c.make(global, s.id, s.fields); err != nil {
			t.Fatal(err)
		}
		clock.advance(24 * time.Hour)
	}
	c.mustAdd(global+"/secrets/plain", "value")
	c.alias(global+"/secrets/plain", "current", 1)
	const all = "crm-index crm-token local plain rotated"
	tests := map[string]string{
		"": all, "  ": all,
		"name:crm": "crm-index crm-token", "name:crm OR name:local": "crm-index crm-token local", "name:crm*n": "crm-index crm-token",
		"name:secrets/c*x": "crm-index", "name:x*c": "", "name:CRM": "", `name:"crm-t"`: "crm-token", "name = " + answered + "/secrets/local": "local",
		"name!=" + answered + "/secrets/local": "crm-index crm-token plain rotated",
		"labels.env=prod":                      "crm-token", "labels.env:pro": "crm-token", "labels.env=pro": "", "labels.env:*": "crm-index crm-token", "labels:team": "crm-token",
		"labels:*": "crm-index crm-token", `labels:"*"`: "", "NOT labels.env=prod": "crm-index local plain rotated", "labels.env!=prod": "crm-index local plain rotated",
		"labels.env=(prod OR test)": "crm-index crm-token", "labels.env=prod AND labels.team=b": "",
		`annotations.a.b="c d"`: "local", `annotations.a.b='c d'`: "local", "annotations.a:*": "",
		"create_time<2026-03-02T15:04:05Z": "plain", `create_time<="2026-03-02T15:04:05Z"`: "crm-token plain", "create_time>2026-03-04": "local rotated",
		`create_time>="2026-03-05T15:04:05Z"`: "rotated", `create_time="2026-03-01T16:04:05+01:00"`: "plain",
		"create_time>2026-03-02T00:00:00Z AND create_time<2026-03-04T00:00:00Z": "crm-index crm-token",
		"replication.automatic:*": "crm-index crm-token plain", "replication.user_managed.replicas.location:us-east1": "local",
		"replication.user_managed.replicas.location:* AND NOT replication.user_managed.replicas.location:(us-east1 OR us-east4)": "rotated",
		"replication.automatic.customer_managed_encryption:* OR replication.user_managed.replicas.customer_managed_encryption:*": "crm-index local",
		"rotation.rotation_period>2592000s": "rotated", "rotation.rotation_period<2592000s": "", "NOT rotation:*": "crm-index crm-token local plain",
		"expire_time:*": "rotated", "topics:*": "rotated", "topics.name:t": "rotated", "version_aliases:current": "plain", "version_aliases.current=1": "plain",
		"version_aliases.current>1": "",
		// OR binds more tightly than AND.
		"name:plain OR name:crm AND labels.env:*": "crm-index crm-token", "labels.env:* AND name:plain OR name:crm": "crm-index crm-token",
		"name:plain OR (name:crm AND labels.env=test)": "crm-index plain", "NOT (name:plain OR name:crm)": "local rotated", "((name:local))": "local",
		"NOT name:crm AND NOT name:plain": "local rotated",
	}
	for filter, want := range tests {
		if got := c.listed(&secretmanagerpb.ListSecretsRequest{Parent: global, Filter: filter}); got != want {
			t.Errorf("filter [%s]: %q; want %q", filter, got, want)
		}
	}
}

func TestAFilterOfVersionsChoosesByStateAndTime(t *testing.T) {
	c, clock := newClientWithClock(t)
	secret := c.create("s")
	for range 4 {
		c.mustAdd(secret, "value")
		clock.advance(24 * time.Hour)
	}
	c.change("Disable", secret, "2")
	c.change("Destroy", secret, "3")
	for filter, want := range map[string]string{
		"state:ENABLED": "4 1", "state=DISABLED": "2", "state:DESTROYED": "3", "state:(ENABLED OR DISABLED)": "4 2 1", "state!=DESTROYED": "4 2 1",
		"state:ENABLED AND create_time>2026-03-02": "4", "NOT state:ENABLED": "3 2", "destroy_time:*": "3", "name:versions/2": "2",
	} {
		if got := c.listedVersions(&secretmanagerpb.ListSecretVersionsRequest{Parent: secret, Filter: filter}); got != want {
			t.Errorf("filter [%s]: %q; want %q", filter, got, want)
		}
	}
	_, err := c.ListSecretVersions(t.Context(), &secretmanagerpb.ListSecretVersionsRequest{Parent: secret, Filter: "labels.a=b"}).Next()
	wantCode(t, err, codes.InvalidArgument)
}

func TestAFilterThatCannotBeReadIsRefused(t *testing.T) {
	c := newClient(t)
	for _, filter := range []string{
		"crm", "name", "name:crm ORname:b", "name:", ":crm", "name:crm name:b", "name:crm AND", "AND name:crm", "name:crm OR", "NOT", "NOT NOT name:a", "(name:crm", "name:crm)",
		"name:(a OR b", "name:(a AND b)", "name:()", `name:"crm`, "name ~ crm.*", "name~crm", "name<crm", "unknown:a", "labels=a", "labels.env<a", "name.a:b",
		"state:ENABLED", "secret_type:UNKNOWN", "create_time<yesterday", "create_time:(", "rotation.rotation_period>30", "version_aliases.a=b",
		"replication.unknown:*", "topics:a", "replication=automatic", "name:a or name:b", "name:a, name:b", strings.Repeat("(", 33) + "name:a" + strings.Repeat(")", 33),
	} {
		_, err := c.ListSecrets(t.Context(), &secretmanagerpb.ListSecretsRequest{Parent: global, Filter: filter}).Next()
		if wantCode(t, err, codes.InvalidArgument); err == nil || !strings.Contains(err.Error(), filter) {
			t.Errorf("filter [%s]: %v; want it named", filter, err)
		}
	}
}
