package tokenkeep

import (
	"errors"
	"testing"
)

// FuzzDecodeRecord reads payloads of token secrets: what is read is written so that it reads the same again, fields that are
// not known included.
func FuzzDecodeRecord(f *testing.F) {
	f.Add("1", []byte(`{"tokenkeep":1,"kind":"token","id":"1","refresh_token":"r","nonce":"n","saved":["x"],"spent":["y"],"future":{"a":1}}`))
	f.Add("1", []byte(`{"tokenkeep":1,"kind":"token","id":"1","access_token":"a","expiry_time":"2026-01-02T15:04:05Z","lease":{"name":"l"}}`))
	f.Fuzz(func(t *testing.T, id string, payload []byte) {
		r, err := decodeRecord(id, payload)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
				t.Errorf("the error is %v; want ErrDamaged or ErrForeign", err)
			}
			return
		}
		encoded, err := r.encode("n")
		if err != nil {
			return
		}
		again, err := decodeRecord(id, encoded)
		if err != nil || !again.same(r) || len(again.unknown) != len(r.unknown) {
			t.Errorf("%s reads as another record, error %v", encoded, err)
		}
	})
}

// FuzzDecodeNode reads payloads of index secrets.
func FuzzDecodeNode(f *testing.F) {
	f.Add("", []byte(`{"tokenkeep":1,"kind":"index","path":"","state":"leaf","nonce":"n","entries":[{"id":"1","u":"x","k":["y"],"s":"2026-01-02T15:04:05Z"}]}`))
	f.Add("0a", []byte(`{"tokenkeep":1,"kind":"index","path":"0a","state":"moved","nonce":"n","writes":["2026-01-02T15:04:05Z"],"entries":[],"future":1}`))
	f.Fuzz(func(t *testing.T, path string, payload []byte) {
		n, err := decodeNode(path, payload)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
				t.Errorf("the error is %v; want ErrDamaged or ErrForeign", err)
			}
			return
		}
		encoded, err := n.encode("n")
		if err != nil {
			return
		}
		again, err := decodeNode(path, encoded)
		if err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		twice, err := again.encode("n")
		if err != nil || string(twice) != string(encoded) {
			t.Errorf("%s is written as %s, error %v", encoded, twice, err)
		}
	})
}

// FuzzSecretName takes one text for an ID and for a name: each ID has one name, and each name at most one ID.
func FuzzSecretName(f *testing.F) {
	for _, text := range []string{"1042", "o'brien/../x", "t_p1042", "t_x", "t_xc4", "t_p", "", "\xff", "t_x64"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name := SecretName(text)
		if id, ok := tokenID(name); text != "" && (!ok || id != text) {
			t.Errorf("the name of ID %q is %q, whose ID is %q, %v", text, name, id, ok)
		}
		for _, c := range name {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
				t.Fatalf("the name of ID %q is %q", text, name)
			}
		}
		if id, ok := tokenID(text); ok && SecretName(id) != text {
			t.Errorf("the ID of name %q is %q, whose name is %q", text, id, SecretName(id))
		}
	})
}
