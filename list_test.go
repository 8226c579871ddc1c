package tokenkeep

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newList(t *testing.T, tokens ...Token) *List {
	t.Helper()
	l, err := NewList(tokens)
	if err != nil {
		t.Fatalf("NewList: %v", err)
	}
	return l
}

// checkList compares the tokens of a list, in order.
func checkList(t *testing.T, l *List, want ...Token) {
	t.Helper()
	view := func(tokens []Token) []map[string]any {
		fields := make([]map[string]any, len(tokens))
		for i, token := range tokens {
			fields[i] = readable(token)
		}
		return fields
	}
	if diff := cmp.Diff(view(want), view(l.Tokens())); diff != "" {
		t.Errorf("the list differs (-want +got):\n%s", diff)
	}
}

func TestNewListTakesTokensAsTheyAre(t *testing.T) {
	ten := Token{
		ID: "10", UserName: "a", GrantToken: "g", RefreshToken: "r", RefreshExpiresAt: t1, AccessToken: "A", ExpiresAt: t2, RefreshedAt: t1,
		Scopes: []string{"x"}, Extra: map[string]string{"k": "v"}, Reauthorize: &Reauthorize{Since: t1, Reason: "x"},
	}
	nine := Token{ID: "9", RefreshToken: "r9"}
	empty := Token{ID: "1"}
	l := newList(t, nine, ten, empty)
	checkList(t, l, empty, ten, nine)
	if got, err := l.Save(Token{RefreshToken: "r9", ID: "8"}); !errors.Is(err, ErrConflict) {
		t.Errorf("a second token of one refresh token is %v, error %v, want %v", got, err, ErrConflict)
	}
	if got, err := l.Find(Token{GrantToken: "g", RefreshToken: "other"}); err != nil || got.RefreshToken != "r" {
		t.Errorf("the grant token beside a refresh token is not used up: found %v, error %v", got, err)
	}
}

