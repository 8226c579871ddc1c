//go:build !race

package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// A sim is a secrets manager in which nothing happens by itself: every call of every handle waits until the explorer
// lets it take place. It keeps the promises of package driver, unless one is switched off.
type sim struct {
	secrets map[string]*simSecret
	clock   time.Time
	actors  []*actor
	flying  []flight // requests that the network still holds
	faults  int      // how many more may happen
	direct  bool     // calls take place at once: before and after the exploration
	stopped bool     // the run is over: calls fail
	changes int      // of secrets, provider and clock so far
	server  *provider

	fan int // of the index

	revisionsRestart bool // switched off: a revision never comes back after a delete
	windowIgnored    bool // switched off: nothing is re-sent after NotAfter
}

type simSecret struct {
	payload       []byte
	live          bool
	life, version int
}

// flight is a put whose reply the driver gave up waiting for, and which takes place later.
type flight struct {
	by      *actor
	call    *call
	indexed int // when by had last made a call about the index
}

// call is what a handle asks of the manager.
type call struct {
	verb    string
	names   []string
	payload []byte
	rev     driver.Revision
	until   time.Time // NotAfter of a put; zero: none
	resent  bool      // the driver sends it again after a lost reply
	seen    int       // of a wait: the changes that there had been when it began
}

type reply struct {
	found map[string]driver.Secret
	rev   driver.Revision
	token Token // from the provider
	err   error
}

var errCrashed = errors.New("this process has crashed")

// simHandle is the driver of one actor.
type simHandle struct {
	*sim
	by *actor
}

func (h simHandle) do(c *call) reply {
	if h.stopped || h.by.crashed {
		return reply{err: errCrashed}
	}
	if h.direct {
		return h.execute(c)
	}
	h.by.events <- event{call: c, act: h.by.current}
	return <-h.by.grants
}

func (h simHandle) Get(ctx context.Context, name string) (driver.Secret, error) {
	return h.Latest(ctx, name)
}

func (h simHandle) Latest(_ context.Context, name string) (driver.Secret, error) {
	r := h.do(&call{verb: "read", names: []string{name}})
	if r.err != nil {
		return driver.Secret{}, r.err
	}
	if secret, ok := r.found[name]; ok {
		return secret, nil
	}
	return driver.Secret{}, driver.ErrNotFound
}

func (h simHandle) GetMany(_ context.Context, names []string) (map[string]driver.Secret, error) {
	r := h.do(&call{verb: "read", names: names})
	return r.found, r.err
}

func (h simHandle) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	until, _ := driver.NotAfter(ctx)
	r := h.do(&call{verb: "put", names: []string{name}, payload: payload, rev: rev, until: until})
	return r.rev, r.err
}

func (h simHandle) Delete(_ context.Context, name string) error {
	return h.do(&call{verb: "delete", names: []string{name}}).err
}

// List is for Repair; what decides a save or a look-up must not rely on it.
func (h simHandle) List(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		r := h.do(&call{verb: "read", names: []string{"*"}})
		if r.err != nil {
			yield("", r.err)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(r.found)) {
			if !yield(name, nil) {
				return
			}
		}
	}
}

func (h simHandle) Lag() time.Duration { return time.Minute }

func (h simHandle) Limits() driver.Limits { return driver.Limits{} }

// execute lets a call take place.
func (w *sim) execute(c *call) reply {
	switch c.verb {
	case "read":
		found := map[string]driver.Secret{}
		names := c.names
		if names[0] == "*" {
			names = slices.Collect(maps.Keys(w.secrets))
		}
		for _, name := range names {
			if s := w.secrets[name]; s != nil && s.live {
				found[name] = driver.Secret{Payload: s.payload, Revision: w.revision(s)}
			}
		}
		return reply{found: found}
	case "begin", "wait":
		return reply{}
	case "ask":
		w.changes++
		return w.server.ask(c, w.clock)
	case "delete":
		w.changes++
		if s := w.secrets[c.names[0]]; s != nil {
			s.live, s.payload = false, nil
		}
		return reply{}
	}
	return w.put(c)
}

