package awssm

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// revision is one version of one life of a secret.
//
// The ARN ends in six characters that are new in each life, so a revision does not fit a secret that was deleted
// and created again, although the name does.
type revision struct {
	arn     string
	version string // VersionId
}

// revisionFormat begins every revision that this package makes.
const revisionFormat = "awssm1"

// encode writes a revision as "awssm1 ARN VERSION SUM". The sum is there since the slot after a made-up version of
// an existing secret would be free.
func (r revision) encode() driver.Revision {
	return driver.Revision(strings.Join([]string{revisionFormat, r.arn, r.version, r.sum()}, " "))
}

func (r revision) sum() string { return digest("revision", r.arn, r.version)[:12] }

// decodeRevision understands the revisions of the secret called fullName, and no others.
func decodeRevision(rev driver.Revision, fullName string) (revision, bool) {
	fields := strings.Split(string(rev), " ")
	if len(fields) != 4 || fields[0] != revisionFormat {
		return revision{}, false
	}
	r := revision{arn: fields[1], version: fields[2]}
	if fields[3] != r.sum() || !r.of(fullName) {
		return revision{}, false
	}
	return r, true
}

// of tells whether this is a revision of the secret called fullName.
func (r revision) of(fullName string) bool {
	name, ok := nameInARN(r.arn)
	return ok && name == fullName
}

// successor is the ClientRequestToken, and so the VersionId, of the one version that may follow this one. All who
// read this version agree on it.
func (r revision) successor() revision {
	return revision{arn: r.arn, version: digest("successor", r.version)}
}

// stagedMark begins the VersionId of what was written in two steps, and of what was created to be followed so.
const stagedMark = "two-step-"

// staged tells whether what follows this version is written in two steps too, whoever writes it.
//
// Secrets Manager would not mind one call. But in moto a call that makes a new version current, after one that moved
// AWSCURRENT, leaves it on two versions, and reads return the older (moto 5.2.1).
func (r revision) staged() bool { return strings.HasPrefix(r.version, stagedMark) }

// stagedSuccessor is the n-th place, from 0, for a version that follows this one and becomes current by a second call. There
// are several since the writer in one may have died before that call.
func (r revision) stagedSuccessor(n int) revision {
	return revision{arn: r.arn, version: r.stagedStem() + strconv.Itoa(n)}
}

func (r revision) stagedStem() string { return stagedMark + digest("staged", r.version)[:48] + "-" }

// follows tells whether this version was written to follow base.
func (r revision) follows(base revision) bool {
	return r.version == base.successor().version || strings.HasPrefix(r.version, base.stagedStem())
}

// firstVersion is the VersionId of a secret that is created. It is new each time, not a digest of the payload: a
// restored secret has the versions of its former life, so the same payload would look like the same request; and
// VersionIds are shown to people who may not read the value.
func firstVersion(staged bool) string {
	version := digest("create", rand.Text())
	if staged {
		version = stagedMark + version[:48] + "-0"
	}
	return version
}

// digest is SHA-256 in 64 hexadecimal digits, the most that a ClientRequestToken takes.
func digest(parts ...string) string {
	text := append(make([]byte, 0, 256), revisionFormat...) // on the stack: every read makes a revision
	for _, part := range parts {
		text = append(append(text, 0), part...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// nameInARN is NAME of "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX".
func nameInARN(arn string) (string, bool) {
	_, resource, ok := strings.Cut(arn, ":secret:")
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return "", false
	}
	end := strings.LastIndexByte(resource, '-')
	if end < 0 {
		return "", false
	}
	return resource[:end], true
}
