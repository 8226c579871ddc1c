package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// revision is one version of one life of a secret.
//
// The number alone would do while the metadata of a secret stays, as its counter goes on after a delete. Where somebody
// deletes the metadata too, by hand, the counter begins again, and the digest tells two lives apart.
type revision struct {
	version int
	digest  string // of the payload
}

// revisionFormat begins every revision that this package makes.
const revisionFormat = "vault1"

func newRevision(version int, payload []byte) revision {
	return revision{version, digest("payload", string(payload))}
}

// encode writes a revision of the secret called fullName as "vault1 VERSION DIGEST SUM". The sum ties it to the secret.
func (r revision) encode(fullName string) driver.Revision {
	return driver.Revision(strings.Join([]string{revisionFormat, strconv.Itoa(r.version), r.digest, r.sum(fullName)}, " "))
}

func (r revision) sum(fullName string) string {
	return digest("revision", fullName, strconv.Itoa(r.version), r.digest)
}

// decodeRevision understands the revisions of the secret called fullName, and no others.
func decodeRevision(rev driver.Revision, fullName string) (revision, bool) {
	fields := strings.Split(string(rev), " ")
	if len(fields) != 4 || fields[0] != revisionFormat {
		return revision{}, false
	}
	version, err := strconv.Atoi(fields[1])
	r := revision{version, fields[2]}
	return r, err == nil && version > 0 && r.encode(fullName) == rev
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
