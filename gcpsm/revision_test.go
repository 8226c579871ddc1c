package gcpsm

import (
	"maps"
	"testing"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tokenkeep/tokenkeep/driver"
)

func TestARevisionKeepsWhatAPutNeeds(t *testing.T) {
	secret := &secretmanagerpb.Secret{
		Etag: `"1a \"b"`, CreateTime: timestamppb.New(time.Unix(12, 34)),
		VersionAliases: map[string]int64{current: 3, "pinned": 1},
	}
	rev := stateOf(secret).revision("full")
	st, ok := decodeRevision(rev, "full")
	if !ok || st.Etag != secret.Etag || st.Version != 3 || st.Created != 12e9+34 || !maps.Equal(st.Others, map[string]int64{"pinned": 1}) {
		t.Errorf("decodeRevision(%q) = %+v, %v", rev, st, ok)
	}
	if got := st.aliases(4); !maps.Equal(got, map[string]int64{current: 4, "pinned": 1}) {
		t.Errorf("the aliases are %v", got)
	}
	if len(secret.VersionAliases) != 2 {
		t.Errorf("the reply was changed to %v", secret)
	}
	again := &secretmanagerpb.Secret{Etag: secret.Etag, CreateTime: timestamppb.New(time.Unix(12, 35)), VersionAliases: secret.VersionAliases}
	if stateOf(again).revision("full") == rev {
		t.Error("two lives with one etag have one revision")
	}
	for _, other := range []driver.Revision{"", "gcpsm1", "gcpsm1 {}", "gcpsm1 {} x", rev + " ", rev[1:]} {
		if _, ok := decodeRevision(other, "full"); ok {
			t.Errorf("decodeRevision(%q) takes it", other)
		}
	}
	if _, ok := decodeRevision(rev, "other"); ok {
		t.Error("a revision of one secret is taken for another's")
	}
}

// A read by alias knows nothing of the life but its payload, which no two lives have alike.
func TestARevisionOfGetDoesNotFitALaterLife(t *testing.T) {
	b := newBench(t)
	mustPut(t, b, "a", "one", "")
	got, err := b.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := loses(b, got.Revision); err != nil {
		t.Error(err)
	}
	mustPut(t, b, "a", "new life", "")
	if err := loses(b, got.Revision); err != nil {
		t.Error(err)
	}
	wantLatest(t, b, "a", "new life")
}
