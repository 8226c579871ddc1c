package tokenkeep

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// record is a stored token with what the store remembers of its past.
type record struct {
	Token

	// origin is the digest of the credential that a token without a user was created with.
	origin digest
	// saved are those credentials held that a save brought; the index lists them.
	saved []digest
	// spent and spentSaved are past credentials that were used up; a save had brought the latter.
	spent, spentSaved []digest
	// replaced are past credentials that a save put others in the place of.
	replaced []digest

	refresh refreshState
	// learned is the API domain that the provider named, where no save brought one. It is no part of the identity.
	learned string

	// unknown are fields of a later version.
	unknown map[string]json.RawMessage
}

// How many digests a record keeps of each kind.
const (
	maxSpent      = 15
	maxSpentSaved = 50
	maxReplaced   = 15
)

func (r record) identity() identity {
	id := identity{user: r.UserName, client: r.ClientID, domain: r.APIDomain} // without the digest, which takes longest
	if r.UserName == "" {
		id.origin = r.origin
	}
	return id
}

// mayBe reports whether r may be the token that q is about; an API domain that was learned counts.
func (r record) mayBe(q Token) bool {
	id := r.identity()
	id.domain = firstOf(id.domain, r.learned)
	return id.compatible(q.identity())
}

// shown returns the token as readers get it.
func (r record) shown() Token {
	t := r.Token.clone()
	t.APIDomain = firstOf(t.APIDomain, r.learned)
	return t
}

// isSpent reports whether a credential was used up.
func (r record) isSpent(credential string) bool {
	if len(r.spent)+len(r.spentSaved) == 0 { // as of most; a digest takes long
		return false
	}
	d := digestOf(credential)
	return d != "" && (slices.Contains(r.spent, d) || slices.Contains(r.spentSaved, d))
}

// isOld reports whether a credential was used up or replaced.
func (r record) isOld(credential string) bool {
	return r.isSpent(credential) || credential != "" && slices.Contains(r.replaced, digestOf(credential))
}

// holds reports whether a grant or refresh token is a key of the record: it has it, or has used it up.
func (r record) holds(credential string) bool {
	return credential == r.GrantToken || credential == r.RefreshToken || r.isSpent(credential)
}

// keys returns the digests that the index lists the token under, beside its identity.
func (r record) keys() []digest {
	var keys []digest
	for _, d := range slices.Concat(r.saved, r.spentSaved) {
		if !slices.Contains(keys, d.short()) {
			keys = append(keys, d.short())
		}
	}
	return keys
}

// newRecord returns the record that a save creates.
func newRecord(t Token) (record, error) {
	credential := firstOf(t.GrantToken, t.RefreshToken, t.AccessToken) != ""
	client := t.ClientID != "" && t.ClientSecret != "" && (t.ID != "" || t.UserName != "")
	if !credential && !client {
		return record{}, fmt.Errorf("no stored token fits, and this one has neither a grant, a refresh nor an access token "+
			"(or client ID and secret, with an ID or a user): %w", ErrIncomplete)
	}
	r := record{Token: Token{ID: t.ID}}.save(t)
	t = t.clone()
	r.RefreshedAt, r.Reauthorize = t.RefreshedAt, t.Reauthorize
	r.origin = r.Token.identity().origin
	return r, nil
}

// save returns the record after a save of t.
func (r record) save(t Token) record {
	next, t := r.clone(), t.clone()
	overlay(&next.Token, t)
	t = r.withoutOld(t)

	bringsRefresh := t.RefreshToken != "" && t.RefreshToken != r.RefreshToken
	if t.RefreshToken != "" {
		next.setRefresh(t.RefreshToken, t.RefreshExpiresAt)
	}
	if t.GrantToken != "" {
		next.setGrant(t.GrantToken)
		if bringsRefresh {
			next.spend(next.GrantToken) // it was exchanged elsewhere, for the refresh token beside it
		}
	}
	stale := t.RefreshToken != "" && !bringsRefresh &&
		!t.ExpiresAt.IsZero() && !r.ExpiresAt.IsZero() && t.ExpiresAt.Before(r.ExpiresAt)
	if !stale {
		setPair(&next.AccessToken, &next.ExpiresAt, t.AccessToken, t.ExpiresAt)
	}
	next.settle(r)
	return next
}

// withoutOld drops from a save the credentials that are old, and with them its access token unless it brings another
// credential that is not.
func (r record) withoutOld(t Token) Token {
	dropped := false
	for _, credential := range []*string{&t.GrantToken, &t.RefreshToken} {
		if r.isOld(*credential) {
			*credential, dropped = "", true
		}
	}
	if dropped && t.GrantToken == "" && t.RefreshToken == "" {
		t.AccessToken = ""
	}
	return t
}

