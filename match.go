package tokenkeep

import (
	"fmt"
	"slices"
	"strings"
)

// match returns which of rows a query means, by the rules of [Store].
func match(rows []record, q Token) (int, error) {
	if q.ID != "" {
		if i := slices.IndexFunc(rows, func(r record) bool { return r.ID == q.ID }); i >= 0 {
			return i, nil
		}
		return -1, ErrNotFound
	}
	hits := matchKeys(rows, q)
	equal := slices.DeleteFunc(slices.Clone(hits), func(i int) bool { return !rows[i].identity().equal(q.identity()) })
	switch {
	case len(equal) == 1:
		return equal[0], nil
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) == 0:
		return -1, ErrNotFound
	}
	ids := make([]string, len(hits))
	for n, i := range hits {
		ids[n] = fmt.Sprintf("%q", rows[i].ID)
	}
	slices.Sort(ids)
	return -1, fmt.Errorf("tokens %s fit; name one by its ID, or give user, client and API domain: %w", strings.Join(ids, ", "), ErrAmbiguous)
}

// matchKeys returns the rows that have the key of q and a compatible identity.
func matchKeys(rows []record, q Token) []int {
	switch {
	case q.UserName != "":
		hits := matching(rows, q, func(r record) bool { return r.UserName == q.UserName })
		if len(hits) > 0 {
			return hits
		}
		return matchCredential(rows, q) // of tokens without a user: the others are not compatible
	case q.byAccessToken():
		return matching(rows, q, func(r record) bool { return r.AccessToken == q.AccessToken })
	default:
		return matchCredential(rows, q)
	}
}

// byAccessToken reports whether a query without ID and user goes by its access token.
func (t Token) byAccessToken() bool {
	return t.UserName == "" && t.AccessToken != "" && t.ClientID == "" && t.ClientSecret == ""
}

// matchCredential tries the grant token of q and then its refresh token.
func matchCredential(rows []record, q Token) []int {
	for _, credential := range []string{q.GrantToken, q.RefreshToken} {
		if credential == "" {
			continue
		}
		hits := matching(rows, q, func(r record) bool { return r.holds(credential) })
		if len(hits) > 0 {
			return hits
		}
	}
	return nil
}

func matching(rows []record, q Token, fits func(record) bool) []int {
	var hits []int
	for i, row := range rows {
		if fits(row) && row.mayBe(q) {
			hits = append(hits, i)
		}
	}
	return hits
}

// fill returns the answer of a look-up: the query's fields, and the stored ones where it has none.
func (r record) fill(q Token) Token {
	t := r.shown()
	overlay(&t, q)
	if r.isSpent(q.GrantToken) || r.isSpent(q.RefreshToken) {
		return t // an old copy asks: the stored credentials win
	}
	if q.GrantToken != "" {
		t.GrantToken = q.GrantToken
	}
	setPair(&t.RefreshToken, &t.RefreshExpiresAt, q.RefreshToken, q.RefreshExpiresAt)
	setPair(&t.AccessToken, &t.ExpiresAt, q.AccessToken, q.ExpiresAt)
	return t.clone()
}

// derivedID returns the ID on which the token that q means is looked for first: that of a user with a client, or of a
// grant or refresh token.
func (q Token) derivedID() (id string, ok bool) {
	credential := firstOf(q.GrantToken, q.RefreshToken)
	switch {
	case q.UserName != "":
		return q.identity().derivedID(0), q.ClientID != ""
	case q.byAccessToken() || credential == "":
		return "", false
	}
	return identity{origin: digestOf(credential)}.derivedID(0), true
}

// isMeantBy reports whether the token on the ID derived from q is the one that q means, whatever else is stored.
func (r record) isMeantBy(q Token) bool {
	if q.UserName != "" {
		return r.identity().equal(q.identity())
	}
	return r.holds(firstOf(q.GrantToken, q.RefreshToken)) && r.mayBe(q)
}
