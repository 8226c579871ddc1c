package gcpsmtest_test

import (
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestASecretIsCreatedOnce(t *testing.T) {
	c := newClient(t)
	c.mustAdd(c.create("s"), "value")
	_, err := c.make(answered, "s", &secretmanagerpb.Secret{Replication: automatic})
	wantError(t, err, codes.AlreadyExists, "Secret ["+answered+"/secrets/s] already exists.")
	c.wantValue(global+"/secrets/s", "1", "value")
	_, err = c.make(global, "t", nil)
	wantCode(t, err, codes.InvalidArgument)
}

func TestASecretShowsWhatItWasCreatedWithAndNothingThatIsNotItsClients(t *testing.T) {
	c, clock := newClientWithClock(t)
	created, err := c.make(global, "s", &secretmanagerpb.Secret{
		Name: "projects/other/secrets/other", Etag: `"etag"`, CreateTime: timestamppb.New(epoch.AddDate(1, 0, 0)), Replication: automatic,
		Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"}, Tags: map[string]string{"123/e": "f"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &secretmanagerpb.Secret{
		Name: answered + "/secrets/s", Etag: created.Etag, CreateTime: timestamppb.New(clock.now()), Replication: automatic,
		Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"},
	}
	if diff := cmp.Diff(want, created, protocmp.Transform()); diff != "" || created.Etag == `"etag"` {
		t.Errorf("created, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(created, c.get(global+"/secrets/s"), protocmp.Transform()); diff != "" {
		t.Errorf("read, -created +got:\n%s", diff)
	}
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	c := newClient(t)
	name, shown := global+"/secrets/s", "Secret ["+answered+"/secrets/s] not found."
	_, err := c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: name})
	wantError(t, err, codes.NotFound, shown)
	wantError(t, c.DeleteSecret(t.Context(), &secretmanagerpb.DeleteSecretRequest{Name: name}), codes.NotFound, shown)
	_, err = c.update(&secretmanagerpb.Secret{Name: name}, "labels")
	wantError(t, err, codes.NotFound, shown)
	_, err = c.add(name, "value")
	wantError(t, err, codes.NotFound, shown)
	_, err = c.ListSecretVersions(t.Context(), &secretmanagerpb.ListSecretVersionsRequest{Parent: name}).Next()
	wantError(t, err, codes.NotFound, shown)

	_, err = c.access(name, "latest")
	wantError(t, err, codes.NotFound, "Secret ["+answered+"/secrets/s] not found or has no versions.")
	_, err = c.access(name, "1")
	wantError(t, err, codes.NotFound, "Secret Version ["+answered+"/secrets/s/versions/1] not found.")
	for _, change := range changes {
		_, err = change(c, name+"/versions/1", "")
		wantError(t, err, codes.NotFound, "Secret Version ["+answered+"/secrets/s/versions/1] not found.")
	}

	c.create("s")
	_, err = c.access(name, "latest")
	wantError(t, err, codes.NotFound, "Secret ["+answered+"/secrets/s] not found or has no versions.")
	_, err = c.access(name, "2")
	wantError(t, err, codes.NotFound, "Secret Version ["+answered+"/secrets/s/versions/2] not found.")
	_, err = c.access(name, "current")
	wantError(t, err, codes.NotFound, "Secret Version ["+answered+"/secrets/s/versions/current] not found.")
}

func TestADeletedSecretIsGoneWithItsVersionsAndNumbersBeginAnew(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	c.mustAdd(secret, "one", "two")
	c.remove(secret)
	_, err := c.access(secret, "1")
	wantCode(t, err, codes.NotFound)
	c.create("s")
	_, err = c.access(secret, "2")
	wantCode(t, err, codes.NotFound)
	if v := c.mustAdd(secret, "three"); last(v.Name) != "1" {
		t.Errorf("first version %q; want number 1", v.Name)
	}
}
