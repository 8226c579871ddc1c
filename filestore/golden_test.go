package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
)

// The tokens of the files in testdata.
var (
	ann = tokenkeep.Token{
		ID: "1", UserName: "ann@example.com", ClientID: "1000.CLIENT", ClientSecret: "secret", RefreshToken: "1000.refresh",
		AccessToken: "1000.access", ExpiresAt: time.UnixMilli(1925363289123).UTC(),
		RedirectURL: "https://example.com/cb", APIDomain: "https://www.zohoapis.eu",
	}
	bob = tokenkeep.Token{ID: "2", UserName: "bob", GrantToken: "1000.grant"}
	eve = tokenkeep.Token{ID: "3", UserName: "eve, \"the\r\nsecond\"", RefreshToken: "r3"}
	dan = tokenkeep.Token{ID: "10", UserName: "dan", AccessToken: "A10", ExpiresAt: time.UnixMilli(-1).UTC()}
)

func TestFilesOfEverySDKAreRead(t *testing.T) {
	withoutDomain, rounded := ann, ann
	withoutDomain.APIDomain = ""
	rounded.ExpiresAt = time.UnixMilli(1.9e12).UTC()
	for file, want := range map[string][]tokenkeep.Token{
		"python.csv": {ann, bob, eve}, "java.csv": {ann, bob, eve}, "node.csv": {ann, bob}, "php.csv": {rounded, bob},
		"csharp.csv": {ann, bob}, "windows.csv": {ann, bob}, "nine.csv": {withoutDomain, bob}, "upgraded.csv": {withoutDomain, bob},
		"quoted.csv": {ann, bob}, "canonical.csv": {ann, dan, bob, eve},
	} {
		t.Run(file, func(t *testing.T) {
			path := copyOf(t, file)
			holds(t, path, want...)
			if _, err := os.Stat(path + ".lock"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("reading took the lock: %v", err)
			}
		})
	}
}

func TestWhatIsWrittenHasOneForm(t *testing.T) {
	want := read(t, filepath.Join("testdata", "canonical.csv"))
	for _, file := range []string{"python.csv", "java.csv", "canonical.csv"} {
		path := copyOf(t, file)
		store := filestore.New(path)
		save(t, store, dan)
		save(t, store, tokenkeep.Token{UserName: "short-lived", RefreshToken: "r"})
		if err := store.DeleteToken(t.Context(), "11"); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != want {
			t.Errorf("%s became\n%q\nwant\n%q", file, got, want)
		}
	}
	path := copyOf(t, "canonical.csv")
	if err := filestore.New(path).DeleteTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, header := read(t, path), strings.SplitAfter(want, "\n")[0]; got != header {
		t.Errorf("after DeleteTokens the file is %q, want %q", got, header)
	}
}

func TestABadRowIsReportedByItsLineAndNothingIsReadOrChanged(t *testing.T) {
	const header = "id,user_name,client_id,client_secret,refresh_token,access_token,grant_token,expiry_time,redirect_url,api_domain\n"
	const good = "1,ann,,,r1,,,,,\n"
	for name, tt := range map[string]struct{ content, want string }{
		"a row that is too short":           {header + good + "2,canary,,,canary,,,,\n", "line 3: 9 fields, want the 10"},
		"a row that is too long":            {header + good + "2,canary,,,canary,,,,,,\n", "line 3: 11 fields, want the 10"},
		"a comma without quotes":            {header + "2,canary,canary,,,canary,,,,,\n" + good, "line 2: 11 fields"},
		"a short row after a value of many": {header + "1,\"a\nb\r\nc\",,,r1,,,,,\n\n2,canary\n", "line 6: 2 fields"},
		"a line end without quotes":         {header + "1,can\nary,,,r1,,,,,\n", "line 2: 2 fields"},
		"a quote that never closes":         {header + "1,\"a\nb\",,,r1,,,,,\n2,\"canary,,,r2,,,,,\n3,,,,,,,,,\n", "line 4: a quote opens"},
		"text after a closing quote":        {header + good + "2,\"can\nary\"canary,,,r2,,,,,\n", "line 4: there is text after a closing quote"},
		"an expiry that is no number":       {header + good + "2,b,,,canary,,,canary,,\n", "line 3: expiry_time is no time"},
		"an expiry beyond all times":        {header + good + "2,b,,,canary,,,1e300,,\n", "line 3: expiry_time is no time"},
		"an expiry in the year 10000":       {header + good + "2,b,,,,canary,,253402300800000,,\n", "line 3: ExpiresAt is in the year 10000"},
		"a row without an ID":               {header + good + ",b,,,canary,,,,,\n", "line 3: the row has no id"},
		"an ID that comes twice":            {header + good + "\n1,b,,,canary,,,,,\n", "line 4: the ID is that of line 2 too"},
		"a text that is not UTF-8":          {header + good + "2,canary\xe9,,,canary,,,,,\n", "line 3: the row is not UTF-8"},
		"a printed token":                   {header + good + "2,b,,,[redacted],canary,,,,\n", "line 3: RefreshToken reads [redacted]"},
		"a user name that is too long":      {header + good + "2," + strings.Repeat("canary", 200) + ",,,r,,,,,\n", "line 3: UserName is 1200 bytes"},
		"no header":                         {"1,canary,,,canary,,,,,\n", "line 1: this must be the header, and field 1"},
		"a column of another program":       {strings.Replace(header, "grant_token", "canary", 1) + good, "line 1: this must be the header, and field 7"},
		"a column that comes twice":         {strings.Replace(header, "api_domain", "redirect_uri", 1) + good, "line 1: the header has the column redirect_url twice"},
		"a column that is missing":          {strings.Replace(header, ",client_secret", "", 1) + good, "line 1: the header lacks the column client_secret"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			store := filestore.New(path)
			tokens, readErr := store.GetTokens(t.Context())
			_, saveErr := store.SaveToken(t.Context(), tokenkeep.Token{UserName: "new", RefreshToken: "r"})
			for call, err := range map[string]error{
				"GetTokens": readErr, "SaveToken": saveErr, "DeleteTokens": store.DeleteTokens(t.Context()),
			} {
				if !errors.Is(err, tokenkeep.ErrDamaged) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("%s: error %v, want one that is %q with the path and %q", call, err, tokenkeep.ErrDamaged, tt.want)
				}
				if err != nil && strings.Contains(err.Error(), "canary") {
					t.Errorf("%s: error %q gives the content away", call, err)
				}
			}
			if tokens == nil || len(tokens) != 0 {
				t.Errorf("GetTokens = %v, want none", tokens)
			}
			if read(t, path) != tt.content {
				t.Error("the file was changed")
			}
		})
	}
}

func copyOf(t *testing.T, file string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "sdk_tokens.txt")
	if err := os.WriteFile(path, []byte(read(t, filepath.Join("testdata", file))), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func save(t *testing.T, store *filestore.Store, token tokenkeep.Token) tokenkeep.Token {
	t.Helper()
	saved, err := store.SaveToken(t.Context(), token)
	if err != nil {
		t.Fatalf("SaveToken(%v): %v", token, err)
	}
	return saved
}

// holds checks that the file has exactly these tokens, in the order of GetTokens.
func holds(t *testing.T, path string, want ...tokenkeep.Token) {
	t.Helper()
	got, err := filestore.New(path).GetTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the file holds %v, want %v (printed without credentials)", got, want)
	}
}
