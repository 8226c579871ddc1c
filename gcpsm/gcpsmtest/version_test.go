package gcpsmtest_test

import (
	"hash/crc32"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestVersionsAreNumberedFromOneAndNumbersAreNotUsedAgain(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	for _, want := range []string{"1", "2", "3"} {
		v := c.mustAdd(secret, "value "+want)
		if got := last(v.Name); got != want {
			t.Errorf("version %s; want %s", got, want)
		}
		c.change("Destroy", secret, want)
	}
	c.mustAdd(secret, "value 4")
	c.wantValue(secret, "4", "value 4")
}

func TestAPayloadHasOneByteAtLeastAnd64KiBAtMost(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	for size, want := range map[int]codes.Code{0: codes.InvalidArgument, 1: codes.OK, 65536: codes.OK, 65537: codes.InvalidArgument} {
		_, err := c.add(secret, strings.Repeat("x", size))
		if wantCode(t, err, want); want != codes.OK && strings.Contains(err.Error(), "xxx") {
			t.Error("the error has the payload")
		}
	}
	_, err := c.AddSecretVersion(t.Context(), &secretmanagerpb.AddSecretVersionRequest{Parent: secret})
	wantCode(t, err, codes.InvalidArgument)
	if v := c.getVersion(secret, "latest"); last(v.Name) != "2" {
		t.Errorf("latest version %s; want 2, since refused ones take no number", v.Name)
	}
}

func TestAChecksumIsVerifiedOrComputedAndAlwaysAnswered(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	right := int64(crc32.Checksum([]byte("value"), crc32.MakeTable(crc32.Castagnoli)))
	for _, sent := range []*int64{nil, proto.Int64(right), proto.Int64(right + 1), proto.Int64(0), proto.Int64(right + 1<<32)} {
		added, err := c.AddSecretVersion(t.Context(), &secretmanagerpb.AddSecretVersionRequest{
			Parent: secret, Payload: &secretmanagerpb.SecretPayload{Data: []byte("value"), DataCrc32C: sent},
		})
		if sent != nil && *sent != right {
			wantCode(t, err, codes.InvalidArgument)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if added.ClientSpecifiedPayloadChecksum != (sent != nil) {
			t.Errorf("client_specified_payload_checksum is %t with the checksum %v", added.ClientSpecifiedPayloadChecksum, sent)
		}
		read, err := c.AccessSecretVersion(t.Context(), &secretmanagerpb.AccessSecretVersionRequest{Name: added.Name})
		if err != nil {
			t.Fatal(err)
		}
		if got := read.GetPayload().DataCrc32C; got == nil || *got != right {
			t.Errorf("checksum %v; want %d", got, right)
		}
	}
}

func TestANewVersionIsEnabledAndShowsNoPayload(t *testing.T) {
	c, clock := newClientWithClock(t)
	if _, err := c.make(regional, "s", &secretmanagerpb.Secret{}); err != nil {
		t.Fatal(err)
	}
	added := c.mustAdd(regional+"/secrets/s", "value")
	want := &secretmanagerpb.SecretVersion{
		Name: answered + "/locations/europe-west1/secrets/s/versions/1", CreateTime: timestamppb.New(clock.now()), State: enabled, Etag: added.Etag,
	}
	if diff := cmp.Diff(want, added, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(added, c.getVersion(regional+"/secrets/s", "1"), protocmp.Transform()); diff != "" {
		t.Errorf("-added +read:\n%s", diff)
	}
}

func TestOnlyAnEnabledVersionIsReadAndADestroyedOneStaysSo(t *testing.T) {
	c, clock := newClientWithClock(t)
	secret := c.create("s")
	c.mustAdd(secret, "value")
	const in = "/secrets/s/versions/1] is in "
	if v := c.change("Disable", secret, "1"); v.State != disabled || v.DestroyTime != nil {
		t.Errorf("after Disable: %v", v)
	}
	_, err := c.access(secret, "1")
	wantError(t, err, codes.FailedPrecondition, "Secret Version ["+answered+in+"DISABLED state.")
	if v := c.change("Enable", secret, "1"); v.State != enabled {
		t.Errorf("after Enable: %v", v)
	}
	c.wantValue(secret, "1", "value")
	if v := c.change("Destroy", secret, "1"); v.State != destroyed || !v.DestroyTime.AsTime().Equal(clock.now()) {
		t.Errorf("after Destroy: %v", v)
	}
	_, err = c.access(secret, "1")
	wantError(t, err, codes.FailedPrecondition, "Secret Version ["+answered+in+"DESTROYED state.")
	for method, change := range changes {
		_, err := change(c, secret+"/versions/1", "")
		if wantError(t, err, codes.FailedPrecondition, "Secret Version ["+answered+in+"DESTROYED state."); t.Failed() {
			t.Log(method)
		}
	}
	if v := c.getVersion(secret, "1"); v.State != destroyed {
		t.Errorf("at last: %v", v)
	}
}

func TestLatestIsTheVersionCreatedLastWhateverItsState(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	c.mustAdd(secret, "one", "two")
	c.wantValue(secret, "latest", "two")
	for _, what := range []string{"Disable", "Destroy"} {
		c.change(what, secret, "2")
		_, err := c.access(secret, "latest")
		wantCode(t, err, codes.FailedPrecondition)
	}
	if v := c.getVersion(secret, "latest"); last(v.Name) != "2" || v.State != destroyed {
		t.Errorf("latest is %v; want version 2, destroyed", v)
	}
	c.mustAdd(secret, "three")
	c.wantValue(secret, "latest", "three")
}

func TestAnAliasReadsItsVersionAndChangesNone(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	c.mustAdd(secret, "one", "two")
	c.alias(secret, "current", 1)
	c.wantValue(secret, "current", "one")
	if v := c.getVersion(secret, "current"); v.Name != answered+"/secrets/s/versions/1" {
		t.Errorf("GetSecretVersion by alias: %q; want the name with the number", v.Name)
	}
	for _, version := range []string{"current", "latest"} {
		for _, change := range changes {
			_, err := change(c, secret+"/versions/"+version, "")
			wantCode(t, err, codes.InvalidArgument)
		}
	}
	c.alias(secret, "current", 2)
	c.wantValue(secret, "current", "two")
	c.change("Destroy", secret, "2")
	_, err := c.access(secret, "current")
	wantCode(t, err, codes.FailedPrecondition)
	c.alias(secret, "other", 1) // the map is replaced
	_, err = c.access(secret, "current")
	wantCode(t, err, codes.NotFound)
}
