package filestore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep"
)

// decode returns the tokens of a file. Its errors name the line and hold nothing of the content.
func decode(content []byte) ([]tokenkeep.Token, error) {
	records, err := parse(content)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	order, err := header(records[0])
	if err != nil {
		return nil, err
	}
	var tokens []tokenkeep.Token
	lines := map[string]int{} // of the IDs
	for _, r := range records[1:] {
		t, err := row(r, order)
		if err != nil {
			return nil, err
		}
		if first, ok := lines[t.ID]; ok {
			return nil, r.damaged("the ID is that of line %d too", first)
		}
		lines[t.ID] = r.line
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// header returns which columns a file has, in their order.
func header(r record) ([]column, error) {
	var order []column
	for i, name := range r.fields {
		name = strings.ToLower(strings.TrimSpace(name))
		at := slices.IndexFunc(columns, func(c column) bool { return name != "" && (name == c.name || name == c.alias) })
		if at < 0 {
			return nil, r.damaged("this must be the header, and field %d is no column of Zoho's SDKs", i+1)
		}
		if slices.ContainsFunc(order, func(c column) bool { return c.name == columns[at].name }) {
			return nil, r.damaged("the header has the column %s twice", columns[at].name)
		}
		order = append(order, columns[at])
	}
	for _, c := range columns {
		if !c.missing && !slices.ContainsFunc(order, func(o column) bool { return o.name == c.name }) {
			return nil, r.damaged("the header lacks the column %s", c.name)
		}
	}
	return order, nil
}

func row(r record, order []column) (tokenkeep.Token, error) {
	var t tokenkeep.Token
	if len(r.fields) != len(order) {
		return t, r.damaged("%d fields, want the %d of the header; a value with a comma or a line end needs quotes",
			len(r.fields), len(order))
	}
	if !utf8.ValidString(strings.Join(r.fields, "")) {
		return t, r.damaged("the row is not UTF-8; convert the file to it")
	}
	for i, c := range order {
		if err := c.set(&t, r.fields[i]); err != nil {
			return t, r.damaged("%v", err)
		}
	}
	if t.ID == "" {
		return t, r.damaged("the row has no id; give it a number that no other row has")
	}
	if _, err := new(tokenkeep.List).Find(t); !errors.Is(err, tokenkeep.ErrNotFound) { // an empty list finds none, but checks
		return t, r.damaged("%v", err)
	}
	return t, nil
}

func (r record) damaged(format string, a ...any) error {
	return fmt.Errorf("line %d: %s: %w", r.line, fmt.Sprintf(format, a...), tokenkeep.ErrDamaged)
}

// encode returns the one form in which tokens are written: ordered by the numbers of their IDs, others last.
func encode(tokens []tokenkeep.Token) []byte {
	tokens = slices.Clone(tokens)
	slices.SortFunc(tokens, func(a, b tokenkeep.Token) int {
		return cmp.Or(cmp.Compare(number(a.ID)-1, number(b.ID)-1), cmp.Compare(a.ID, b.ID)) // 0, no number, wraps to the end
	})
	var out bytes.Buffer
	fields := make([]string, len(columns))
	for i, c := range columns {
		fields[i] = c.name
	}
	writeRecord(&out, fields)
	for _, t := range tokens {
		for i, c := range columns {
			fields[i] = c.get(t)
		}
		writeRecord(&out, fields)
	}
	return out.Bytes()
}
