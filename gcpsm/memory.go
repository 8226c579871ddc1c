package gcpsm

import "sync"

// memory is what this handle knows of secrets, for two uses: to notice that a read is older than what it has seen or done
// before, and to destroy a version that it wrote itself without asking for the etag.
type memory struct {
	mu   sync.Mutex
	seen map[string]sighting
}

// sighting is the newest state of a secret that this handle has seen.
type sighting struct {
	state
	versionEtag string // of the version itself; "" if this handle did not write it, or has not cleaned up behind it
	gone        bool   // this handle has deleted it since
}

const maxSightings = 4096

func (m *memory) get(name string) (sighting, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.seen[name]
	return s, ok
}

// note remembers a state unless a newer one is known.
func (m *memory) note(name string, st state, versionEtag string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.seen[name]
	if ok && st.before(known.state) {
		return
	}
	if versionEtag == "" && known.Created == st.Created && known.Version == st.Version {
		versionEtag = known.versionEtag
	}
	if m.seen == nil || !ok && len(m.seen) >= maxSightings {
		m.seen = map[string]sighting{}
	}
	m.seen[name] = sighting{state: st, versionEtag: versionEtag}
}

func (m *memory) noteGone(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil || len(m.seen) >= maxSightings {
		m.seen = map[string]sighting{}
	}
	m.seen[name] = sighting{gone: true}
}

func (m *memory) forget(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seen, name)
}
