package gcpsm

import (
	"context"
	"fmt"
	"hash/crc32"
	"path"
	"slices"
	"strconv"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/tokenkeep/tokenkeep/driver"
)

// version is a version of a secret.
type version struct {
	number int64
	etag   string
}

func versionOf(pb *secretmanagerpb.SecretVersion) (version, error) {
	number, err := numberOf(pb.GetName())
	return version{number, pb.GetEtag()}, err
}

// numberOf is the number at the end of the resource name of a version. The rest of the name has the number of the project
// where the request had its ID.
func numberOf(resource string) (int64, error) {
	number, err := strconv.ParseInt(path.Base(resource), 10, 64)
	if err != nil || number <= 0 {
		return 0, fmt.Errorf("the reply has no version number: %w", driver.ErrUnavailable)
	}
	return number, nil
}

// errSpoilt is about a payload that is not what Secret Manager has.
var errSpoilt = fmt.Errorf("the payload does not have its checksum, so it was spoilt on its way; try again: %w", driver.ErrUnavailable)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(payload []byte) int64 { return int64(crc32.Checksum(payload, castagnoli)) }

// getSecret reads the state of a secret. Google does not promise that it is the newest.
func (s *secrets) getSecret(ctx context.Context, name string, a *attempts) (state, error) {
	secret, err := do(ctx, s, a, request[*secretmanagerpb.Secret]{op: "GetSecret",
		send: func(ctx context.Context, options ...gax.CallOption) (*secretmanagerpb.Secret, error) {
			return s.client.GetSecret(ctx, &secretmanagerpb.GetSecretRequest{Name: s.FullName(name)}, options...)
		}})
	if err != nil {
		return state{}, in("GetSecret", err)
	}
	return stateOf(secret), nil
}

// access reads a version, by its number as text, which is never older than the newest write, or by alias, which may be.
func (s *secrets) access(ctx context.Context, name, which string, a *attempts) (number int64, payload []byte, err error) {
	const op = "AccessSecretVersion"
	reply, err := do(ctx, s, a, request[*secretmanagerpb.AccessSecretVersionResponse]{op: op,
		send: func(ctx context.Context, options ...gax.CallOption) (*secretmanagerpb.AccessSecretVersionResponse, error) {
			in := &secretmanagerpb.AccessSecretVersionRequest{Name: s.FullName(name) + "/versions/" + which}
			return s.client.AccessSecretVersion(ctx, in, options...)
		}})
	if err != nil {
		return 0, nil, in(op, err)
	}
	payload = reply.GetPayload().GetData()
	if sum := reply.GetPayload().DataCrc32C; sum == nil || *sum != checksum(payload) {
		return 0, nil, errSpoilt
	}
	number, err = numberOf(reply.GetName())
	return number, payload, err
}

func (s *secrets) accessNumber(ctx context.Context, name string, number int64, a *attempts) ([]byte, error) {
	_, payload, err := s.access(ctx, name, strconv.FormatInt(number, 10), a)
	return payload, err
}

// createSecret makes a secret without versions.
func (s *secrets) createSecret(ctx context.Context, name string, a *attempts) (state, error) {
	secret, err := do(ctx, s, a, request[*secretmanagerpb.Secret]{op: "CreateSecret",
		send: func(ctx context.Context, options ...gax.CallOption) (*secretmanagerpb.Secret, error) {
			return s.client.CreateSecret(ctx, &secretmanagerpb.CreateSecretRequest{
				Parent: s.parent, SecretId: s.id(name), Secret: s.o.secret(s.location),
			}, options...)
		}})
	if err != nil {
		return state{}, in("CreateSecret", err)
	}
	return stateOf(secret), nil
}