// update returns the record after UpdateToken stored t whole.
func (r record) update(t Token) record {
	next, t := r.clone(), t.clone()
	next.Token = t
	next.GrantToken, next.RefreshToken, next.Reauthorize = r.GrantToken, r.RefreshToken, r.Reauthorize
	if t.RefreshToken != r.RefreshToken {
		next.forget(t.RefreshToken)
		next.setRefresh(t.RefreshToken, t.RefreshExpiresAt)
	}
	if t.GrantToken != r.GrantToken {
		next.forget(t.GrantToken)
		next.setGrant(t.GrantToken)
	}
	if t.GrantToken != "" && t.RefreshToken != "" && t.RefreshToken != r.RefreshToken {
		next.spend(next.GrantToken) // as in a save
	}
	if !reflect.DeepEqual(t.Reauthorize, r.Reauthorize) {
		next.Reauthorize = t.Reauthorize
	}
	if next.UserName == "" && next.origin == "" {
		next.origin = next.Token.identity().origin
	}
	next.settle(r)
	return next
}

// settle drops what is remembered for refreshes of a credential, or of a refresh token, that a save has put another in
// the place of.
func (r *record) settle(before record) {
	if r.RefreshToken != before.RefreshToken {
		r.refresh.From = ""
	}
	if r.credential() != before.credential() {
		r.refresh.Lease, r.refresh.CoolDown = nil, nil
	}
}

// setRefresh puts a refresh token that a save brought in the place of the one held.
func (r *record) setRefresh(refresh string, expires time.Time) {
	r.replace(r.RefreshToken, refresh)
	r.RefreshExpiresAt = pairExpiry(r.RefreshToken, r.RefreshExpiresAt, refresh, expires)
	r.RefreshToken = refresh
}

// setGrant puts a grant token that a save brought in the place of the one held.
func (r *record) setGrant(grant string) {
	r.replace(r.GrantToken, grant)
	r.GrantToken = grant
}

// replace notes that a save brought a credential, and which one it put it in the place of.
func (r *record) replace(old, credential string) {
	if old != credential {
		if credential != "" {
			r.Reauthorize, r.refresh.Refused = nil, ""
		}
		r.saved = without(r.saved, digestOf(old))
		if old != "" && credential != "" && !r.isSpent(old) {
			r.replaced = appendDigest(r.replaced, digestOf(old), maxReplaced)
		}
	}
	if credential != "" && !r.isSpent(credential) {
		r.saved = appendDigest(r.saved, digestOf(credential), 2) // the grant and the refresh token
	}
}

// forget takes a credential off the lists of old ones.
func (r *record) forget(credential string) {
	d := digestOf(credential)
	for _, list := range []*[]digest{&r.spent, &r.spentSaved, &r.replaced} {
		*list = without(*list, d)
	}
}

// same reports whether two records would be stored alike.
func (r record) same(o record) bool {
	a, errA := r.encode("")
	b, errB := o.encode("")
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func (r record) clone() record {
	r.Token = r.Token.clone()
	for _, list := range []*[]digest{&r.saved, &r.spent, &r.spentSaved, &r.replaced} {
		*list = slices.Clone(*list)
	}
	if r.refresh.Lease != nil {
		copied := *r.refresh.Lease
		r.refresh.Lease = &copied
	}
	if r.refresh.CoolDown != nil {
		copied := *r.refresh.CoolDown
		r.refresh.CoolDown = &copied
	}
	r.unknown = maps.Clone(r.unknown)
	return r
}

// overlay copies the non-empty fields of src to dst, but for the ID, the three credentials and what only a refresh
// writes.
func overlay(dst *Token, src Token) {
	for _, f := range []struct {
		dst *string
		src string
	}{
		{&dst.UserName, src.UserName}, {&dst.ClientID, src.ClientID}, {&dst.ClientSecret, src.ClientSecret},
		{&dst.RedirectURL, src.RedirectURL}, {&dst.APIDomain, src.APIDomain}, {&dst.AccountsURL, src.AccountsURL},
	} {
		if f.src != "" {
			*f.dst = f.src
		}
	}
	if len(src.Scopes) > 0 {
		dst.Scopes = slices.Clone(src.Scopes)
	}
	for key, value := range src.Extra {
		if value != "" {
			if dst.Extra == nil {
				dst.Extra = map[string]string{}
			}
			dst.Extra[key] = value
		}
	}
}

// setPair puts a credential with its expiry in the place of another; none changes nothing.
func setPair(dst *string, dstExpires *time.Time, src string, srcExpires time.Time) {
	if src == "" {
		return
	}
	*dstExpires = pairExpiry(*dst, *dstExpires, src, srcExpires)
	*dst = src
}

// pairExpiry returns the expiry of a credential that takes the place of another: its own, or of the same credential
// the one that is known.
func pairExpiry(old string, oldExpires time.Time, credential string, expires time.Time) time.Time {
	if credential == old && expires.IsZero() {
		return oldExpires
	}
	return expires
}

func without(list []digest, d digest) []digest {
	return slices.DeleteFunc(list, func(x digest) bool { return x == d })
}

// appendDigest adds d at the end of list, once, and keeps the last limit digests.
func appendDigest(list []digest, d digest, limit int) []digest {
	list = append(without(list, d), d)
	return list[max(0, len(list)-limit):]
}
