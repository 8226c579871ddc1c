package tokenkeep

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// The index is the secret that says which tokens may exist. It proposes, the payloads of the tokens decide: an entry
// only chooses what to read. Every token secret is listed under each of its keys; an entry without a secret, or with
// a key that the token no longer has, is harmless and skipped.
const indexName = "i_r"

// maxLeaf is the size in bytes beyond which the index takes no new token. The rest, up to what the manager takes, is for new keys
// of the tokens that are in it.
const maxLeaf = 56 << 10

// leaf is the content of the index:
//
//	{"tokenkeep": 1, "kind": "index", "path": "", "state": "leaf", "nonce": "…", "entries": [
//	  {"id": "1042", "u": "…", "c": "…", "d": "…", "k": ["…"], "s": "2026-01-02T15:04:05Z"}, …]}
//
// Path and state are there for indexes of more than one secret.
type leaf struct {
	entries []entry
	unknown map[string]json.RawMessage
}

// entry lists a token under one identity that it has, had or is about to have. A rename adds one.
type entry struct {
	ID     string    `json:"id"`
	User   digest    `json:"u,omitempty"`
	Client digest    `json:"c,omitempty"`
	Domain digest    `json:"d,omitempty"`
	Origin digest    `json:"o,omitempty"` // of a token without a user
	Keys   []digest  `json:"k,omitempty"` // grant and refresh tokens that a save brought
	Stamp  time.Time `json:"s"`           // when a writer last was about to give the token these keys
}

type leafFields struct {
	header
	Path    string  `json:"path"`
	State   string  `json:"state"`
	Nonce   string  `json:"nonce"`
	Entries []entry `json:"entries"`
}

const stateLeaf = "leaf"

func (l *leaf) encode(nonce string) ([]byte, error) {
	entries := l.entries
	if entries == nil {
		entries = []entry{}
	}
	payload, err := json.Marshal(leafFields{header{formatVersion, kindIndex}, "", stateLeaf, nonce, entries})
	if err != nil {
		return nil, err
	}
	return withUnknown(payload, l.unknown)
}

func decodeLeaf(payload []byte) (*leaf, error) {
	var fields leafFields
	unknown, err := decodePayload(payload, kindIndex, &fields, &fields.header, leafNames)
	if err != nil {
		return nil, err
	}
	if fields.State != stateLeaf || fields.Path != "" {
		return nil, fmt.Errorf("the index has grown beyond one secret; use a newer tokenkeep: %w", ErrForeign)
	}
	return &leaf{entries: fields.Entries, unknown: unknown}, nil
}

// entryOf returns the entry that lists a record under all its keys.
func entryOf(r record) entry {
	id := r.identity()
	return entry{
		ID:   r.ID,
		User: digestOf(id.user).short(), Client: digestOf(id.client).short(), Domain: digestOf(id.domain).short(),
		Origin: id.origin.short(),
		Keys:   r.keys(),
	}
}

// sameIdentity reports whether two entries list tokens of one identity.
func (e entry) sameIdentity(o entry) bool {
	return e.User == o.User && e.Client == o.Client && e.Domain == o.Domain && e.Origin == o.Origin
}

// covers reports whether e lists all that o does.
func (e entry) covers(o entry) bool {
	return e.ID == o.ID && e.sameIdentity(o) &&
		!slices.ContainsFunc(o.Keys, func(d digest) bool { return !slices.Contains(e.Keys, d) })
}

// clone returns a copy whose entries may be changed.
func (l *leaf) clone() *leaf {
	c := &leaf{entries: slices.Clone(l.entries), unknown: l.unknown}
	for i := range c.entries {
		c.entries[i].Keys = slices.Clone(c.entries[i].Keys)
	}
	return c
}

// add puts an entry in, or its keys and stamp into the entry of the same token and identity. Keys are never taken away
// here: another writer may be about to give them to the token.
func (l *leaf) add(e entry) {
	i := slices.IndexFunc(l.entries, func(o entry) bool { return o.ID == e.ID && o.sameIdentity(e) })
	if i < 0 {
		l.entries = append(l.entries, e)
		return
	}
	old := &l.entries[i]
	for _, key := range e.Keys {
		if !slices.Contains(old.Keys, key) {
			old.Keys = append(old.Keys, key)
		}
	}
	if e.Stamp.After(old.Stamp) {
		old.Stamp = e.Stamp
	}
}

// listed reports whether a put may rely on the index as it was found: it covers e with a stamp not older than since, and
// the ID has never been anybody else's. If it has, savers of e's identity may have agreed on another ID meanwhile, and
// only a swap tells.
func (l *leaf) listed(e entry, since time.Time) bool {
	found := false
	for _, o := range l.entries {
		if o.ID == e.ID && !o.sameIdentity(e) {
			return false
		}
		found = found || o.covers(e) && !o.Stamp.Before(since)
	}
	return found
}

// candidates returns the IDs of the tokens that a query may mean.
func (l *leaf) candidates(q Token) []string {
	if q.UserName == "" && q.byAccessToken() {
		return l.ids(func(entry) bool { return true }) // access tokens are no keys
	}
	user, client, domain := digestOf(q.UserName).short(), digestOf(q.ClientID).short(), digestOf(q.APIDomain).short()
	grant, refresh := digestOf(q.GrantToken).short(), digestOf(q.RefreshToken).short()
	fits := func(x, y digest) bool { return x == "" || y == "" || x == y }
	return l.ids(func(e entry) bool {
		if !fits(e.Client, client) || !fits(e.Domain, domain) {
			return false
		}
		if user != "" && e.User == user {
			return true
		}
		if user != "" && e.User != "" {
			return false
		}
		return grant != "" && slices.Contains(e.Keys, grant) || refresh != "" && slices.Contains(e.Keys, refresh)
	})
}

// holders returns the IDs of the tokens that may have exactly the identity of r.
func (l *leaf) holders(r record) []string {
	want := entryOf(r)
	return l.ids(want.sameIdentity)
}

// ids returns the IDs of the entries that fit, each once, in order.
func (l *leaf) ids(fits func(entry) bool) []string {
	var ids []string
	for _, e := range l.entries {
		if fits(e) {
			ids = append(ids, e.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// maxSlots is how many tokens of other identities may sit on the derived IDs of one.
const maxSlots = 16

// slot returns the slot of r's identity on which its savers meet: the last one that the index lists, so that
// nobody goes back to an earlier one whose token has been deleted meanwhile.
func (l *leaf) slot(r record) int {
	holders := l.holders(r)
	for slot := maxSlots - 1; slot > 0 && len(holders) > 0; slot-- {
		if slices.Contains(holders, r.identity().derivedID(slot)) {
			return slot
		}
	}
	return 0
}
