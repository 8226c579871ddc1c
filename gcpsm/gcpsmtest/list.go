package gcpsmtest

import (
	"fmt"
	"math"
	"strings"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
)

// WithSecretsNewestFirst makes ListSecrets begin with the secret that was created last, as the comments of the API have
// it. Without this option it sorts by name, as the documentation on filtering has it; the two do not agree.
func WithSecretsNewestFirst() Option {
	return func(o *options) { o.store.newestFirst = true }
}

// listSecrets answers a page of the secrets in one project, or in one location of it.
func (st *store) listSecrets(n name, req *secretmanagerpb.ListSecretsRequest) (*secretmanagerpb.ListSecretsResponse, error) {
	match, err := parseFilter(req.GetFilter(), &secretmanagerpb.Secret{})
	if err != nil {
		return nil, err
	}
	var items []item[*secretmanagerpb.Secret]
	for resource, s := range st.view() {
		if !strings.HasPrefix(resource, n.parent()+"/secrets/") || !match(s.pb.ProtoReflect()) {
			continue
		}
		key := resource
		if st.newestFirst {
			key = descending(s.serial)
		}
		items = append(items, item[*secretmanagerpb.Secret]{key, s.pb})
	}
	q := pager{n.String() + "/secrets " + req.GetFilter(), req.GetPageToken(), req.GetPageSize(), st.pageSize}
	page, next, err := paginate(q, items)
	if err != nil {
		return nil, err
	}
	return &secretmanagerpb.ListSecretsResponse{Secrets: page, NextPageToken: next, TotalSize: total(req.GetFilter(), len(items))}, nil
}

// listVersions answers a page of the versions of a secret, the newest first.
func (st *store) listVersions(n name, req *secretmanagerpb.ListSecretVersionsRequest) (*secretmanagerpb.ListSecretVersionsResponse, error) {
	s, err := find(st.view(), n)
	if err != nil {
		return nil, err
	}
	match, err := parseFilter(req.GetFilter(), &secretmanagerpb.SecretVersion{})
	if err != nil {
		return nil, err
	}
	var items []item[*secretmanagerpb.SecretVersion]
	for number, v := range s.versions {
		if match(v.pb.ProtoReflect()) {
			items = append(items, item[*secretmanagerpb.SecretVersion]{descending(number), v.pb})
		}
	}
	q := pager{n.String() + "/versions " + req.GetFilter(), req.GetPageToken(), req.GetPageSize(), st.pageSize}
	page, next, err := paginate(q, items)
	if err != nil {
		return nil, err
	}
	return &secretmanagerpb.ListSecretVersionsResponse{Versions: page, NextPageToken: next, TotalSize: total(req.GetFilter(), len(items))}, nil
}

// descending is a key that comes first for the largest serial.
func descending(serial int64) string { return fmt.Sprintf("%019d", math.MaxInt64-serial) }

// total is how many items there are on all pages, which a list with a filter does not say.
func total(filter string, n int) int32 {
	if filter != "" {
		return 0
	}
	return int32(min(n, math.MaxInt32))
}
