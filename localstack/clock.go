package localstack

import "time"

// WithClock makes the server take the time from now in place of [time.Now]: for the dates that it shows, the age of
// versions, the end of recovery windows and of forced deletions, and what a list shows. A test that sets now ahead sees a
// secret go after 30 days, or its old versions after 24 hours, without waiting.
//
// Requests call now under the server's lock, so now must not call the server, and one that a test changes must be safe for
// concurrent use. Time must not run backwards. nil is time.Now.
func WithClock(now func() time.Time) Option {
	return func(o *options) { o.now = now }
}