func TestNewListRefusesIDsThatAreNone(t *testing.T) {
	if _, err := NewList([]Token{{ID: "1", RefreshToken: "a"}, {ID: "1", RefreshToken: "b"}}); !errors.Is(err, ErrDamaged) {
		t.Errorf("two tokens with one ID: error %v, want %v", err, ErrDamaged)
	}
	if _, err := NewList([]Token{{RefreshToken: "a"}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a token without an ID: error %v, want %v", err, ErrInvalid)
	}
}

func TestATokenThatIsPutHasNoPast(t *testing.T) {
	l := newList(t, Token{ID: "1", UserName: "a", RefreshToken: "r1"}, Token{ID: "2", UserName: "b", RefreshToken: "r"})
	saved, err := l.Save(Token{UserName: "a", RefreshToken: "r2"})
	if err == nil {
		err = l.Put(saved)
	}
	if err != nil {
		t.Fatal(err)
	}
	if saved, err = l.Save(Token{UserName: "a", RefreshToken: "r1"}); err != nil || saved.RefreshToken != "r1" {
		t.Errorf("a save of an old refresh token after Put = %v, %v, want it stored", saved, err)
	}
	namesake := Token{ID: "3", UserName: "b", Scopes: []string{"x"}}
	cleared := Token{ID: "2", UserName: "b"}
	for _, token := range []Token{namesake, cleared} { // by no rule
		if err := l.Put(token); err != nil {
			t.Errorf("Put(%v): %v", token, err)
		}
	}
	checkList(t, l, saved, cleared, namesake)
	namesake.Scopes[0] = "y"
	if got, err := l.FindByID("3"); err != nil || got.Scopes[0] != "x" {
		t.Errorf("the list shares memory with what was put: %v, %v", got, err)
	}
	if err := l.Put(Token{UserName: "c"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("Put of a token without an ID: error %v, want %v", err, ErrInvalid)
	}
}

func TestAnEmptyListIsReady(t *testing.T) {
	var l List
	if tokens := l.Tokens(); tokens == nil || len(tokens) != 0 {
		t.Errorf("Tokens of an empty list = %#v, want an empty slice that is not nil", tokens)
	}
	if err := l.Delete("1"); err != nil {
		t.Errorf("Delete of nothing: %v", err)
	}
	saved, err := l.Save(Token{UserName: "a", RefreshToken: "r"})
	if err != nil {
		t.Fatalf("Save: %v", err)
	}
	checkList(t, &l, saved)
}

func TestTwoTokensOfOneIdentityAreAmbiguous(t *testing.T) {
	l := newList(t, Token{ID: "1", UserName: "a", RefreshToken: "r1"}, Token{ID: "2", UserName: "a", RefreshToken: "r2"})
	_, find := l.Find(Token{UserName: "a"})
	_, save := l.Save(Token{UserName: "a", RefreshToken: "r3"})
	for _, err := range []error{find, save} {
		if !errors.Is(err, ErrAmbiguous) || !strings.Contains(err.Error(), `"1", "2"`) {
			t.Errorf("error %v, want %v naming both IDs", err, ErrAmbiguous)
		}
	}
	// A change of one of them that leaves its identity is no new conflict.
	if _, err := l.Save(Token{ID: "1", AccessToken: "A"}); err != nil {
		t.Errorf("a save by ID: %v", err)
	}
}

func TestClientCredentialsWithoutUserEqualNoOthers(t *testing.T) {
	var l List
	client := Token{ClientID: "c", ClientSecret: "s"}
	one, two := client, client
	one.ID, two.ID = "1", "2"
	for _, token := range []Token{one, two} {
		if _, err := l.Save(token); err != nil {
			t.Errorf("Save(%v): %v", token, err)
		}
	}
	checkList(t, &l, one, two)
}

func TestTheListDerivesIDsOrAsksForThem(t *testing.T) {
	var a, b List
	first, errA := a.Save(Token{UserName: "a", ClientID: "c", RefreshToken: "r1"})
	second, errB := b.Save(Token{UserName: "a", ClientID: "c", RefreshToken: "r2"})
	if errA != nil || errB != nil || first.ID == "" || first.ID != second.ID {
		t.Errorf("one identity has the IDs %q and %q in two lists, errors %v, %v", first.ID, second.ID, errA, errB)
	}
	if _, err := a.Save(Token{ID: first.ID, UserName: "renamed"}); err != nil {
		t.Fatal(err)
	}
	again, err := a.Save(Token{UserName: "a", ClientID: "c", RefreshToken: "r3"})
	if err != nil || again.ID == first.ID || again.ID == "" {
		t.Errorf("after a rename the old name gets the ID %q of the renamed token, error %v", again.ID, err)
	}
	next := 7
	counting := List{NewID: func() string { next++; return strconv.Itoa(next) }}
	if saved, err := counting.Save(Token{RefreshToken: "r"}); err != nil || saved.ID != "8" {
		t.Errorf("with NewID the ID is %q, error %v, want %q", saved.ID, err, "8")
	}
	if _, err := counting.Save(Token{UserName: "x"}); !errors.Is(err, ErrIncomplete) || next != 8 {
		t.Errorf("an incomplete token: error %v after %d IDs", err, next)
	}
}

func TestASaveByTheFirstCredentialMeetsItsToken(t *testing.T) {
	l := newList(t, Token{ID: "1", ClientID: "c", RefreshToken: "r1"})
	want, err := l.Save(Token{ID: "1", RefreshToken: "r2"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.Find(Token{ClientID: "c", RefreshToken: "r1"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("Find by a replaced refresh token = %v, error %v, want %v", got, err, ErrNotFound)
	}
	if got, err := l.Save(Token{ClientID: "c", RefreshToken: "r1", AccessToken: "A"}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Save by a replaced refresh token = %v, error %v, want %v", got, err, want)
	}
	checkList(t, l, want)
}

func TestRefusedCallsLeaveTheListAlone(t *testing.T) {
	ann := Token{ID: "1", UserName: "ann", RefreshToken: "r1"}
	bob := Token{ID: "2", UserName: "bob", RefreshToken: "r2"}
	cause := errors.New("cause")
	for _, tt := range []struct {
		name    string
		call    func(l *List) (Token, error)
		wantErr error
	}{
		{"a rename to a taken name", func(l *List) (Token, error) { return l.Save(Token{ID: "2", UserName: "ann"}) }, ErrConflict},
		{"an ID for a taken name", func(l *List) (Token, error) { return l.Save(Token{ID: "3", UserName: "ann", RefreshToken: "r"}) }, ErrConflict},
		{"an incomplete token", func(l *List) (Token, error) { return l.Save(Token{UserName: "eve"}) }, ErrIncomplete},
		{"invalid text", func(l *List) (Token, error) { return l.Save(Token{ID: "1", AccessToken: "\xff"}) }, ErrInvalid},
		{"an invalid query", func(l *List) (Token, error) { return l.Find(Token{UserName: "ann\xff"}) }, ErrInvalid},
		{"an invalid ID", func(l *List) (Token, error) { return l.FindByID("\xff") }, ErrInvalid},
		{"a delete of an invalid ID", func(l *List) (Token, error) { return Token{}, l.Delete("\xff") }, ErrInvalid},
		{"a delete of an ID that is too long", func(l *List) (Token, error) { return Token{}, l.Delete(strings.Repeat("i", 129)) }, ErrInvalid},
		{"a delete of no ID", func(l *List) (Token, error) { return Token{}, l.Delete("") }, nil},
		{"no ID", func(l *List) (Token, error) { return l.FindByID("") }, ErrNotFound},
		{"an update of an invalid ID", func(l *List) (Token, error) { return l.Update("\xff", keep) }, ErrInvalid},
		{"an update of a missing ID", func(l *List) (Token, error) { return l.Update("9", keep) }, ErrNotFound},
		{"an update that fails", func(l *List) (Token, error) {
			return l.Update("1", func(t Token) (Token, error) { t.RefreshToken = "r9"; return t, cause })
		}, cause},
		{"an update of the ID", func(l *List) (Token, error) {
			return l.Update("1", func(t Token) (Token, error) { t.ID = "9"; return t, nil })
		}, ErrInvalid},
		{"an update to a taken name", func(l *List) (Token, error) {
			return l.Update("2", func(t Token) (Token, error) { t.UserName = "ann"; return t, nil })
		}, ErrConflict},
		{"an update to invalid text", func(l *List) (Token, error) {
			return l.Update("1", func(t Token) (Token, error) { t.UserName = "\xff"; return t, nil })
		}, ErrInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newList(t, ann, bob)
			got, err := tt.call(l)
			if !errors.Is(err, tt.wantErr) || !reflect.DeepEqual(got, Token{}) {
				t.Errorf("returned %v, error %v, want no token and %v", got, err, tt.wantErr)
			}
			checkList(t, l, ann, bob)
		})
	}
}

func keep(t Token) (Token, error) { return t, nil }

func TestTheListSharesNoMemory(t *testing.T) {
	given := Token{ID: "1", UserName: "a", RefreshToken: "r", Scopes: []string{"x"}, Extra: map[string]string{"k": "v"}, Reauthorize: &Reauthorize{Since: t1, Reason: "x"}}
	want := given.clone()
	l := newList(t, given)
	results := map[string]func() Token{
		"NewList":  func() Token { return given },
		"Tokens":   func() Token { return l.Tokens()[0] },
		"FindByID": func() Token { found, _ := l.FindByID("1"); return found },
		"Find":     func() Token { found, _ := l.Find(Token{UserName: "a"}); return found },
		"Save":     func() Token { saved, _ := l.Save(want.clone()); return saved },
		"Update":   func() Token { updated, _ := l.Update("1", keep); return updated },
		"the argument of Update's function": func() Token {
			var argument Token
			_, _ = l.Update("1", func(t Token) (Token, error) { argument = t; return t, nil })
			return argument
		},
	}
	for name, result := range results {
		got := result()
		if got.Extra == nil {
			t.Errorf("%s returned no extra", name)
			continue
		}
		got.Scopes[0], got.Extra["k"], got.Reauthorize.Reason = "spoilt", "spoilt", "spoilt"
		checkList(t, l, want)
	}
}

func TestAListPrintsItsSize(t *testing.T) {
	l := newList(t, Token{ID: "1", RefreshToken: "r"}, Token{ID: "2", RefreshToken: "q"})
	for _, got := range []string{fmt.Sprint(l), fmt.Sprintf("%+v", *l), fmt.Sprintf("%#v", l)} {
		if got != "List{2 tokens}" {
			t.Errorf("the list prints as %s", got)
		}
	}
	if got := l.LogValue().String(); got != "[tokens=2]" {
		t.Errorf("the list is logged as %s", got)
	}
}
