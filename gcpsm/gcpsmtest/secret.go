package gcpsmtest

import (
	"maps"
	"slices"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// WithMismatchCode answers a request whose etag is not the current one with code: [codes.FailedPrecondition], as the
// service's documentation has it and as it is without this option, or [codes.Aborted], as Google's API guidelines have it
// since 2021 (AIP-154).
func WithMismatchCode(code codes.Code) Option {
	return func(o *options) { o.store.mismatch = code }
}

// secret is a secret and its versions. It is never changed.
type secret struct {
	pb       *secretmanagerpb.Secret
	serial   int64 // larger than that of every secret created before
	last     int64 // the number of its newest version, 0 if it has none
	versions map[int64]*version
}

// with is the secret with other versions in place of those with their numbers.
func (s *secret) with(versions map[int64]*version) *secret {
	next := *s
	next.versions = maps.Clone(s.versions)
	maps.Copy(next.versions, versions)
	return &next
}

// live returns the numbers of the versions that are not destroyed. A nil secret has none.
func (s *secret) live() []int64 {
	if s == nil {
		return nil
	}
	var numbers []int64
	for number, v := range s.versions {
		if v.pb.GetState() != secretmanagerpb.SecretVersion_DESTROYED {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

func (s *secret) expired(now time.Time) bool {
	expires := s.pb.GetExpireTime()
	return expires != nil && !now.Before(expires.AsTime())
}

// dates are those at which tick has something to do.
func (s *secret) dates() []time.Time {
	var dates []time.Time
	if expires := s.pb.GetExpireTime(); expires != nil {
		dates = append(dates, expires.AsTime())
	}
	for _, v := range s.versions {
		if scheduled := v.pb.GetScheduledDestroyTime(); scheduled != nil {
			dates = append(dates, scheduled.AsTime())
		}
	}
	return dates
}

func (st *store) createSecret(n name, req *secretmanagerpb.CreateSecretRequest) (*secretmanagerpb.Secret, error) {
	if err := checkSecretID(req.GetSecretId()); err != nil {
		return nil, err
	}
	n.secret = req.GetSecretId()
	if req.GetSecret() == nil {
		return nil, invalid("CreateSecret of [%s] needs a secret.", n)
	}
	if st.secrets[n.of()] != nil {
		return nil, status.Errorf(codes.AlreadyExists, "Secret [%s] already exists.", n.of())
	}
	pb := proto.CloneOf(req.GetSecret())
	pb.Name, pb.CreateTime, pb.Etag, pb.PolicyMember, pb.Tags = n.of(), st.timestamp(), st.newEtag(), nil, nil
	st.serial++
	s := &secret{pb: pb, serial: st.serial, versions: map[int64]*version{}}
	if err := st.settle(s, n); err != nil {
		return nil, err
	}
	st.put(s)
	return pb, nil
}

// settle checks a secret that is about to be stored and makes a TTL a date.
func (st *store) settle(s *secret, n name) error {
	if ttl := s.pb.GetTtl(); ttl != nil {
		s.pb.Expiration = &secretmanagerpb.Secret_ExpireTime{ExpireTime: timestamppb.New(st.now().Add(ttl.AsDuration()))}
	}
	if s.expired(st.now()) {
		return invalid("The expiration of [%s] is not in the future.", n.of())
	}
	if ttl := s.pb.GetVersionDestroyTtl(); ttl != nil && ttl.AsDuration() <= 0 {
		return invalid("The version destroy TTL of [%s] is not positive.", n.of())
	}
	for _, check := range []func(*secret, name) error{
		checkLabels, checkAnnotations, checkAliases, checkTopics, checkType, checkReplication, checkKeys,
	} {
		if err := check(s, n); err != nil {
			return err
		}
	}
	return nil
}

func (st *store) getSecret(n name, _ *secretmanagerpb.GetSecretRequest) (*secretmanagerpb.Secret, error) {
	s, err := find(st.view(), n)
	if err != nil {
		return nil, err
	}
	return s.pb, nil
}

func (st *store) deleteSecret(n name, req *secretmanagerpb.DeleteSecretRequest) (*emptypb.Empty, error) {
	s, err := st.find(n)
	if err != nil {
		return nil, err
	}
	if err := st.checkEtag(req.GetEtag(), s.pb.GetEtag(), n.of()); err != nil {
		return nil, err
	}
	st.remove(n.of())
	return &emptypb.Empty{}, nil
}
