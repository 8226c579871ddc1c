package gcpsmtest

import (
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/protobuf/proto"
)

// updates set a field of a secret, by the path that the update mask has for it. A map is replaced whole.
var updates = map[string]func(to, from *secretmanagerpb.Secret){
	"annotations":                 func(to, from *secretmanagerpb.Secret) { to.Annotations = from.Annotations },
	"customer_managed_encryption": func(to, from *secretmanagerpb.Secret) { to.CustomerManagedEncryption = from.CustomerManagedEncryption },
	"expire_time":                 func(to, from *secretmanagerpb.Secret) { to.Expiration = from.Expiration },
	"labels":                      func(to, from *secretmanagerpb.Secret) { to.Labels = from.Labels },
	"replication":                 func(to, from *secretmanagerpb.Secret) { to.Replication = from.Replication },
	"rotation":                    func(to, from *secretmanagerpb.Secret) { to.Rotation = from.Rotation },
	"topics":                      func(to, from *secretmanagerpb.Secret) { to.Topics = from.Topics },
	"ttl":                         func(to, from *secretmanagerpb.Secret) { to.Expiration = from.Expiration },
	"version_aliases":             func(to, from *secretmanagerpb.Secret) { to.VersionAliases = from.VersionAliases },
	"version_destroy_ttl":         func(to, from *secretmanagerpb.Secret) { to.VersionDestroyTtl = from.VersionDestroyTtl },
}

// updateSecret sets what the mask names. It gives the secret a new etag even if nothing else is new.
func (st *store) updateSecret(n name, req *secretmanagerpb.UpdateSecretRequest) (*secretmanagerpb.Secret, error) {
	s, err := st.find(n)
	if err != nil {
		return nil, err
	}
	if err := st.checkEtag(req.GetSecret().GetEtag(), s.pb.GetEtag(), n.of()); err != nil {
		return nil, err
	}
	paths := req.GetUpdateMask().GetPaths()
	if len(paths) == 0 {
		return nil, invalid("UpdateSecret of [%s] needs an update mask.", n.of())
	}
	next := *s
	next.pb = proto.CloneOf(s.pb)
	for _, path := range paths {
		update, ok := updates[path]
		if !ok {
			return nil, invalid("The field %q of [%s] does not exist or cannot be updated.", path, n.of())
		}
		update(next.pb, proto.CloneOf(req.GetSecret()))
	}
	if !proto.Equal(withoutKeys(s.pb.GetReplication()), withoutKeys(next.pb.GetReplication())) {
		return nil, invalid("The replication policy of [%s] cannot be changed.", n.of())
	}
	if err := st.settle(&next, n); err != nil {
		return nil, err
	}
	next.pb.Etag = st.newEtag()
	st.put(&next)
	return next.pb, nil
}
