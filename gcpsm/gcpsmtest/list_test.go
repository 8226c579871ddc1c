package gcpsmtest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// listed returns the IDs of the secrets on all pages of a list.
func (c sm) listed(req *secretmanagerpb.ListSecretsRequest) string {
	c.t.Helper()
	return ids(c.t, c.ListSecrets(c.t.Context(), req).Next)
}

// listedVersions returns the numbers of the versions on all pages of a list.
func (c sm) listedVersions(req *secretmanagerpb.ListSecretVersionsRequest) string {
	c.t.Helper()
	return ids(c.t, c.ListSecretVersions(c.t.Context(), req).Next)
}

func ids[T interface{ GetName() string }](t *testing.T, next func() (T, error)) string {
	t.Helper()
	var found []string
	for {
		it, err := next()
		if errors.Is(err, iterator.Done) {
			return strings.Join(found, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, last(it.GetName()))
	}
}

// page returns one page of the secrets, and the answer itself.
func (c sm) page(req *secretmanagerpb.ListSecretsRequest) (string, *secretmanagerpb.ListSecretsResponse, error) {
	var found []string
	it := c.ListSecrets(c.t.Context(), proto.CloneOf(req))
	items, next, err := it.InternalFetch(int(req.PageSize), req.PageToken)
	if err != nil {
		return "", nil, err
	}
	for _, s := range items {
		found = append(found, last(s.Name))
	}
	response := it.Response.(*secretmanagerpb.ListSecretsResponse)
	if next != response.NextPageToken {
		c.t.Errorf("token %q; want %q", next, response.NextPageToken)
	}
	return strings.Join(found, " "), response, nil
}

func TestAListOfSecretsHasThoseOfItsParentByName(t *testing.T) {
	c := newClient(t)
	for _, id := range []string{"b", "a", "C", "b-1", "b_1", "a2", "a10"} {
		c.create(id)
	}
	for _, location := range []string{"europe-west1", "europe-west12"} {
		if _, err := c.make(global+"/locations/"+location, "in-"+location, &secretmanagerpb.Secret{}); err != nil {
			t.Fatal(err)
		}
	}
	for parent, want := range map[string]string{
		global: "C a a10 a2 b b-1 b_1", answered: "C a a10 a2 b b-1 b_1", regional: "in-europe-west1", "projects/demo2": "", global + "/locations/us-east1": "",
	} {
		if got := c.listed(&secretmanagerpb.ListSecretsRequest{Parent: parent}); got != want {
			t.Errorf("in %s: %q; want %q", parent, got, want)
		}
	}
}

func TestListsBeginWithTheNewest(t *testing.T) {
	c, _ := newClientWithClock(t, gcpsmtest.WithSecretsNewestFirst(), gcpsmtest.WithPageSize(4)) // no time passes
	var want []string
	for i := range 12 {
		id := fmt.Sprint("s", (i*5)%12)
		c.create(id)
		c.mustAdd(global+"/secrets/s0", "value")
		want = append([]string{id}, want...)
	}
	if got := c.listed(&secretmanagerpb.ListSecretsRequest{Parent: global}); got != strings.Join(want, " ") {
		t.Errorf("secrets %q; want %q", got, want)
	}
	const numbers = "12 11 10 9 8 7 6 5 4 3 2 1"
	if got := c.listedVersions(&secretmanagerpb.ListSecretVersionsRequest{Parent: global + "/secrets/s0"}); got != numbers {
		t.Errorf("versions %q; want %q", got, numbers)
	}
}

func TestAListComesInPages(t *testing.T) {
	c := newClient(t, gcpsmtest.WithPageSize(2))
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		c.create(id)
	}
	req := &secretmanagerpb.ListSecretsRequest{Parent: global}
	for size, want := range map[int32]string{0: "a b", 1: "a", 3: "a b c", 5: "a b c d e", 30000: "a b c d e"} {
		req.PageSize = size
		got, response, err := c.page(req)
		if err != nil || got != want || response.TotalSize != 5 || (response.NextPageToken == "") != (len(want) == 9) {
			t.Errorf("size %d: %q, total %d, token %q, %v; want %q", size, got, response.GetTotalSize(), response.GetNextPageToken(), err, want)
		}
	}
	req.PageSize = 0
	_, response, _ := c.page(req)
	req.PageToken = response.NextPageToken
	c.remove(global + "/secrets/b") // the last one shown
	c.remove(global + "/secrets/c")
	c.create("a1")
	if got, _, err := c.page(req); err != nil || got != "d e" {
		t.Errorf("second page %q, %v; want what is behind the first one, %q", got, err, "d e")
	}
	c.remove(global + "/secrets/d")
	c.remove(global + "/secrets/e")
	if got, response, err := c.page(req); err != nil || got != "" || response.NextPageToken != "" {
		t.Errorf("second page of what is gone: %q, %v", got, err)
	}
	for _, wrong := range []*secretmanagerpb.ListSecretsRequest{
		{Parent: global, PageToken: "no token"},
		{Parent: regional, PageToken: req.PageToken},
		{Parent: global, PageToken: req.PageToken, Filter: "name:a"},
		{Parent: global, PageSize: -1},
	} {
		_, err := c.ListSecrets(t.Context(), wrong).Next()
		wantCode(t, err, codes.InvalidArgument)
	}
}

func TestATotalIsOnlyThatOfAListWithoutAFilter(t *testing.T) {
	c := newClient(t)
	c.create("a")
	for filter, want := range map[string]int32{"": 1, "name:a": 0} {
		if _, response, err := c.page(&secretmanagerpb.ListSecretsRequest{Parent: global, Filter: filter}); err != nil || response.TotalSize != want {
			t.Errorf("filter %q: total %d, %v; want %d", filter, response.GetTotalSize(), err, want)
		}
	}
}

func TestAListOfVersionsComesInPagesOfItsOwn(t *testing.T) {
	c := newClient(t, gcpsmtest.WithPageSize(2))
	secret := c.create("s")
	c.mustAdd(secret, "1", "2", "3")
	it := c.ListSecretVersions(t.Context(), &secretmanagerpb.ListSecretVersionsRequest{Parent: secret})
	items, token, err := it.InternalFetch(0, "")
	if err != nil || len(items) != 2 || it.Response.(*secretmanagerpb.ListSecretVersionsResponse).TotalSize != 3 {
		t.Errorf("first page has %d, %v; want 2 of 3", len(items), err)
	}
	_, err = c.ListSecrets(t.Context(), &secretmanagerpb.ListSecretsRequest{Parent: global, PageToken: token}).Next()
	wantCode(t, err, codes.InvalidArgument)
	_, err = c.ListSecretVersions(t.Context(), &secretmanagerpb.ListSecretVersionsRequest{Parent: secret, PageSize: -1}).Next()
	wantCode(t, err, codes.InvalidArgument)
}
