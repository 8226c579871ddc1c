package gcpsmtest

import "time"

// WithClock makes the server take the time from now in place of [time.Now]: for the dates that it shows, the expiry of
// secrets, delayed destruction and quotas. A test that sets now ahead sees a secret expire without waiting.
//
// Requests call now under the server's lock, so now must not call the server, and one that a test changes must be safe for
// concurrent use. Time must not run backwards. nil is time.Now.
func WithClock(now func() time.Time) Option {
	return func(o *options) {
		if now == nil {
			now = time.Now
		}
		o.store.now = now
	}
}
