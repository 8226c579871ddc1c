package gcpsm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/tokenkeep/tokenkeep/driver"
)

// current is the alias of the version that holds the token. The version "latest" is the newest one, whoever added it, and
// is never read.
const current = "current"

// state is one state of one life of a secret.
type state struct {
	Etag    string           `json:"e,omitempty"`
	Version int64            `json:"v"`           // that current stands for; 0: none
	Created int64            `json:"c,omitempty"` // of the secret, in ns since 1970
	Others  map[string]int64 `json:"o,omitempty"` // aliases that are not ours
	Digest  string           `json:"d,omitempty"` // of the payload, where there is no Etag
}

func stateOf(secret *secretmanagerpb.Secret) state {
	others := maps.Clone(secret.GetVersionAliases())
	delete(others, current)
	return state{
		Etag: secret.GetEtag(), Version: secret.GetVersionAliases()[current],
		Created: secret.GetCreateTime().AsTime().UnixNano(), Others: others,
	}
}

// aliases are all of them, with current standing for version, or without it where that is 0.
func (st state) aliases(version int64) map[string]int64 {
	all := map[string]int64{}
	maps.Copy(all, st.Others)
	if version != 0 {
		all[current] = version
	}
	return all
}

// refersTo tells whether an alias stands for a version.
func (st state) refersTo(version int64) bool {
	for _, v := range st.aliases(st.Version) {
		if v == version {
			return true
		}
	}
	return false
}

// before tells whether this state is known to be older than another one of the same secret.
func (st state) before(other state) bool {
	return st.Created < other.Created || st.Created == other.Created && st.Version < other.Version
}

// revisionFormat begins every revision that this package makes.
const revisionFormat = "gcpsm1"

// revision writes the state of the secret called fullName as "gcpsm1 JSON SUM". The sum ties it to the secret.
func (st state) revision(fullName string) driver.Revision {
	text, _ := json.Marshal(st) // strings and numbers always marshal
	return driver.Revision(revisionFormat + " " + string(text) + " " + digest("revision", fullName, string(text)))
}

// decodeRevision understands the revisions of the secret called fullName, and no others.
func decodeRevision(rev driver.Revision, fullName string) (state, bool) {
	text, ok := strings.CutPrefix(string(rev), revisionFormat+" ")
	end := strings.LastIndexByte(text, ' ')
	if !ok || end < 0 {
		return state{}, false
	}
	var st state
	err := json.Unmarshal([]byte(text[:end]), &st)
	return st, err == nil && st.Version > 0 && st.revision(fullName) == rev
}

// fromAlias is what is known of the state from a read by alias: a number, which begins again with each life of the secret,
// and a payload, which no two lives have alike, as every payload has a nonce.
func fromAlias(version int64, payload []byte) state {
	return state{Version: version, Digest: digest("payload", string(payload))}
}

// digest is the first half of a SHA-256, in hexadecimal.
func digest(parts ...string) string {
	text := append(make([]byte, 0, 256), revisionFormat...)
	for _, part := range parts {
		text = append(append(text, 0), part...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
