package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
	"github.com/tokenkeep/tokenkeep/storetest"
)

func TestTheStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
		path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
		return func() tokenkeep.Store { return filestore.New(path) }
	}, storetest.Limits{TenColumns: true})
}

func TestNumbersNeverComeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	saveNext := func(want string) {
		t.Helper()
		store := filestore.New(path) // remembers nothing
		if got := save(t, store, tokenkeep.Token{UserName: "a", RefreshToken: "r"}); got.ID != want {
			t.Errorf("the ID is %q, want %q", got.ID, want)
		}
		if err := store.DeleteTokens(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	saveNext("1")
	saveNext("2")
	save(t, filestore.New(path), tokenkeep.Token{ID: "40", UserName: "b", RefreshToken: "r2"})
	if err := filestore.New(path).DeleteToken(t.Context(), "40"); err != nil {
		t.Fatal(err)
	}
	saveNext("41")

	save(t, filestore.New(path), tokenkeep.Token{ID: "60", UserName: "b", RefreshToken: "r2"})
	if err := os.Truncate(path, 0); err != nil { // as an SDK does that deletes it
		t.Fatal(err)
	}
	saveNext("61")

	const foreign = "id,user_name,client_id,client_secret,refresh_token,access_token,grant_token,expiry_time,redirect_url,api_domain\n" +
		"99,x,,,r9,,,,,\n" // written by an SDK
	if err := os.WriteFile(path, []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	saveNext("100")
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	saveNext("1") // as the package says
}

func TestNumbersEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	store := filestore.New(path)
	save(t, store, tokenkeep.Token{ID: "999999999999999", UserName: "last", RefreshToken: "r1"})
	before := read(t, path)
	if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "a", RefreshToken: "r2"}); !errors.Is(err, tokenkeep.ErrInvalid) {
		t.Errorf("a save when the numbers are used up: error %v, want one that is %q", err, tokenkeep.ErrInvalid)
	}
	for _, id := range []string{"1000000000000000", "0", "01", "+1", "-1", "1.0", "x"} {
		if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: id, UserName: "a", RefreshToken: "r2"}); !errors.Is(err, tokenkeep.ErrInvalid) {
			t.Errorf("a save under the new ID %q: error %v, want one that is %q", id, err, tokenkeep.ErrInvalid)
		}
	}
	if read(t, path) != before {
		t.Error("the file was changed")
	}
}

func TestALockFileWithoutANumberIsReported(t *testing.T) {
	path := copyOf(t, "canonical.csv")
	if err := os.WriteFile(path+".lock", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := filestore.New(path).SaveToken(t.Context(), tokenkeep.Token{UserName: "a", RefreshToken: "r"})
	if !errors.Is(err, tokenkeep.ErrDamaged) {
		t.Errorf("error %v, want one that is %q", err, tokenkeep.ErrDamaged)
	}
	holds(t, path, ann, dan, bob, eve)
}

func TestRowsWithAnotherIDAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	const header = "id,user_name,client_id,client_secret,refresh_token,access_token,grant_token,expiry_time,redirect_url,api_domain\n"
	if err := os.WriteFile(path, []byte(header+"mine,x,,,r1,,,,,\n7,y,,,r2,,,,,"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := filestore.New(path)
	save(t, store, tokenkeep.Token{ID: "mine", AccessToken: "A"})
	save(t, store, tokenkeep.Token{UserName: "z", RefreshToken: "r3"})
	want := header + "7,y,,,r2,,,,,\n8,z,,,r3,,,,,\nmine,x,,,r1,A,,,,\n"
	if got := read(t, path); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
}

// Outside of quotes it would be part of the line end.
func TestACarriageReturnAtTheEndOfAValueIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	saved := save(t, filestore.New(path), tokenkeep.Token{UserName: "a\r", APIDomain: "b\r", RefreshToken: "r"})
	if saved.UserName != "a\r" {
		t.Errorf("the user name is returned as %q", saved.UserName)
	}
	holds(t, path, saved)
}

func TestAnEmptyFileIsAnEmptyStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	for _, content := range []string{"", "\n", "\ufeff", "\r\n\r\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if tokens, err := filestore.New(path).GetTokens(t.Context()); err != nil || len(tokens) != 0 {
			t.Errorf("GetTokens of %q = %v, %v, want none", content, tokens, err)
		}
	}
}

func TestADirectoryThatIsMissingIsAnError(t *testing.T) {
	store := filestore.New(filepath.Join(t.TempDir(), "none", "sdk_tokens.txt"))
	if _, err := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "a", RefreshToken: "r"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want one that is %q", err, os.ErrNotExist)
	}
}
