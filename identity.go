package tokenkeep

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
)

// digest stands for a credential or a name where the value itself must not lie: 128 bits of SHA-256, in base64.
type digest string

func digestOf(value string) digest {
	if value == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("tokenkeep digest\x00" + value))
	return digest(base64.RawURLEncoding.EncodeToString(sum[:16]))
}

// short returns the 66 bits of a digest that the index keeps: enough to choose what to read.
func (d digest) short() digest { return d[:min(len(d), 11)] }

// identity is what makes two tokens the same one.
type identity struct {
	user, client, domain string
	// origin stands for the credential that a token without a user was created with; empty where there is a user.
	origin digest
}

// identity of a token that is not stored.
func (t Token) identity() identity {
	id := identity{user: t.UserName, client: t.ClientID, domain: t.APIDomain}
	if t.UserName == "" {
		id.origin = digestOf(firstOf(t.GrantToken, t.RefreshToken, t.AccessToken))
	}
	return id
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// compatible reports whether a and b may be the same token.
func (a identity) compatible(b identity) bool {
	fits := func(x, y string) bool { return x == "" || y == "" || x == y }
	return fits(a.user, b.user) && fits(a.client, b.client) && fits(a.domain, b.domain)
}

// equal reports whether a and b are the same token. A token with neither user nor credential equals no other.
func (a identity) equal(b identity) bool {
	return a == b && (a.user != "" || a.origin != "")
}

// derivedID returns the ID that saves of an identity without one agree on: 120 bits of SHA-256. Where tokens of other
// identities (renamed since, or of another client of the same refresh token) have the first IDs, they agree on a later
// slot. It never changes: two versions of this package that disagreed would make two tokens of one user.
func (a identity) derivedID(slot int) string {
	parts := []string{"tokenkeep/1", string(a.origin)} // no client and domain, for look-ups that have only the credential
	if a.user != "" {
		parts = []string{"tokenkeep/1", a.user, a.client, a.domain}
	}
	var text []byte
	for _, part := range parts {
		text = binary.AppendUvarint(text, uint64(len(part))) // so that no two lists of parts hash the same bytes
		text = append(text, part...)
	}
	sum := sha256.Sum256(binary.AppendUvarint(text, uint64(slot)))
	return base32lower.EncodeToString(sum[:15])
}

var base32lower = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)
