package gcpsmtest

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// WithQuotas refuses requests over the quotas that Google documents with RESOURCE_EXHAUSTED (Secret Manager documentation,
// Quotas and limits). A project has, in a minute:
//
//   - 90,000 of AccessSecretVersion,
//   - 600 reads: GetSecret, GetSecretVersion, ListSecrets and ListSecretVersions together,
//   - 600 writes: all other methods together.
//
// A secret has, in a second, 2 of AddSecretVersion and UpdateSecret together, 80 if it is regional. A version has 1 of
// EnableSecretVersion, DisableSecretVersion and DestroySecretVersion together, 50 if it is of a regional secret. The limits
// for a minute that Google adds to these, such as 120 for a secret, say the same.
//
// Requests that are refused for another reason count, unless their resource name is malformed; requests over a quota do
// not. Google does not document how unevenly requests may come: here the requests of a whole minute or second may come at
// once, and come back evenly.
func WithQuotas() Option {
	return func(o *options) { o.quotas = true }
}

// perMinute are the quotas of a project.
var perMinute = map[string]time.Duration{"access": 90_000, "read": 600, "write": 600}

// rates are the limits of one secret and one version in a second.
var rates = map[string]struct{ global, regional time.Duration }{"secret": {2, 80}, "version": {1, 50}}

// quotas has a bucket for everything that has had a request.
type quotas struct{ buckets map[string]*bucket }

func newQuotas() *quotas { return &quotas{map[string]*bucket{}} }

// take takes a request for a method out of each bucket that it needs, or out of none.
func (q *quotas) take(m method, n name, now time.Time) error {
	project := q.bucket("projects/"+n.project+" "+m.quota, perMinute[m.quota], time.Minute)
	if !project.has(now) {
		return status.Errorf(codes.ResourceExhausted, "Quota exceeded for quota metric '%s requests' and limit '%s requests per minute' "+
			"of service 'secretmanager.googleapis.com' for consumer 'project_number:%s'.", m.quota, m.quota, n.project)
	}
	if m.perSecond != "" {
		rate := rates[m.perSecond].global
		if n.location != "" {
			rate = rates[m.perSecond].regional
		}
		own := q.bucket(n.String(), rate, time.Second)
		if !own.has(now) {
			return status.Errorf(codes.ResourceExhausted, "Quota exceeded for [%s]: %d requests of this kind per second.", n, rate)
		}
		own.take(now)
	}
	project.take(now)
	return nil
}

func (q *quotas) bucket(key string, n, window time.Duration) *bucket {
	b := q.buckets[key]
	if b == nil {
		b = &bucket{every: window / n, window: window}
		q.buckets[key] = b
	}
	return b
}

// bucket holds the requests that may still come, at most those of one window.
type bucket struct {
	every  time.Duration // the time in which one request comes back
	window time.Duration
	full   time.Time // when all have come back
}

// after is when all have come back once one more is taken now.
func (b *bucket) after(now time.Time) time.Time {
	if b.full.Before(now) {
		return now.Add(b.every)
	}
	return b.full.Add(b.every)
}

func (b *bucket) has(now time.Time) bool { return b.after(now).Sub(now) <= b.window }

func (b *bucket) take(now time.Time) { b.full = b.after(now) }
