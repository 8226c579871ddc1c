package localstack

import "time"

// WithThrottling refuses requests over the rates of an AWS account in one region with ThrottlingException (Secrets Manager
// user guide, AWS Secrets Manager quotas), which the SDKs repeat later. In a second there may be:
//
//   - 40,000 of DescribeSecret, 10,000 of GetSecretValue, 100 of BatchGetSecretValue, however many secrets each reads,
//   - 50 of PutSecretValue, UpdateSecret and UpdateSecretVersionStage together,
//   - 50 each of CreateSecret, DeleteSecret and RestoreSecret, and of TagResource and UntagResource together,
//   - 100 of ListSecrets.
//
// ListSecretVersionIds is not limited. Requests that are refused for another reason count, throttled ones do not. AWS does
// not document how unevenly requests may come: here a second's worth may come at once, and comes back evenly.
func WithThrottling() Option {
	return func(o *options) { o.throttled = true }
}

// newThrottle returns the bucket of each action that has one.
func newThrottle() map[string]*bucket {
	put, tag := perSecond(50), perSecond(50)
	return map[string]*bucket{
		"BatchGetSecretValue":      perSecond(100),
		"CreateSecret":             perSecond(50),
		"DeleteSecret":             perSecond(50),
		"DescribeSecret":           perSecond(40_000),
		"GetSecretValue":           perSecond(10_000),
		"ListSecrets":              perSecond(100),
		"PutSecretValue":           put,
		"RestoreSecret":            perSecond(50),
		"TagResource":              tag,
		"UntagResource":            tag,
		"UpdateSecret":             put,
		"UpdateSecretVersionStage": put,
	}
}

// bucket holds the requests that may still come, at most those of one second.
type bucket struct {
	every time.Duration // the time in which one request comes back
	full  time.Time     // when all have come back
}

func perSecond(n time.Duration) *bucket { return &bucket{every: time.Second / n} }

// take takes one request out, if there is one.
func (b *bucket) take(now time.Time) bool {
	full := b.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(b.every)
	if full.Sub(now) > time.Second {
		return false
	}
	b.full = full
	return true
}
