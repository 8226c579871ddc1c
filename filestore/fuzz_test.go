package filestore

import (
	"cmp"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/tokenkeep/tokenkeep"
)

func FuzzWhatIsReadIsReadAgainAfterAWrite(f *testing.F) {
	files, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(files) == 0 {
		f.Fatalf("files of testdata: %v, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		tokens, err := decode(content)
		if err != nil {
			return
		}
		again, err := decode(encode(tokens))
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		for _, list := range [][]tokenkeep.Token{tokens, again} {
			slices.SortFunc(list, func(a, b tokenkeep.Token) int { return cmp.Compare(a.ID, b.ID) })
		}
		if !reflect.DeepEqual(again, tokens) {
			t.Errorf("read %#v and after a write %#v", tokens, again)
		}
	})
}
