package filestore_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/filestore"
	"github.com/tokenkeep/tokenkeep/internal/zohonode"
)

func TestZohosNodeSDKAndThePackageReadEachOthersFiles(t *testing.T) {
	run := zohonode.Install(t, filepath.Join("testdata", "sdk.mjs"))
	path := filepath.Join(t.TempDir(), "sdk_tokens.txt")
	written := run("write", path)
	nameless := tokenkeep.Token{ID: "2", ClientID: "1000.CLIENT", ClientSecret: "secret", GrantToken: "1000.grant"}
	holds(t, path, ann, nameless)

	save(t, filestore.New(path), tokenkeep.Token{UserName: "bob", RefreshToken: "r", ClientID: "c", ClientSecret: "s"})
	want := append(written, []string{"3", "bob", "c", "s", "r", "", "", "", "", ""})
	if got := run("read", path); !reflect.DeepEqual(got, want) {
		t.Errorf("the SDK reads\n%v\nwant\n%v", got, want)
	}
	if got := run("write", path); !reflect.DeepEqual(got, want) { // it saves what is there already, and another that it deletes
		t.Errorf("after a save by the SDK it reads\n%v\nwant\n%v", got, want)
	}
	bob := tokenkeep.Token{ID: "3", UserName: "bob", RefreshToken: "r", ClientID: "c", ClientSecret: "s"}
	holds(t, path, ann, nameless, bob)
}
