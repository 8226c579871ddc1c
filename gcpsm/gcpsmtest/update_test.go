package gcpsmtest_test

import (
	"testing"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const regionalKey = "projects/k/locations/europe-west1/keyRings/r/cryptoKeys/k"

func TestAnUpdateSetsTheFieldsOfItsMaskAndNoOthers(t *testing.T) {
	c, clock := newClientWithClock(t)
	name := regional + "/secrets/s"
	if _, err := c.make(regional, "s", &secretmanagerpb.Secret{Labels: map[string]string{"old": "label", "both": "old"}}); err != nil {
		t.Fatal(err)
	}
	c.mustAdd(name, "value")
	all := &secretmanagerpb.Secret{
		Name:                      name,
		Annotations:               map[string]string{"a": "b"},
		CustomerManagedEncryption: &secretmanagerpb.CustomerManagedEncryption{KmsKeyName: regionalKey},
		Expiration:                &secretmanagerpb.Secret_ExpireTime{ExpireTime: timestamppb.New(clock.now().Add(time.Hour))},
		Labels:                    map[string]string{"both": "new", "new": "label"},
		Rotation:                  &secretmanagerpb.Rotation{NextRotationTime: timestamppb.New(clock.now().Add(time.Hour))},
		Topics:                    []*secretmanagerpb.Topic{{Name: "projects/p/topics/t"}},
		VersionAliases:            map[string]int64{"current": 1},
		VersionDestroyTtl:         durationpb.New(24 * time.Hour),
	}
	set := map[string]func(*secretmanagerpb.Secret){
		"annotations":                 func(s *secretmanagerpb.Secret) { s.Annotations = all.Annotations },
		"customer_managed_encryption": func(s *secretmanagerpb.Secret) { s.CustomerManagedEncryption = all.CustomerManagedEncryption },
		"expire_time":                 func(s *secretmanagerpb.Secret) { s.Expiration = all.Expiration },
		"labels":                      func(s *secretmanagerpb.Secret) { s.Labels = all.Labels },
		"rotation":                    func(s *secretmanagerpb.Secret) { s.Rotation = all.Rotation },
		"topics":                      func(s *secretmanagerpb.Secret) { s.Topics = all.Topics },
		"version_aliases":             func(s *secretmanagerpb.Secret) { s.VersionAliases = all.VersionAliases },
		"version_destroy_ttl":         func(s *secretmanagerpb.Secret) { s.VersionDestroyTtl = all.VersionDestroyTtl },
	}
	for path, apply := range set {
		want := c.get(name)
		got := c.mustUpdate(all, path)
		apply(want)
		want.Etag = got.Etag
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s, -want +got:\n%s", path, diff)
		}
		if diff := cmp.Diff(got, c.get(name), protocmp.Transform()); diff != "" {
			t.Errorf("%s, -answered +stored:\n%s", path, diff)
		}
	}
}

func TestAnUpdateNeedsAMaskOfFieldsThatCanChange(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	before := c.get(secret)
	for _, paths := range [][]string{
		nil, {"name"}, {"create_time"}, {"etag"}, {"secret_type"}, {"tags"}, {"unknown"}, {"*"}, {"labels.a"}, {"Labels"}, {"labels", "unknown"}, {""},
	} {
		_, err := c.update(&secretmanagerpb.Secret{Name: secret, Labels: map[string]string{"a": "b"}}, paths...)
		wantCode(t, err, codes.InvalidArgument)
	}
	if diff := cmp.Diff(before, c.get(secret), protocmp.Transform()); diff != "" {
		t.Errorf("after refused updates, -before +after:\n%s", diff)
	}
}
