package gcpsmtest_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func TestAnswersHaveTheNumberOfTheProject(t *testing.T) {
	c := newClient(t)
	for _, parent := range []string{"projects/demo", "projects/123456789012", regional} {
		want := answered
		fields := &secretmanagerpb.Secret{Replication: automatic}
		switch parent {
		case regional:
			want += "/locations/europe-west1"
			fields.Replication = nil
		case "projects/123456789012":
			want = parent
		}
		want += "/secrets/s"
		secret, err := c.make(parent, "s", fields)
		if err != nil {
			t.Fatal(err)
		}
		added := c.mustAdd(parent+"/secrets/s", "value")
		read, err := c.AccessSecretVersion(t.Context(), &secretmanagerpb.AccessSecretVersionRequest{Name: parent + "/secrets/s/versions/latest"})
		if err != nil {
			t.Fatal(err)
		}
		if secret.Name != want || added.Name != want+"/versions/1" || read.Name != want+"/versions/1" {
			t.Errorf("in %s: names %q, %q, %q; want %q and version 1 of it", parent, secret.Name, added.Name, read.Name, want)
		}
	}
}

func TestAProjectIsTheSameByItsIDAndItsNumber(t *testing.T) {
	c := newClient(t)
	c.mustAdd(c.create("s"), "value")
	c.wantValue(answered+"/secrets/s", "1", "value")
	_, err := c.access("projects/other/secrets/s", "1")
	wantCode(t, err, codes.NotFound)
	if n := gcpsmtest.ProjectNumber("demo"); len(n) != 12 || strings.Trim(n, "0123456789") != "" || n[0] == '0' {
		t.Errorf("number %q; want twelve digits", n)
	}
}

func TestEachLocationHasSecretsOfItsOwn(t *testing.T) {
	c := newClient(t)
	c.mustAdd(c.create("s"), "global")
	for _, location := range []string{"europe-west1", "us-east1"} {
		parent := global + "/locations/" + location
		if _, err := c.make(parent, "s", &secretmanagerpb.Secret{}); err != nil {
			t.Fatal(err)
		}
		c.mustAdd(parent+"/secrets/s", location)
		c.wantValue(parent+"/secrets/s", "1", location)
	}
	c.wantValue(global+"/secrets/s", "1", "global")
}

func TestNamesHaveTheFormsThatAreDocumented(t *testing.T) {
	const ofVersion, ofSecret, ofParent = "[projects/*/secrets/*/versions/*]", "[projects/*/secrets/*]", "[projects/*]"
	c := newClient(t)
	for _, name := range []string{
		"", "s", "projects/demo/secrets/s", "projects/demo/secrets/s/versions", "projects/demo/secrets/s/versions/", "projects//secrets/s/versions/1",
		"projects/demo/secrets/s/versions/0", "projects/demo/secrets/s/versions/01", "projects/demo/secrets/s/versions/-1",
		"projects/demo/secrets/s/versions/1a", "projects/demo/secrets/s/versions/99999999999999999999", "/projects/demo/secrets/s/versions/1",
		"projects/demo/locations/secrets/s/versions/1", "projects/demo/locations/a b/secrets/s/versions/1", "projects/demo/secret/s/versions/1",
		"projects/demo/regions/x/secrets/s/versions/1", "projects/demo/secrets/s/versions/" + strings.Repeat("a", 64),
	} {
		_, err := c.AccessSecretVersion(t.Context(), &secretmanagerpb.AccessSecretVersionRequest{Name: name})
		wantError(t, err, codes.InvalidArgument, "The provided Secret ID ["+name+"] does not match the expected format "+ofVersion)
	}
	_, err := c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: "projects/demo/secrets/s/versions/1"})
	wantError(t, err, codes.InvalidArgument, "The provided Secret ID [projects/demo/secrets/s/versions/1] does not match the expected format "+ofSecret)
	_, err = c.make("demo", "s", &secretmanagerpb.Secret{Replication: automatic})
	wantError(t, err, codes.InvalidArgument, "The provided Secret ID [demo] does not match the expected format "+ofParent)
}

func TestSecretIDsHaveTheirAlphabetAndLength(t *testing.T) {
	c := newClient(t)
	for id, want := range map[string]codes.Code{
		"": codes.InvalidArgument, "a.b": codes.InvalidArgument, "a b": codes.InvalidArgument, "a@b": codes.InvalidArgument, "ä": codes.InvalidArgument,
		"a/b": codes.InvalidArgument, strings.Repeat("x", 256): codes.InvalidArgument, strings.Repeat("x", 255): codes.OK, "aZ_-09": codes.OK, "-": codes.OK,
	} {
		_, err := c.make(global, id, &secretmanagerpb.Secret{Replication: automatic})
		if want == codes.OK {
			wantCode(t, err, want)
			continue
		}
		wantError(t, err, want, "The provided Secret ID ["+id+"] does not match the expected format [[a-zA-Z_0-9]+]")
	}
	_, err := c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: global + "/secrets/a.b"})
	wantError(t, err, codes.InvalidArgument, "The provided Secret ID [a.b] does not match the expected format [[a-zA-Z_0-9]+]")
}
