package gcpsmtest

import (
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Whatever a filter is, it is refused or it can be asked, and its negation says the contrary.
func FuzzFilter(f *testing.F) {
	for _, filter := range []string{
		"name:crm OR name:b AND NOT labels.env=prod", `create_time<"2026-03-01T15:04:05Z"`, "replication.automatic:*", "topics.name:(a OR b)", "labels:a",
		"rotation.rotation_period>1s", "version_aliases.a>=1", "((name:a))", "NOT", "(", `"`, "a.b.c=d", "name:*",
	} {
		f.Add(filter)
	}
	s := &secretmanagerpb.Secret{
		Name: "projects/1/secrets/crm", Labels: map[string]string{"env": "prod"}, VersionAliases: map[string]int64{"a": 1},
		CreateTime: timestamppb.Now(), Topics: []*secretmanagerpb.Topic{{Name: "projects/p/topics/a"}},
	}
	f.Fuzz(func(t *testing.T, filter string) {
		c, err := parseFilter(filter, s)
		if err != nil {
			if status.Code(err) != codes.InvalidArgument {
				t.Errorf("filter [%s]: %v", filter, err)
			}
			return
		}
		passes := c(s.ProtoReflect())
		not, err := parseFilter("NOT ("+filter+")", s)
		if err != nil {
			return // the empty filter, or one as deep as it may be
		}
		if not(s.ProtoReflect()) == passes {
			t.Errorf("filter [%s] and its negation both say %t", filter, passes)
		}
	})
}
