package gcpsm

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/tokenkeep/tokenkeep/driver"
)

const (
	globalKey   = "projects/p/locations/global/keyRings/r/cryptoKeys/k"
	regionalKey = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
)

func TestNewStoreRefusesWhatSecretManagerWould(t *testing.T) {
	client := clientOf(t, startServer(t))
	replicas := []Replica{{Location: "europe-west1"}}
	labels := map[string]string{}
	for i := range maxLabels + 1 {
		labels["a"+strings.Repeat("b", i%60)+strings.Repeat("c", i/60)] = ""
	}
	tests := []struct {
		name, parent string
		o            Options
		says         string
	}{
		{"no parent", "", Options{Prefix: "p"}, "the parent is"},
		{"a parent that is a project's ID", "demo", Options{Prefix: "p"}, "the parent is"},
		{"a parent that is a secret", global + "/secrets/p", Options{Prefix: "p"}, "the parent is"},
		{"a parent without a location", global + "/locations/", Options{Prefix: "p"}, "the parent is"},
		{"no prefix", global, Options{}, "Prefix is empty"},
		{"a slash in the prefix", global, Options{Prefix: "a/b"}, "Secret Manager takes"},
		{"a line break in the prefix", global, Options{Prefix: "a\n"}, "Secret Manager takes"},
		{"a long prefix", global, Options{Prefix: strings.Repeat("a", 161)}, "shorten it"},
		{"replicas of regional secrets", regional, Options{Prefix: "p", Replicas: replicas}, "have none"},
		{"a key beside replicas", global, Options{Prefix: "p", Replicas: replicas, KMSKey: globalKey}, "give each replica a key"},
		{"a replica nowhere", global, Options{Prefix: "p", Replicas: []Replica{{}}}, "has the location"},
		{"a key of another location", global, Options{Prefix: "p", KMSKey: regionalKey}, "locations/global"},
		{"a regional key of another location", regional, Options{Prefix: "p", KMSKey: globalKey}, "locations/europe-west1"},
		{"a key of a replica of another location", global, Options{Prefix: "p", Replicas: []Replica{{"europe-west1", globalKey}}}, "locations/europe-west1"},
		{"a label in upper case", global, Options{Prefix: "p", Labels: map[string]string{"Team": "crm"}}, "lower case"},
		{"a label value with a dot", global, Options{Prefix: "p", Labels: map[string]string{"team": "a.b"}}, "lower case"},
		{"too many labels", global, Options{Prefix: "p", Labels: labels}, "takes 64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewStore(client, tt.parent, tt.o)
			if !errors.Is(err, driver.ErrInvalid) {
				t.Errorf("NewStore = %v; want ErrInvalid", err)
			}
			wantText(t, err, tt.says)
		})
	}
	if _, err := NewStore(nil, global, Options{Prefix: "p"}); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("NewStore(nil) = %v; want ErrInvalid", err)
	}
}

func TestNewStoreMakesNoCall(t *testing.T) {
	server := startServer(t)
	if _, err := NewStore(clientOf(t, server), regional, Options{Prefix: "p"}); err != nil || len(server.Calls()) != 0 {
		t.Errorf("NewStore = %v with calls %v; want success and none", err, server.Calls())
	}
}

func TestSecretsAreMadeAsTheOptionsSay(t *testing.T) {
	client := clientOf(t, startServer(t))
	labels := map[string]string{"team": "crm"}
	tests := []struct {
		name, parent string
		o            Options
		check        func(*secretmanagerpb.Secret) bool
	}{
		{"automatic", global, Options{Prefix: "automatic"}, func(s *secretmanagerpb.Secret) bool { return s.GetReplication().GetAutomatic() != nil }},
		{"automatic with a key", global, Options{Prefix: "key", KMSKey: globalKey}, func(s *secretmanagerpb.Secret) bool {
			return s.GetReplication().GetAutomatic().GetCustomerManagedEncryption().GetKmsKeyName() == globalKey
		}},
		{"replicas", global, Options{Prefix: "replicas", Replicas: []Replica{{"europe-west1", regionalKey}}}, func(s *secretmanagerpb.Secret) bool {
			r := s.GetReplication().GetUserManaged().GetReplicas()
			return len(r) == 1 && r[0].GetLocation() == "europe-west1" && r[0].GetCustomerManagedEncryption().GetKmsKeyName() == regionalKey
		}},
		{"regional with a key", regional, Options{Prefix: "regional", KMSKey: regionalKey}, func(s *secretmanagerpb.Secret) bool {
			return s.GetReplication() == nil && s.GetCustomerManagedEncryption().GetKmsKeyName() == regionalKey
		}},
	}
	for _, tt := range tests {
		tt.o.Labels = labels
		s := newDriver(t, client, tt.parent, tt.o)
		mustPut(t, s, "a", "two", mustPut(t, s, "a", "one", ""))
		got, err := client.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: s.FullName("a")})
		if err != nil || !tt.check(got) || !maps.Equal(got.GetLabels(), labels) {
			t.Errorf("%s: the secret is %v, error %v", tt.name, got, err)
		}
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"", "a/b", "a b", "a-b", "A", "é", "..", strings.Repeat("a", 252)} {
		_, get := b.Get(t.Context(), name)
		_, latest := b.Latest(t.Context(), name)
		_, put := b.Put(t.Context(), name, []byte("x"), "")
		_, many := b.GetMany(t.Context(), []string{name})
		_, clean := b.Clean(t.Context(), name)
		for method, err := range map[string]error{
			"Get": get, "Latest": latest, "Put": put, "Delete": b.Delete(t.Context(), name), "GetMany": many, "Clean": clean,
		} {
			if !errors.Is(err, driver.ErrInvalid) {
				t.Errorf("%s(%q) = %v; want ErrInvalid", method, name, err)
			}
		}
	}
	for _, payload := range []string{"", "\xff"} {
		if _, err := b.Put(t.Context(), "a", []byte(payload), ""); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("Put(%q) = %v; want ErrInvalid", payload, err)
		}
	}
	if calls := b.server.Calls(); len(calls) != 0 {
		t.Errorf("calls %v; want none", calls)
	}
}
