package localstack

import "time"

// WithListLag makes ListSecrets, and BatchGetSecretValue where it chooses secrets by Filters, show the account as it was d
// ago by the server's clock: names, tags, descriptions, staging labels and what is scheduled for deletion. The service's
// lists may leave out the changes of the last five minutes (Secrets Manager API reference, ListSecrets). Reads of one
// secret are never late, and neither are the values in a batch: it answers what is gone since with an entry in Errors.
// Without this option, or with a d of 0 or less, lists are never late either.
func WithListLag(d time.Duration) Option {
	return func(o *options) { o.listLag = max(d, 0) }
}

// listed is the account as lists show it. Every change reaches it lag after it was made.
type listed struct {
	lag     time.Duration
	secrets map[string]*secret // copies, without values
	pending []change           // oldest first
}

// change is a secret as it was from a time on.
type change struct {
	at     time.Time
	secret *secret
}

// note takes down how a secret is after a change. The maps of a secret are replaced and never changed, so the copy may
// share them.
func (l *listed) note(s *secret, now time.Time) {
	after := *s
	after.versions = nil
	l.pending = append(l.pending, change{now, &after})
	l.catchUp(now)
}

// catchUp makes the changes that are due and returns the time that lists show.
func (l *listed) catchUp(now time.Time) time.Time {
	shown := now.Add(-l.lag)
	due := 0
	for ; due < len(l.pending) && !l.pending[due].at.After(shown); due++ {
		s := l.pending[due].secret
		l.secrets[s.name] = s
	}
	clear(l.pending[:due])
	l.pending = l.pending[due:]
	return shown
}

// show returns the secrets that lists show.
func (l *listed) show(now time.Time) []*secret {
	shown := l.catchUp(now)
	var found []*secret
	for name, s := range l.secrets {
		if s.gone(shown) {
			delete(l.secrets, name)
			continue
		}
		found = append(found, s)
	}
	return found
}
