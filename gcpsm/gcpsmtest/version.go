package gcpsmtest

import (
	"hash/crc32"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// version is a version of a secret. It is never changed.
type version struct {
	pb      *secretmanagerpb.SecretVersion
	payload *secretmanagerpb.SecretPayload // nil once it is destroyed
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (st *store) addVersion(n name, req *secretmanagerpb.AddSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	s, err := st.find(n)
	if err != nil {
		return nil, err
	}
	data := req.GetPayload().GetData()
	if err := checkPayload(n, data); err != nil {
		return nil, err
	}
	sum := int64(crc32.Checksum(data, castagnoli))
	if sent := req.GetPayload().DataCrc32C; sent != nil && *sent != sum {
		return nil, invalid("The payload for [%s] does not have the checksum that was sent with it.", n.of())
	}
	number := s.last + 1
	pb := &secretmanagerpb.SecretVersion{
		Name:                           versionName(n, number),
		CreateTime:                     st.timestamp(),
		State:                          secretmanagerpb.SecretVersion_ENABLED,
		Etag:                           st.newEtag(),
		ClientSpecifiedPayloadChecksum: req.GetPayload().DataCrc32C != nil,
		ReplicationStatus:              replicationStatus(s.pb.GetReplication()),
		CustomerManagedEncryption:      keyStatus(s.pb.GetCustomerManagedEncryption()),
	}
	payload := &secretmanagerpb.SecretPayload{Data: data, DataCrc32C: proto.Int64(sum)}
	next := s.with(map[int64]*version{number: {pb, payload}})
	next.last = number
	st.put(next)
	return pb, nil
}

// resolve finds the version that n means, by its number, an alias or latest, in a view. The newest version is the latest
// whatever its state.
func resolve(view map[string]*secret, n name) (*version, error) {
	s := view[n.of()]
	number, numbered := n.number()
	switch {
	case numbered && s == nil:
		return nil, errNoVersion(n.String())
	case s == nil:
		return nil, errNoVersions(n.of())
	case n.version == latest && s.last == 0:
		return nil, errNoVersions(n.of())
	case n.version == latest:
		number = s.last
	case !numbered:
		number = s.pb.GetVersionAliases()[n.version]
	}
	v := s.versions[number]
	if v == nil {
		return nil, errNoVersion(n.String())
	}
	return v, nil
}

func (st *store) getVersion(n name, _ *secretmanagerpb.GetSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	v, err := resolve(st.view(), n)
	if err != nil {
		return nil, err
	}
	return v.pb, nil
}

func (st *store) accessVersion(n name, _ *secretmanagerpb.AccessSecretVersionRequest) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	view := st.secrets
	if _, numbered := n.number(); !numbered {
		view = st.view()
	}
	v, err := resolve(view, n)
	if err != nil {
		return nil, err
	}
	if v.pb.GetState() != secretmanagerpb.SecretVersion_ENABLED {
		return nil, errState(v.pb.GetName(), v.pb.GetState().String())
	}
	return &secretmanagerpb.AccessSecretVersionResponse{Name: v.pb.GetName(), Payload: v.payload}, nil
}

func (st *store) enableVersion(n name, req *secretmanagerpb.EnableSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	return st.changeVersion(n, req.GetEtag(), func(_ *secret, v *version) {
		v.pb.State, v.pb.ScheduledDestroyTime = secretmanagerpb.SecretVersion_ENABLED, nil
	})
}

func (st *store) disableVersion(n name, req *secretmanagerpb.DisableSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	return st.changeVersion(n, req.GetEtag(), func(_ *secret, v *version) {
		v.pb.State, v.pb.ScheduledDestroyTime = secretmanagerpb.SecretVersion_DISABLED, nil
	})
}

// destroyVersion destroys a version at once, or disables it and leaves the rest to the clock.
func (st *store) destroyVersion(n name, req *secretmanagerpb.DestroySecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	return st.changeVersion(n, req.GetEtag(), func(s *secret, v *version) {
		delay := s.pb.GetVersionDestroyTtl()
		if delay == nil {
			v.destroy(st.timestamp())
			return
		}
		v.pb.State = secretmanagerpb.SecretVersion_DISABLED
		v.pb.ScheduledDestroyTime = timestamppb.New(st.now().Add(delay.AsDuration()))
	})
}

// changeVersion commits what change does to a copy of a version that is not destroyed.
func (st *store) changeVersion(n name, etag string, change func(*secret, *version)) (*secretmanagerpb.SecretVersion, error) {
	number, ok := n.number()
	if !ok {
		return nil, invalid("The version in [%s] must be a number: aliases are for GetSecretVersion and AccessSecretVersion.", n)
	}
	v, err := resolve(st.secrets, n)
	if err != nil {
		return nil, err
	}
	if err := st.checkEtag(etag, v.pb.GetEtag(), n.String()); err != nil {
		return nil, err
	}
	if v.pb.GetState() == secretmanagerpb.SecretVersion_DESTROYED {
		return nil, errState(n.String(), v.pb.GetState().String())
	}
	s := st.secrets[n.of()]
	next := &version{proto.CloneOf(v.pb), v.payload}
	change(s, next)
	next.pb.Etag = st.newEtag()
	st.put(s.with(map[int64]*version{number: next}))
	return next.pb, nil
}

func (v *version) destroy(at *timestamppb.Timestamp) {
	v.pb.State, v.pb.DestroyTime, v.pb.ScheduledDestroyTime = secretmanagerpb.SecretVersion_DESTROYED, at, nil
	v.payload = nil
}

// destroyDue returns the numbers of the versions whose delay is over.
func (s *secret) destroyDue(now time.Time) []int64 {
	var due []int64
	for number, v := range s.versions {
		if at := v.pb.GetScheduledDestroyTime(); at != nil && !now.Before(at.AsTime()) {
			due = append(due, number)
		}
	}
	return due
}

// destroyed is the secret with versions destroyed as scheduled.
func (st *store) destroyed(s *secret, numbers ...int64) *secret {
	changed := map[int64]*version{}
	for _, number := range numbers {
		v := &version{pb: proto.CloneOf(s.versions[number].pb)}
		v.destroy(v.pb.GetScheduledDestroyTime())
		v.pb.Etag = st.newEtag()
		changed[number] = v
	}
	return s.with(changed)
}
