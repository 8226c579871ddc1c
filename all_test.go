package tokenkeep

import (
	"context"
	"fmt"
	"iter"
	"testing"
)

// deniedList is a world whose list may not be read.
type deniedList struct {
	*world
	asked int
}

func (d *deniedList) List(context.Context) iter.Seq2[string, error] {
	d.asked++
	return func(yield func(string, error) bool) { yield("", fmt.Errorf("list: %w", ErrPermission)) }
}

func TestAListThatIsNeverLateTakesThePlaceOfTheIndex(t *testing.T) {
	w := newWorld()
	w.Authoritative = true
	mustSave(t, w.handle(), Token{ID: "1", UserName: "ann", RefreshToken: "r"})
	mustSave(t, w.handle(), Token{ID: "2", UserName: "bob", RefreshToken: "s"})
	w.remove(t, indexName)
	if got, err := w.handle().GetTokens(t.Context()); err != nil || len(got) != 2 || got[0].ID != "1" {
		t.Errorf("GetTokens = %v, %v; want both tokens", got, err)
	}
	if err := w.handle().DeleteTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := w.Names(); len(names) != 0 {
		t.Errorf("%q are left", names)
	}
}

func TestAListThatMayNotBeReadLeavesTheIndex(t *testing.T) {
	w := newWorld()
	w.Authoritative = true
	mustSave(t, w.handle(), Token{ID: "1", UserName: "ann", RefreshToken: "r"})
	denied := &deniedList{world: w}
	s := NewSecretStore(denied, Options{})
	for range 2 {
		if got, err := s.GetTokens(t.Context()); err != nil || len(got) != 1 {
			t.Errorf("GetTokens = %v, %v; want the token", got, err)
		}
	}
	if err := s.DeleteTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if denied.asked != 1 {
		t.Errorf("the list was asked for %d times; want once", denied.asked)
	}
	if len(w.Names()) != 1 {
		t.Errorf("%q are left; want the index alone", w.Names())
	}
}
