package localstack

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
)

// place is where an item stands in a list.
type place struct {
	key    string
	serial int
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.key, q.key), cmp.Compare(p.serial, q.serial))
}

// pager is one request for a page.
type pager struct {
	of         string // which list; a token of another list is refused
	token      string // "" is the first page
	size       *int   // MaxResults of the request
	most       int    // its upper bound, and its default
	descending bool
}

// page orders items and returns those of one page, and the token of the next one if there is one. A token holds the place
// of the last item shown, not a count, so items that come and go between two pages are neither shown twice nor hide others.
func page[T any](p pager, items []T, at func(T) place) ([]T, string, error) {
	size := p.most
	if p.size != nil {
		size = *p.size
	}
	if size < 1 || size > p.most {
		return nil, "", invalid("maxResults", "have value between 1 and %d", p.most)
	}
	order := func(a, b place) int {
		if p.descending {
			a, b = b, a
		}
		return a.compare(b)
	}
	slices.SortFunc(items, func(a, b T) int { return order(at(a), at(b)) })
	if p.token != "" {
		last, err := p.last()
		if err != nil {
			return nil, "", err
		}
		start := slices.IndexFunc(items, func(item T) bool { return order(at(item), last) > 0 })
		if start < 0 {
			start = len(items)
		}
		items = items[start:]
	}
	if len(items) <= size {
		return items, "", nil
	}
	return items[:size], p.tokenFor(at(items[size-1])), nil
}

// pageToken is what a NextToken holds, as JSON in base64.
type pageToken struct {
	Of     string
	Key    string
	Serial int
}

func (p pager) tokenFor(last place) string {
	token, _ := json.Marshal(pageToken{p.of, last.key, last.serial}) // strings and numbers always marshal
	return base64.RawURLEncoding.EncodeToString(token)
}

func (p pager) last() (place, error) {
	data, err := base64.RawURLEncoding.DecodeString(p.token)
	var token pageToken
	if err != nil || json.Unmarshal(data, &token) != nil || token.Of != p.of {
		return place{}, errNextToken
	}
	return place{token.Key, token.Serial}, nil
}
