package gcpsm

import (
	"slices"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func TestAListIsOfOneFolder(t *testing.T) {
	b := newBench(t, gcpsmtest.WithPageSize(1))
	mustPut(t, b, "t_p1", "one", "")
	mustPut(t, b, "t_p2", "two", "")
	for _, prefix := range []string{"crm-test", "my-crm", "CRM", "crm_"} {
		mustPut(t, newDriver(t, b.client, regional, Options{Prefix: prefix}), "t_p3", "another store's", "")
	}
	makeEmpty(t, b.client, b.secrets, "t_p4") // holds no token
	if _, err := b.client.CreateSecret(t.Context(), &secretmanagerpb.CreateSecretRequest{
		Parent: regional, SecretId: "crm-Stranger", Secret: &secretmanagerpb.Secret{},
	}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, err := range b.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"t_p1", "t_p2"}) {
		t.Errorf("List = %q; want those of this prefix that hold something", names)
	}
}
