package tokenkeep

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// maxRevisionAge is how long a revision is good for. AWS removes unlabelled versions that are older than 24 hours, and
// with them the memory of which version followed which; so no revision comes near that age, on any manager.
const maxRevisionAge = 12 * time.Hour

// maxRows is how many tokens a handle remembers.
const maxRows = 4096

// tick counts what a handle does. A read with a higher tick than an operation's began after that operation did,
// whatever the clocks say.
type tick uint64

// row is what a handle knows of one token secret.
type row struct {
	id   string
	live bool
	rec  record
	rev  driver.Revision
	err  error // why the secret cannot be used

	fresh bool      // it came from a strong read, or from a write or delete of this handle
	at    time.Time // by the wall clock, before the call that told
	tick  tick
}

// cache is what a handle remembers. It can be stale, so nothing that it says is believed: a write on a remembered
// revision is checked by its compare-and-swap, and what is not remembered is read.
type cache struct {
	ticks atomic.Uint64

	mu    sync.Mutex
	rows  map[string]row
	nodes map[string]*sheet // the index secrets by their paths
	cools map[string]cooling
}

// cooling is a cool-down that the handle has met.
type cooling struct {
	until   time.Time // which one: another of the same end may follow where a refresh was forced
	seconds int
	since   time.Time // met for the first time, on this process's own clock
}

// cooling returns for how long this handle has known a token's cool-down: nobody waits longer than it is long, whatever the
// clock of its writer.
func (s *SecretStore) cooling(id string, c coolDown) time.Duration {
	now := s.seams.now()
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if s.cache.cools == nil {
		s.cache.cools = map[string]cooling{}
	}
	known := s.cache.cools[id]
	if !known.until.Equal(c.Until) || known.seconds != c.Seconds {
		known = cooling{until: c.Until, seconds: c.Seconds, since: now}
		s.cache.cools[id] = known
	}
	return now.Sub(known.since)
}

func (c *cache) tick() tick { return tick(c.ticks.Add(1)) }

// row returns what is remembered of a token, as long as its revision may be used.
func (c *cache) row(id string, now time.Time) (row, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.rows[id]
	return r, ok && young(r.at, now, maxRevisionAge)
}

func (c *cache) setRow(r row) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows == nil {
		c.rows = map[string]row{}
	}
	if _, known := c.rows[r.id]; !known && len(c.rows) >= maxRows {
		for id := range c.rows {
			delete(c.rows, id)
			break
		}
	}
	c.rows[r.id] = r
}

func (c *cache) dropRow(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rows, id)
}

// sheet returns what is remembered of an index secret, if it was read less than maxAge ago or is no leaf: such a one never
// becomes a leaf again.
func (c *cache) sheet(path string, now time.Time, maxAge time.Duration) *sheet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes[path]; n != nil && (n.state != stateLeaf || young(n.at, now, min(maxAge, maxRevisionAge))) {
		return n
	}
	return nil
}

// view returns the part of the index that w needs, if all of it is remembered and was read less than maxAge ago.
func (c *cache) view(w where, fan int, now time.Time, maxAge time.Duration) *view {
	v := &view{}
	for _, path := range c.frontier(w, fan) {
		leaf := c.sheet(path, now, maxAge)
		if leaf == nil {
			return nil
		}
		v.add(leaf)
	}
	return v
}

// frontier returns the paths of the index secrets that w needs: leaves, or not known to be none.
func (c *cache) frontier(w where, fan int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var paths []string
	var visit func(path string)
	visit = func(path string) {
		n := c.nodes[path]
		if !w.needs(path) {
			return
		}
		if n == nil || n.state == stateLeaf {
			paths = append(paths, path)
			return
		}
		for _, child := range children(path, fan) {
			visit(child)
		}
	}
	visit("")
	return paths
}

// setSheet remembers an index secret, unless it is known to have come further: reads of one handle may overtake each other.
func (c *cache) setSheet(s *sheet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes == nil {
		c.nodes = map[string]*sheet{}
	}
	if old := c.nodes[s.path]; old == nil || !old.state.after(s.state) {
		c.nodes[s.path] = s
	}
}

// dropPath forgets an index secret and those above it, which are not what they were.
func (c *cache) dropPath(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range len(path) + 1 {
		delete(c.nodes, path[:i])
	}
}

// dropIndex forgets the index.
func (c *cache) dropIndex() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.nodes)
}

func (c *cache) dropSheet(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, path)
}

// young reports whether at lies less than age before now. The future counts as old: the clock was set.
func young(at, now time.Time, age time.Duration) bool {
	return !at.After(now) && now.Sub(at) < age
}