func (w *sim) put(c *call) reply {
	conflict := reply{err: &driver.Error{Op: "Put", Name: c.names[0], Resent: c.resent, Err: driver.ErrConflict}}
	if !c.until.IsZero() && w.clock.After(c.until) && !(c.resent && w.windowIgnored) {
		return conflict
	}
	s := w.secrets[c.names[0]]
	if s == nil {
		s = &simSecret{}
		w.secrets[c.names[0]] = s
	}
	switch {
	case c.resent && s.live && string(s.payload) == string(c.payload):
		return reply{rev: w.revision(s)} // the first attempt took effect
	case s.live && c.rev != w.revision(s), !s.live && c.rev != "":
		return conflict
	case !s.live:
		s.live, s.life, s.version = true, s.life+1, 0
	}
	s.payload, s.version = c.payload, s.version+1
	w.changes++
	return reply{rev: w.revision(s)}
}

func (w *sim) revision(s *simSecret) driver.Revision {
	if w.revisionsRestart {
		return driver.Revision(fmt.Sprint(s.version))
	}
	return driver.Revision(fmt.Sprint(s.life, ".", s.version))
}

// live returns the token records that are there, by ID.
func (w *sim) live() (map[string]record, error) {
	live := map[string]record{}
	for name, s := range w.secrets {
		if id, ok := tokenID(name); ok && s.live {
			r, err := once(records, s.payload, func() (record, error) { return decodeRecord(id, s.payload) })
			if err != nil {
				return nil, err
			}
			live[id] = r
		}
	}
	return live, nil
}

// leaves returns the parts of the index below path that list tokens.
func (w *sim) leaves(path string, parent *node) ([]*node, error) {
	n := &node{path: path, state: stateLeaf}
	secret := w.secrets[indexName+path]
	switch {
	case secret != nil && secret.live:
		var err error
		if n, err = once(nodes, secret.payload, func() (*node, error) { return decodeNode(path, secret.payload) }); err != nil {
			return nil, err
		}
	case parent != nil && parent.state == stateSplit:
		n.entries = parent.entries.under(path, w.fan)
	case parent != nil:
		return nil, fmt.Errorf("index secret %q is missing", path)
	}
	if n.state == stateLeaf {
		return []*node{n}, nil
	}
	var all []*node
	for _, child := range children(path, w.fan) {
		below, err := w.leaves(child, n)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}

// What payloads decode to; the same few come again and again.
var (
	records = &sync.Map{}
	nodes   = &sync.Map{}
)

func once[T any](known *sync.Map, payload []byte, decode func() (T, error)) (T, error) {
	if v, ok := known.Load(string(payload)); ok {
		return v.(T), nil
	}
	v, err := decode()
	if err == nil {
		known.Store(string(payload), v)
	}
	return v, err
}

var simSeed = maphash.MakeSeed()

// hash identifies the state of the manager and of the network.
func (w *sim) hash(h *maphash.Hash) {
	for _, name := range slices.Sorted(maps.Keys(w.secrets)) {
		s := w.secrets[name]
		fmt.Fprint(h, name, s.live, s.life, s.version)
		h.Write(s.payload)
	}
	fmt.Fprint(h, w.clock.UnixNano(), w.faults, len(w.flying))
	if w.server != nil {
		fmt.Fprintf(h, "%+v", *w.server)
	}
	for _, f := range w.flying {
		f.call.hash(h)
	}
}

func (c *call) hash(h *maphash.Hash) {
	fmt.Fprint(h, c.verb, c.names, c.rev, c.resent, c.until.UnixNano())
	h.Write(c.payload)
}

func (r reply) hash(h *maphash.Hash) {
	for _, name := range slices.Sorted(maps.Keys(r.found)) {
		fmt.Fprint(h, name, r.found[name].Revision)
		h.Write(r.found[name].Payload)
	}
	fmt.Fprint(h, r.rev, r.err, r.token.RefreshToken, r.token.AccessToken)
}

// does reports what a call does, for the trace of a failure.
func (c *call) String() string {
	again := ""
	if c.resent {
		again = " again"
	}
	if c.verb == "put" {
		return fmt.Sprintf("put %s at %q%s", c.names[0], c.rev, again)
	}
	return fmt.Sprintf("%s %v%s", c.verb, c.names, again)
}
