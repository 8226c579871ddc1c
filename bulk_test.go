package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

// countPuts counts the puts of each index secret that take effect.
func (w *world) countPuts() map[string]int {
	var mu sync.Mutex
	puts := map[string]int{}
	w.onPut = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		next, err := w.Secrets.Put(ctx, name, payload, rev)
		if err == nil && strings.HasPrefix(name, indexName) {
			mu.Lock()
			defer mu.Unlock()
			puts[name]++
		}
		return next, err
	}
	return puts
}

func TestSaveTokensWritesTheIndexSeldom(t *testing.T) {
	w := newWorld()
	w.Bounds = driver.Limits{WritesPerDay: 100, Payload: 65536}
	puts := w.countPuts()
	tokens := make([]Token, 5000)
	for i := range tokens {
		tokens[i] = Token{UserName: fmt.Sprintf("first.last%d@example.com", i), ClientID: "1000.X", RefreshToken: fmt.Sprint("1000.", i)}
	}
	saved, err := w.handle().SaveTokens(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	for i, token := range saved {
		if token.ID == "" || token.UserName != tokens[i].UserName {
			t.Fatalf("the token at %d is %v; want that of %s", i, token, tokens[i].UserName)
		}
	}
	for name, n := range puts {
		if n > 20 {
			t.Errorf("%s was written %d times; want at most 20", name, n)
		}
	}
	calls := w.Calls()
	t.Logf("%d index secrets, %v", len(puts), calls)
	if calls["GetMany"] > 30 || calls["Latest"] > 30 {
		t.Errorf("calls: %v; want reads of many tokens at a time", calls)
	}
	if listed, err := w.handle().GetTokens(t.Context()); err != nil || len(listed) != len(tokens) {
		t.Errorf("GetTokens = %d tokens, error %v; want %d", len(listed), err, len(tokens))
	}
}

func TestSaveTokensIsSaveTokenInOrder(t *testing.T) {
	w := newWorld()
	mustSave(t, w.handle(), Token{ID: "1", UserName: "ann", ClientID: "c", RefreshToken: "r1"})
	tokens := []Token{
		{UserName: "ann", ClientID: "c", AccessToken: "a1"}, // updates 1
		{UserName: "bob", RefreshToken: "r2"},
		{UserName: strings.Repeat("x", 2000), RefreshToken: "r3"}, // invalid
		{UserName: "bob", AccessToken: "a2"},                      // the one before
		{UserName: "nobody"},                                      // incomplete
		{ID: "9", UserName: "ann", ClientID: "c", RefreshToken: "r9"},
		{RefreshToken: "r4"},
		{UserName: "cid", RefreshToken: "r4"}, // names the one before
		{ID: "1", AccessToken: "a3"},
	}
	saved, err := w.handle().SaveTokens(t.Context(), tokens)
	for _, want := range []error{ErrInvalid, ErrIncomplete, ErrConflict} {
		if !errors.Is(err, want) {
			t.Errorf("the error is %v; want %v among the joined", err, want)
		}
	}
	alone := newWorld()
	mustSave(t, alone.handle(), Token{ID: "1", UserName: "ann", ClientID: "c", RefreshToken: "r1"})
	s := alone.handle()
	for i, token := range tokens {
		want, err := s.SaveToken(t.Context(), token)
		if err == nil && saved[i].ID != want.ID || err != nil && saved[i].ID != "" {
			t.Errorf("token %d became %v; want %v, %v", i, saved[i], want, err)
		}
	}
	want, _ := s.GetTokens(t.Context())
	got, err := w.handle().GetTokens(t.Context())
	if err != nil || len(got) != len(want) {
		t.Fatalf("GetTokens = %v, %v; want %v", got, err, want)
	}
	for i := range got {
		a, _ := EncodeToken(got[i])
		b, _ := EncodeToken(want[i])
		if string(a) != string(b) {
			t.Errorf("token %d is %s; want %s", i, a, b)
		}
	}
}

func TestSaveTokensBesideOtherWriters(t *testing.T) {
	w := newWorld()
	tokens := make([]Token, 300)
	for i := range tokens {
		tokens[i] = Token{UserName: fmt.Sprint("user", i), RefreshToken: fmt.Sprint("r", i)}
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := w.handle().SaveTokens(t.Context(), tokens); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if listed, err := w.handle().GetTokens(t.Context()); err != nil || len(listed) != len(tokens) {
		t.Errorf("GetTokens = %d tokens, error %v; want %d", len(listed), err, len(tokens))
	}
}

func TestCheck(t *testing.T) {
	w := newWorld()
	s := w.handle()
	if err := s.Check(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("Check of an empty store: %v; want ErrNotFound", err)
	}
	mustSave(t, s, Token{UserName: "ann", RefreshToken: "r"})
	w.Calls()
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if calls := w.Calls(); len(calls) != 1 || calls["Latest"] != 1 {
		t.Errorf("calls %v; want one read", calls)
	}
	w.Plant(indexName, []byte("{"))
	if err := s.Check(t.Context()); !errors.Is(err, ErrForeign) {
		t.Errorf("Check of a damaged store: %v", err)
	}
}
