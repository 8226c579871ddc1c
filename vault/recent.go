package vault

import (
	"sync"
	"time"
)

// recent remembers which revisions this handle has just read or written.
type recent struct {
	mu   sync.Mutex
	seen map[string]sighting
}

type sighting struct {
	rev revision
	at  time.Time
}

const (
	recentAge  = time.Minute
	maxRecents = 4096
)

func (r *recent) note(name string, rev revision, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil || len(r.seen) >= maxRecents {
		r.seen = map[string]sighting{}
	}
	r.seen[name] = sighting{rev, now.Round(0)} // the wall clock: a frozen process knows no other
}

// has tells whether a secret was at rev within the last minute.
func (r *recent) has(name string, rev revision, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen, ok := r.seen[name]
	age := now.Round(0).Sub(seen.at)
	return ok && seen.rev == rev && age >= 0 && age <= recentAge
}
