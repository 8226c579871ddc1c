package gcpsmtest

import (
	"fmt"
	"maps"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// store holds the secrets of all projects. The server's mutex guards it. A secret in it, and everything in that, is
// replaced and never changed, so a reply and an old view may share it.
type store struct {
	secrets  map[string]*secret // by resource name
	now      func() time.Time
	due      time.Time // when the next secret expires or version is destroyed; zero: never
	serial   int64     // how many secrets there have been
	lastEtag int64
	stale    staleness

	mismatch    codes.Code
	pageSize    int32
	newestFirst bool
}

func newStore() store {
	return store{
		secrets:  map[string]*secret{},
		now:      time.Now,
		mismatch: codes.FailedPrecondition,
		pageSize: defaultPageSize,
	}
}

// put commits a secret.
func (st *store) put(s *secret) {
	st.stale.keep(st.secrets)
	st.secrets[s.pb.GetName()] = s
	st.noteDue(s)
}

// remove commits that a secret is gone.
func (st *store) remove(secret string) {
	st.stale.keep(st.secrets)
	delete(st.secrets, secret)
}

// find returns a secret as it is.
func (st *store) find(n name) (*secret, error) {
	return find(st.secrets, n)
}

func find(in map[string]*secret, n name) (*secret, error) {
	if s := in[n.of()]; s != nil {
		return s, nil
	}
	return nil, errNoSecret(n.of())
}

func (st *store) timestamp() *timestamppb.Timestamp { return timestamppb.New(st.now()) }

// newEtag returns an etag that no resource has had. Google's look like it: a quoted 1 and a time in microseconds, in
// hexadecimal. Nothing promises that, so none is parsed here.
func (st *store) newEtag() string {
	st.lastEtag = max(st.lastEtag+1, st.now().UnixMicro())
	return fmt.Sprintf(`"1%x"`, st.lastEtag)
}

// checkEtag compares the etag of a request, "" for none, with that of what is stored.
func (st *store) checkEtag(sent, stored, resource string) error {
	if sent == "" || sent == stored {
		return nil
	}
	return status.Errorf(st.mismatch, "The provided etag does not match the current etag of [%s].", resource)
}

// tick does what is due by the clock.
func (st *store) tick() {
	now := st.now()
	if st.due.IsZero() || now.Before(st.due) {
		return
	}
	st.due = time.Time{}
	for resource, s := range maps.Clone(st.secrets) {
		switch {
		case s.expired(now):
			st.remove(resource)
		case s.destroyDue(now) != nil:
			st.put(st.destroyed(s, s.destroyDue(now)...))
		default:
			st.noteDue(s)
		}
	}
}

// noteDue makes tick look again when something becomes due in s.
func (st *store) noteDue(s *secret) {
	for _, t := range s.dates() {
		if st.due.IsZero() || t.Before(st.due) {
			st.due = t
		}
	}
}
