package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
)

func TestOfManyTokensNoneIsSavedWhereTheFileCannotBeWritten(t *testing.T) {
	path := copyOf(t, "canonical.csv")
	before := read(t, path)
	store := filestore.New(path)
	tokens := []tokenkeep.Token{{UserName: "new", RefreshToken: "r1"}, {UserName: "incomplete"}, {UserName: "newer", RefreshToken: "r2"}}
	fails := func(why string, want error) {
		t.Helper()
		saved, err := store.SaveTokens(t.Context(), tokens)
		var detail *tokenkeep.Error
		if !errors.Is(err, want) || !errors.As(err, &detail) || detail.Op != "save tokens" ||
			!reflect.DeepEqual(saved, make([]tokenkeep.Token, 3)) {
			t.Errorf("%s: SaveTokens = %v, %v, want no tokens and one error that is %q", why, saved, err, want)
		}
		if read(t, path) != before {
			t.Errorf("%s: the file was changed", why)
		}
	}
	inTheWay := filepath.Join(path+".tmp", "directory")
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	fails("no temporary file can be made", os.ErrExist) // ENOTEMPTY counts as such
	if err := os.RemoveAll(path + ".tmp"); err != nil {
		t.Fatal(err)
	}
	number := read(t, path+".lock")
	if err := os.WriteFile(path+".lock", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	fails("the lock is damaged", tokenkeep.ErrDamaged)
	if err := os.WriteFile(path+".lock", []byte(number), 0o600); err != nil {
		t.Fatal(err)
	}
	saved, err := store.SaveTokens(t.Context(), tokens)
	if !errors.Is(err, tokenkeep.ErrIncomplete) || saved[0].ID == "" || saved[1].ID != "" || saved[2].ID == "" {
		t.Errorf("SaveTokens of a file that can be written again = %v, %v, want the first and the last", saved, err)
	}
	holds(t, path, ann, dan, saved[0], saved[2], bob, eve)
}

func TestOfManyTokensThoseWithoutANumberLeftAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	last := tokenkeep.Token{ID: "999999999999999", UserName: "last", RefreshToken: "r1"}
	five := tokenkeep.Token{ID: "5", UserName: "five", RefreshToken: "r2"}
	saved, err := filestore.New(path).SaveTokens(t.Context(), []tokenkeep.Token{last, {UserName: "a", RefreshToken: "r3"}, five})
	want := []tokenkeep.Token{last, {}, five}
	if !errors.Is(err, tokenkeep.ErrInvalid) || !reflect.DeepEqual(saved, want) {
		t.Errorf("SaveTokens = %v, %v, want %v and an error that is %q", saved, err, want, tokenkeep.ErrInvalid)
	}
	holds(t, path, five, last)
}