// addVersion adds a version. One whose reply is lost is a version more, which the cleaning behind this put or a later one
// finds by its number.
func (s *secrets) addVersion(ctx context.Context, name string, payload []byte, a *attempts) (version, error) {
	added, err := do(ctx, s, a, request[*secretmanagerpb.SecretVersion]{op: "AddSecretVersion",
		send: func(ctx context.Context, options ...gax.CallOption) (*secretmanagerpb.SecretVersion, error) {
			return s.client.AddSecretVersion(ctx, &secretmanagerpb.AddSecretVersionRequest{
				Parent:  s.FullName(name),
				Payload: &secretmanagerpb.SecretPayload{Data: payload, DataCrc32C: proto.Int64(checksum(payload))},
			}, options...)
		}})
	if err != nil {
		return version{}, in("AddSecretVersion", err)
	}
	return versionOf(added)
}

// setAliases replaces the aliases of a secret if its etag is still this one, and gives it a new one.
func (s *secrets) setAliases(ctx context.Context, name, etag string, aliases map[string]int64, a *attempts) (state, error) {
	secret, err := do(ctx, s, a, request[*secretmanagerpb.Secret]{op: "UpdateSecret",
		send: func(ctx context.Context, options ...gax.CallOption) (*secretmanagerpb.Secret, error) {
			return s.client.UpdateSecret(ctx, &secretmanagerpb.UpdateSecretRequest{
				Secret:     &secretmanagerpb.Secret{Name: s.FullName(name), Etag: etag, VersionAliases: aliases},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"version_aliases"}},
			}, options...)
		},
		tell: func(code codes.Code) { a.unknown = a.unknown || unanswered(code) },
	})
	if err != nil {
		a.resent = a.unknown
		return state{}, in("UpdateSecret", err)
	}
	return stateOf(secret), nil
}

// destroyVersion destroys a version, if it is the one that had this etag: after a delete, the number may be another's.
func (s *secrets) destroyVersion(ctx context.Context, name string, v version) error {
	_, err := do(ctx, s, s.reads(), request[*secretmanagerpb.SecretVersion]{op: "DestroySecretVersion", tries: fewTries,
		send: func(ctx context.Context, options ...gax.CallOption) (*secretmanagerpb.SecretVersion, error) {
			return s.client.DestroySecretVersion(ctx, &secretmanagerpb.DestroySecretVersionRequest{
				Name: s.FullName(name) + "/versions/" + strconv.FormatInt(v.number, 10), Etag: v.etag,
			}, options...)
		}})
	return in("DestroySecretVersion", err)
}

// live are the versions that are to be paid for, but for those whose destruction is on its way.
const live = "state:ENABLED OR state:DISABLED"

const listPage = 100 // secrets or versions

// liveVersions lists versions that are enabled or disabled, one page of them or all.
func (s *secrets) liveVersions(ctx context.Context, name string, all bool) ([]*secretmanagerpb.SecretVersion, error) {
	var versions []*secretmanagerpb.SecretVersion
	for token := ""; ; {
		page, err := do(ctx, s, s.reads(), request[listed[*secretmanagerpb.SecretVersion]]{op: "ListSecretVersions",
			send: func(ctx context.Context, options ...gax.CallOption) (listed[*secretmanagerpb.SecretVersion], error) {
				in := &secretmanagerpb.ListSecretVersionsRequest{Parent: s.FullName(name), Filter: live}
				return onePage[*secretmanagerpb.SecretVersion](s.client.ListSecretVersions(ctx, in, options...), token)
			}})
		if err != nil {
			return nil, in("ListSecretVersions", err)
		}
		versions = append(versions, page.items...)
		if token = page.next; token == "" || !all {
			return slices.DeleteFunc(versions, func(v *secretmanagerpb.SecretVersion) bool { return v.GetScheduledDestroyTime() != nil }), nil
		}
	}
}

// listed is a page of a list.
type listed[T any] struct {
	items []T
	next  string // the token of the next page
}

func onePage[T any](it iterator.Pageable, token string) (listed[T], error) {
	var page listed[T]
	next, err := iterator.NewPager(it, listPage, token).NextPage(&page.items)
	page.next = next
	return page, err
}
