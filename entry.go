package tokenkeep

import (
	"slices"
	"strings"
	"time"
)

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

// anchor is what all entries of one identity have in common, and so the place where they meet.
func (e entry) anchor() digest {
	return digest(firstOf(string(e.User), string(e.Origin), string(digestOf(e.ID).short())))
}

// under returns what of an entry is listed in the part of the index below path. An entry with a user is listed where its
// anchor is. One without is also listed, under each of its keys, where that is; so whoever has the grant or refresh token
// of a token without a user need not read the whole index to find it.
func (e entry) under(path string, fan int) (entry, bool) {
	below := func(d digest) bool { return strings.HasPrefix(string(placeOf(d, fan)), path) }
	listed := path == "" || below(e.anchor())
	if e.User != "" || path == "" {
		return e, listed
	}
	e.Keys = slices.DeleteFunc(slices.Clone(e.Keys), func(d digest) bool { return !below(d) })
	return e, listed || len(e.Keys) > 0
}

// entries are the content of an index secret, or of several.
type entries []entry

// clone returns a copy that may be changed.
func (l entries) clone() entries {
	c := slices.Clone(l)
	for i := range c {
		c[i].Keys = slices.Clone(c[i].Keys)
	}
	return c
}

// with returns the entries and e, or its keys and stamp in the entry of the same token and identity. Keys are never taken away
// here: another writer may be about to give them to the token.
func (l entries) with(e entry) entries {
	i := slices.IndexFunc(l, func(o entry) bool { return o.ID == e.ID && o.sameIdentity(e) })
	if i < 0 {
		return append(l, e)
	}
	old := &l[i]
	for _, key := range e.Keys {
		if !slices.Contains(old.Keys, key) {
			old.Keys = append(old.Keys, key)
		}
	}
	if e.Stamp.After(old.Stamp) {
		old.Stamp = e.Stamp
	}
	return l
}

// under returns what of the entries is listed in the part of the index below path.
func (l entries) under(path string, fan int) entries {
	part := entries{}
	for _, e := range l {
		if e, ok := e.under(path, fan); ok {
			part = append(part, e)
		}
	}
	return part
}

// listed reports whether an entry covers e with a stamp not older than since.
func (l entries) listed(e entry, since time.Time) bool {
	return slices.ContainsFunc(l, func(o entry) bool { return o.covers(e) && !o.Stamp.Before(since) })
}

// candidates returns the IDs of the tokens that a query may mean.
func (l entries) candidates(q Token) []string {
	if q.UserName == "" && q.byAccessToken() {
		return l.ids() // access tokens are no keys
	}
	user, client, domain := digestOf(q.UserName).short(), digestOf(q.ClientID).short(), digestOf(q.APIDomain).short()
	grant, refresh := digestOf(q.GrantToken).short(), digestOf(q.RefreshToken).short()
	fits := func(x, y digest) bool { return x == "" || y == "" || x == y }
	return l.idsWhere(func(e entry) bool {
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
func (l entries) holders(r record) []string {
	want := entryOf(r)
	return l.idsWhere(want.sameIdentity)
}

// ids returns the IDs of all entries, each once, in order.
func (l entries) ids() []string { return l.idsWhere(func(entry) bool { return true }) }

func (l entries) idsWhere(fits func(entry) bool) []string {
	var ids []string
	for _, e := range l {
		if fits(e) {
			ids = append(ids, e.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// maxSlots is how many tokens of other identities may sit on the derived IDs of one.
const maxSlots = 16

// slot returns the slot of r's identity on which its savers meet: the last one that is listed, so that nobody goes back
// to an earlier one whose token has been deleted meanwhile.
func (l entries) slot(r record) int {
	holders := l.holders(r)
	for slot := maxSlots - 1; slot > 0 && len(holders) > 0; slot-- {
		if slices.Contains(holders, r.identity().derivedID(slot)) {
			return slot
		}
	}
	return 0
}
