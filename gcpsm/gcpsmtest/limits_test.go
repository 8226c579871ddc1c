package gcpsmtest_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
)

// many is a map of n keys.
func many[V any](n int, value V) map[string]V {
	m := map[string]V{}
	for i := range n {
		m[fmt.Sprintf("k%d", i)] = value
	}
	return m
}

func TestMetadataHasTheLimitsThatAreDocumented(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	label := func(key, value string) *secretmanagerpb.Secret {
		return &secretmanagerpb.Secret{Labels: map[string]string{key: value}}
	}
	annotation := func(key, value string) *secretmanagerpb.Secret {
		return &secretmanagerpb.Secret{Annotations: map[string]string{key: value}}
	}
	alias := func(name string, number int64) *secretmanagerpb.Secret {
		return &secretmanagerpb.Secret{VersionAliases: map[string]int64{name: number}}
	}
	topics := func(n int, name string) *secretmanagerpb.Secret {
		s := &secretmanagerpb.Secret{}
		for range n {
			s.Topics = append(s.Topics, &secretmanagerpb.Topic{Name: name})
		}
		return s
	}
	tests := []struct {
		path     string
		ok, fail []*secretmanagerpb.Secret
	}{
		{"labels", []*secretmanagerpb.Secret{
			{Labels: many(64, "v")}, label("a", ""), label("ä_-1", "ß_-9"), label(x(63), x(63)), label("名", "名"), {},
		}, []*secretmanagerpb.Secret{
			{Labels: many(65, "v")}, label("", "v"), label("A", "v"), label("1", "v"), label("_", "v"), label("a.b", "v"), label(x(64), "v"),
			label("a", "A"), label("a", "a.b"), label("a", "a b"), label("a", x(64)), label(strings.Repeat("名", 43), "v"), label("a", strings.Repeat("名", 43)),
		}},
		{"annotations", []*secretmanagerpb.Secret{
			annotation("a", "ANY text: ä\n"), annotation("a.B_c-9", ""), annotation(x(63), ""), annotation("a", x(16*1024-2)), {Annotations: many(100, "v")},
		}, []*secretmanagerpb.Secret{
			annotation("", "v"), annotation("-a", "v"), annotation("a-", "v"), annotation("a b", "v"), annotation("ä", "v"), annotation(x(64), "v"),
			annotation("a", x(16*1024-1)),
		}},
		{"version_aliases", []*secretmanagerpb.Secret{
			{VersionAliases: many(50, int64(1))}, alias("a", 1), alias("Z_-9", 1), alias(x(63), 1), alias("new", 1), {},
		}, []*secretmanagerpb.Secret{
			{VersionAliases: many(51, int64(1))}, alias("", 1), alias("1", 1), alias("_a", 1), alias("a.b", 1), alias(x(64), 1),
			alias("latest", 1), alias("NEW", 1), alias("a", 2), alias("a", 0),
		}},
		{"topics", []*secretmanagerpb.Secret{topics(10, "projects/p/topics/t")},
			[]*secretmanagerpb.Secret{topics(11, "projects/p/topics/t"), topics(1, "t")}},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			c := newClient(t)
			secret := c.create("s")
			c.mustAdd(secret, "value")
			for want, all := range map[codes.Code][]*secretmanagerpb.Secret{codes.OK: tt.ok, codes.InvalidArgument: tt.fail} {
				for i, fields := range all {
					fields.Name = secret
					_, err := c.update(fields, tt.path)
					if wantCode(t, err, want); t.Failed() {
						t.Fatalf("%s %d: %.200v", want, i, fields)
					}
				}
			}
		})
	}
}

func TestASecretIsCheckedWhenItIsCreatedToo(t *testing.T) {
	c := newClient(t)
	for _, fields := range []*secretmanagerpb.Secret{
		{Labels: map[string]string{"A": "b"}}, {Annotations: map[string]string{"-": ""}}, {VersionAliases: map[string]int64{"a": 1}},
		{SecretType: secretmanagerpb.Secret_SecretType(1)},
	} {
		fields.Replication = automatic
		_, err := c.make(global, "s", fields)
		wantCode(t, err, codes.InvalidArgument)
	}
	c.create("s")
}
