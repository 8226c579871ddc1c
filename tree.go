package tokenkeep

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

// fanOut is how many children a split index secret has.
const fanOut = 16

func (s *SecretStore) fan() int {
	if s.seams.fanOut > 0 {
		return s.seams.fanOut
	}
	return fanOut
}

// place is where in the tree of index secrets something is listed: in the leaf whose path it begins with. It never
// changes: two versions of this package that disagreed would not find each other's tokens.
type place string

// placeOf returns the place of what has this digest: the digits of a SHA-256.
func placeOf(d digest, fan int) place {
	sum := sha256.Sum256([]byte("tokenkeep place\x00" + string(d)))
	digits := make([]byte, 0, 16)
	for _, b := range sum[:8] {
		digits = strconv.AppendInt(digits, int64(b>>4)%int64(fan), fanOut)
		digits = strconv.AppendInt(digits, int64(b&15)%int64(fan), fanOut)
	}
	return place(digits)
}

// indexName is the name of the first index secret, and how the names of all others begin.
const indexName = "i_r"

// children returns the paths of the children of an index secret.
func children(path string, fan int) []string {
	paths := make([]string, fan)
	for i := range paths {
		paths[i] = path + strconv.FormatInt(int64(i), fanOut)
	}
	return paths
}

// where says what part of the index somebody needs: all of it, or these places.
type where struct {
	all    bool
	places []place
}

var everywhere = where{all: true}

// whereOf returns where the tokens are listed that a query may mean. Those without a user are listed by the query's grant
// and refresh token; but a token with a user is found by these only if all is read.
func (s *SecretStore) whereOf(q Token) where {
	if q.UserName == "" {
		return everywhere
	}
	w := where{}
	for _, value := range []string{q.UserName, q.GrantToken, q.RefreshToken} {
		if value != "" {
			w.places = append(w.places, placeOf(digestOf(value).short(), s.fan()))
		}
	}
	return w
}

// whereIs returns where all tokens with the identity of r are listed.
func (s *SecretStore) whereIs(r record) where {
	return where{places: []place{placeOf(entryOf(r).anchor(), s.fan())}}
}

// whereListed returns where an entry is listed.
func (s *SecretStore) whereListed(e entry) where {
	w := where{places: []place{placeOf(e.anchor(), s.fan())}}
	if e.User == "" {
		for _, key := range e.Keys {
			w.places = append(w.places, placeOf(key, s.fan()))
		}
	}
	return w
}

// needs reports whether some of it is listed below path.
func (w where) needs(path string) bool {
	return w.all || slices.ContainsFunc(w.places, func(p place) bool { return strings.HasPrefix(string(p), path) })
}

// sheet is what a handle knows of an index secret.
type sheet struct {
	*node
	rev  driver.Revision
	at   time.Time
	tick tick
	// unmade: the secret does not exist yet, this is what its parent holds for it.
	unmade bool
}

// view is what a handle knows of a part of the index.
type view struct {
	entries
	sheets []*sheet
	at     time.Time // of the oldest sheet
	tick   tick
}

func (v *view) add(leaf *sheet) {
	if len(v.sheets) == 0 {
		v.entries, v.at, v.tick = slices.Clip(leaf.entries), leaf.at, leaf.tick // clipped: the sheet must not grow with the view
	} else {
		v.entries = append(v.entries, leaf.entries...)
		v.tick = min(v.tick, leaf.tick)
		if leaf.at.Before(v.at) {
			v.at = leaf.at
		}
	}
	v.sheets = append(v.sheets, leaf)
}

// has reports whether a view was made of an index secret as it is now.
func (v *view) has(now *sheet) bool {
	return slices.ContainsFunc(v.sheets, func(leaf *sheet) bool { return leaf.path == now.path && leaf.rev == now.rev && !leaf.unmade })
}
