package tokenkeep

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// List holds tokens in memory and applies the rules of [Store] to them, one call at a time. It is for stores that have
// all their tokens in one place: they lock, load, call a method, and keep the outcome. Its zero value is empty.
//
// A List is not safe for concurrent use. Its methods make no calls; their errors are those of [Store], without an
// operation's name.
type List struct {
	// NewID returns an ID, not in use, for a token that is saved without one. nil derives it from the token's
	// identity.
	NewID func() string

	rows []record
}

// NewList returns a list that holds tokens, in their order. Two with one ID are [ErrDamaged], one without an ID is
// [ErrInvalid].
func NewList(tokens []Token) (*List, error) {
	l := &List{rows: make([]record, 0, len(tokens))}
	ids := make(map[string]bool, len(tokens))
	for _, t := range tokens {
		switch {
		case t.ID == "":
			return nil, errNoID
		case ids[t.ID]:
			return nil, fmt.Errorf("two tokens have the ID %q: %w", t.ID, ErrDamaged)
		}
		ids[t.ID] = true
		l.rows = append(l.rows, loaded(t))
	}
	return l, nil
}

var errNoID = fmt.Errorf("a token has no ID: %w", ErrInvalid)

// loaded returns the record of a token of which nothing else is known.
func loaded(t Token) record {
	row := record{Token: Token{ID: t.ID}}.save(t)
	row.RefreshedAt, row.Reauthorize = t.RefreshedAt, t.clone().Reauthorize
	row.origin = row.Token.identity().origin
	return row
}

// Put puts a token, as it is and by no rule, in the place of the one with its ID, or at the end. What the list remembers of
// that one's past is gone, as in a list that [NewList] makes of the tokens: a store that keeps no more than the tokens puts
// each one that it has saved, if it goes on with the list. One without an ID is [ErrInvalid].
func (l *List) Put(t Token) error {
	if t.ID == "" {
		return errNoID
	}
	if i := l.index(t.ID); i >= 0 {
		l.rows[i] = loaded(t)
	} else {
		l.rows = append(l.rows, loaded(t))
	}
	return nil
}

// Find is FindToken of [Store].
func (l *List) Find(query Token) (Token, error) {
	if err := query.validate(); err != nil {
		return Token{}, err
	}
	i, err := match(l.rows, query)
	if err != nil {
		return Token{}, err
	}
	return l.rows[i].fill(query), nil
}

// FindByID is FindTokenByID of [Store].
func (l *List) FindByID(id string) (Token, error) {
	if err := checkID(id); err != nil {
		return Token{}, err
	}
	if i := l.index(id); i >= 0 {
		return l.rows[i].shown(), nil
	}
	return Token{}, ErrNotFound
}

// Save is SaveToken of [Store].
func (l *List) Save(t Token) (Token, error) {
	if err := t.validate(); err != nil {
		return Token{}, err
	}
	i, err := match(l.rows, t)
	if isNotFound(err) && t.ID == "" { // an old copy may miss the token that its identity stands for
		id := t.identity()
		i = slices.IndexFunc(l.rows, func(r record) bool { return r.identity().equal(id) })
	}
	switch {
	case i >= 0:
		return l.store(i, l.rows[i].save(t))
	case err != nil && !isNotFound(err):
		return Token{}, err
	}
	next, err := newRecord(t)
	if err != nil {
		return Token{}, err
	}
	if next.ID == "" {
		next.ID = l.newID(next.identity())
	}
	return l.store(-1, next)
}

// Update is UpdateToken of [Updater].
func (l *List) Update(id string, f func(Token) (Token, error)) (Token, error) {
	if err := checkID(id); err != nil {
		return Token{}, err
	}
	i := l.index(id)
	if i < 0 {
		return Token{}, ErrNotFound
	}
	next, err := l.rows[i].applied(f)
	if err != nil {
		return Token{}, err
	}
	return l.store(i, next)
}

// Delete is DeleteToken of [Store].
func (l *List) Delete(id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if i := l.index(id); i >= 0 {
		l.rows = slices.Delete(l.rows, i, i+1)
	}
	return nil
}

// Tokens returns all tokens ordered by the bytes of their IDs.
func (l *List) Tokens() []Token {
	tokens := make([]Token, len(l.rows))
	for i, row := range l.rows {
		tokens[i] = row.shown()
	}
	slices.SortFunc(tokens, func(a, b Token) int { return strings.Compare(a.ID, b.ID) })
	return tokens
}

// Format prints how many tokens the list holds, and none of them, whatever the verb.
func (l List) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "List{%d tokens}", len(l.rows)) }

// LogValue returns how many tokens the list holds, and none of them.
func (l List) LogValue() slog.Value { return slog.GroupValue(slog.Int("tokens", len(l.rows))) }

// store puts a record in the place of row i, or at the end, unless another one has its identity.
func (l *List) store(i int, next record) (Token, error) {
	if i < 0 || !l.rows[i].identity().equal(next.identity()) {
		if err := checkIdentity(l.rows, next); err != nil {
			return Token{}, err
		}
	}
	if i < 0 {
		l.rows = append(l.rows, next)
	} else {
		l.rows[i] = next
	}
	return next.shown(), nil
}

func (l *List) newID(id identity) string {
	if l.NewID != nil {
		return l.NewID()
	}
	for slot := 0; ; slot++ {
		if derived := id.derivedID(slot); l.index(derived) < 0 {
			return derived
		}
	}
}

func (l *List) index(id string) int {
	return slices.IndexFunc(l.rows, func(r record) bool { return r.ID == id })
}

// checkIdentity refuses a record whose identity one of rows has under another ID.
func checkIdentity(rows []record, next record) error {
	id := next.identity()
	for _, row := range rows {
		if row.ID != next.ID && row.identity().equal(id) {
			return fmt.Errorf("token %q has this user, client and API domain already; update it, or delete it first: %w", row.ID, ErrConflict)
		}
	}
	return nil
}

// applied returns the record after f.
func (r record) applied(f func(Token) (Token, error)) (record, error) {
	t, err := f(r.shown())
	if err != nil {
		return record{}, err
	}
	if t.ID != r.ID {
		return record{}, fmt.Errorf("the update changes the ID to %q; save a new token and delete this one instead: %w", t.ID, ErrInvalid)
	}
	if err := t.validate(); err != nil {
		return record{}, err
	}
	if r.APIDomain == "" && t.APIDomain == r.learned {
		t.APIDomain = "" // f did not bring it
	}
	return r.update(t), nil
}
