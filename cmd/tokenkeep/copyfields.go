package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// droppable are the fields that a token is still one without.
var droppable = map[string]func(*tokenkeep.Token){
	"access_token":        func(t *tokenkeep.Token) { t.AccessToken, t.ExpiresAt = "", time.Time{} },
	"accounts_url":        func(t *tokenkeep.Token) { t.AccountsURL = "" },
	"id":                  func(t *tokenkeep.Token) { t.ID = "" },
	"extra":               func(t *tokenkeep.Token) { t.Extra = nil },
	"reauthorize":         func(t *tokenkeep.Token) { t.Reauthorize = nil },
	"redirect_url":        func(t *tokenkeep.Token) { t.RedirectURL = "" },
	"refresh_expiry_time": func(t *tokenkeep.Token) { t.RefreshExpiresAt = time.Time{} },
	"refreshed_at":        func(t *tokenkeep.Token) { t.RefreshedAt = time.Time{} },
	"scopes":              func(t *tokenkeep.Token) { t.Scopes = nil },
}

// noColumn are the droppable fields for which Zoho's file and table have no column.
var noColumn = []string{"accounts_url", "extra", "reauthorize", "refresh_expiry_time", "refreshed_at", "scopes"}

func droppableNames() string { return strings.Join(slices.Sorted(maps.Keys(droppable)), ", ") }

func checkDrop(fields []string) error {
	for _, field := range fields {
		if droppable[field] == nil {
			return usage("--drop-fields: %q is none of %s", field, droppableNames())
		}
	}
	return nil
}

// room is what is to be copied of a token. Without its ID a token is known by its user, client and API domain, and gets one of
// the target's.
type room struct {
	drop    []string // fields to leave behind
	columns bool     // the target has Zoho's ten columns and no more
}

func roomIn(url string, drop []string) room {
	scheme, _, _ := strings.Cut(url, ":")
	return room{drop, slices.Contains([]string{"file", "sqlite", "mysql"}, scheme)}
}

// cut returns what is to be copied of a token, and so what counts when two of them are compared.
func (r room) cut(t tokenkeep.Token) tokenkeep.Token {
	for _, field := range r.drop {
		droppable[field](&t)
	}
	if r.columns {
		t.ExpiresAt = t.ExpiresAt.Truncate(time.Millisecond)
	}
	return t
}

func (r room) newIDs() bool { return slices.Contains(r.drop, "id") }

// key is what a token of the source is found by in the target.
func (r room) key(t tokenkeep.Token) any {
	if r.newIDs() {
		return identityOf(r.cut(t))
	}
	return t.ID
}

// sent returns tokens as they are saved.
func (r room) sent(tokens []tokenkeep.Token) []tokenkeep.Token {
	sent := slices.Clone(tokens)
	for i := range sent {
		sent[i] = r.cut(sent[i])
	}
	return sent
}

// lacking returns the fields of a token, as it is copied, that the target has no column for.
func (r room) lacking(t tokenkeep.Token) []string {
	var fields []string
	if !r.columns {
		return fields
	}
	for _, field := range noColumn {
		without := t
		droppable[field](&without)
		if !equal(t, without) {
			fields = append(fields, field)
		}
	}
	return fields
}

// decimal are the IDs that Zoho's SDKs can count on from.
var decimal = regexp.MustCompile(`^[1-9][0-9]{0,14}$`)

// misfits are tokens that the target has no room for.
type misfits struct {
	ids         []string
	named, full []string // those whose ID is not decimal, and those with fields without a column
	fields      map[string]bool
}

// take reports whether a token is a misfit, and remembers it.
func (m *misfits) take(r room, t tokenkeep.Token) bool {
	lacking := r.lacking(r.cut(t))
	switch {
	case r.columns && !r.newIDs() && !decimal.MatchString(t.ID):
		m.named = append(m.named, t.ID)
	case len(lacking) > 0:
		m.full = append(m.full, t.ID)
		for _, field := range lacking {
			m.fields[field] = true
		}
	default:
		return false
	}
	m.ids = append(m.ids, t.ID)
	return true
}

// errors tells what the misfits lack, and what helps.
func (m *misfits) errors(drop []string) (errs []error) {
	if n := len(m.named); n > 0 {
		errs = append(errs, fmt.Errorf("%s not copied, the first is %q: the target takes no ID but a decimal number of at most 15 digits; "+
			"to let it number them, --drop-fields id: %w",
			plural(n, "token"), m.named[0], tokenkeep.ErrInvalid))
	}
	if n := len(m.full); n > 0 {
		fields := slices.Sorted(maps.Keys(m.fields))
		errs = append(errs, fmt.Errorf(
			"%s not copied, the first is %q: the target has no column for %s; to leave that behind, --drop-fields %s: %w",
			plural(n, "token"), m.full[0], strings.Join(fields, " and "), strings.Join(append(fields, drop...), ","), tokenkeep.ErrInvalid))
	}
	return errs
}

// equal reports whether two tokens are the same, credentials included.
func equal(a, b tokenkeep.Token) bool {
	x, errX := tokenkeep.EncodeToken(a)
	y, errY := tokenkeep.EncodeToken(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// differing returns the names of the fields, credentials included, in which two tokens differ.
func differing(a, b tokenkeep.Token) []string {
	x, y := fieldsOf(a), fieldsOf(b)
	for name, value := range x {
		if bytes.Equal(value, y[name]) {
			delete(y, name)
		} else {
			y[name] = value
		}
	}
	return slices.Sorted(maps.Keys(y))
}

// fieldsOf returns the fields of a token in JSON.
func fieldsOf(t tokenkeep.Token) (fields map[string]json.RawMessage) {
	fields = map[string]json.RawMessage{}
	if whole, err := tokenkeep.EncodeToken(t); err == nil { // as of every token that is stored
		_ = json.Unmarshal(whole, &fields)
	}
	return fields
}
