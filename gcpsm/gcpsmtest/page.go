package gcpsmtest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
)

// Sizes of a page. The service has the first as its upper bound (comments of the API); what it takes where a request asks
// for none, it does not say.
const (
	maxPageSize     = 25000
	defaultPageSize = 100
)

// WithPageSize makes a page of a list n items long where the request does not say how long, so that a test meets a second
// page without many secrets. Without this option, or with an n below 1, it is 100.
func WithPageSize(n int) Option {
	return func(o *options) {
		if n > 0 {
			o.store.pageSize = int32(min(n, maxPageSize))
		}
	}
}

// item is something in a list, which is in the order of the keys.
type item[T any] struct {
	key   string
	value T
}

// pager is one request for a page.
type pager struct {
	of    string // which list; a token of another one is refused
	token string // "" is the first page
	size  int32
	most  int32 // where size is 0
}

// pageToken is what a page token holds, as JSON in base64. It holds the place of the last item shown, not a count, so
// items that come and go between two pages are neither shown twice nor hide others.
type pageToken struct{ Of, After string }

// paginate sorts items and returns those of one page, and the token of the next page if there is one.
func paginate[T any](q pager, items []item[T]) ([]T, string, error) {
	size, err := q.length()
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(items, func(a, b item[T]) int { return cmp.Compare(a.key, b.key) })
	if q.token != "" {
		after, err := q.after()
		if err != nil {
			return nil, "", err
		}
		start := slices.IndexFunc(items, func(i item[T]) bool { return i.key > after })
		if start < 0 {
			start = len(items)
		}
		items = items[start:]
	}
	next := ""
	if len(items) > size {
		items = items[:size]
		token, _ := json.Marshal(pageToken{q.of, items[size-1].key}) // strings always marshal
		next = base64.RawURLEncoding.EncodeToString(token)
	}
	var page []T
	for _, i := range items {
		page = append(page, i.value)
	}
	return page, next, nil
}

func (q pager) length() (int, error) {
	switch {
	case q.size < 0:
		return 0, invalid("The page size %d is negative.", q.size)
	case q.size == 0:
		return int(q.most), nil
	}
	return int(min(q.size, maxPageSize)), nil
}

func (q pager) after() (string, error) {
	data, err := base64.RawURLEncoding.DecodeString(q.token)
	var token pageToken
	if err != nil || json.Unmarshal(data, &token) != nil || token.Of != q.of {
		return "", invalid("The page token is not one of this list.")
	}
	return token.After, nil
}
