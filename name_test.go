package tokenkeep

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSecretNames(t *testing.T) {
	for _, tt := range []struct{ name, id, want string }{
		{"a number is plain", "1042", "t_p1042"},
		{"a lower case word is plain", "abc0", "t_pabc0"},
		{"upper case is encoded", "A", "t_x84"},
		{"a path is encoded", "../x", "t_x5on2uu0"},
		{"an underscore is encoded", "_", "t_xbs"},
		{"a dash is encoded", "a-b", "t_xc4mm4"},
		{"a space is encoded", " ", "t_x40"},
		{"unicode is encoded", "é", "t_xoekg"},
		{"what looks like a name is encoded", "t_p1", "t_xehfn0c8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := SecretName(tt.id); got != tt.want {
				t.Errorf("SecretName(%q) = %q, want %q", tt.id, got, tt.want)
			}
			if id, ok := tokenID(tt.want); id != tt.id || !ok {
				t.Errorf("tokenID(%q) = %q, %v, want %q", tt.want, id, ok, tt.id)
			}
		})
	}
}

func TestNamesThatNoIDHas(t *testing.T) {
	for _, tt := range []struct{ what, name string }{
		{"nothing", ""},
		{"a prefix", "t_"},
		{"an empty plain ID", "t_p"},
		{"an empty encoded ID", "t_x"},
		{"an index", "i_r"},
		{"an index leaf", "i_r0f"},
		{"another scheme", "t_qabc"},
		{"an upper case plain ID", "t_pA"},
		{"a plain ID with a dash", "t_pa-b"},
		{"upper case base32", "t_x5ON2UU0"},
		{"base32 outside its alphabet", "t_xzz"},
		{"base32 of impossible length", "t_x5"},
		{"base32 with bits to spare", "t_x85"},
		{"base32 with padding", "t_x84======"},
		{"base32 with a line break", "t_x8\n4"},
		{"base32 of what is plain", "t_xc5h66"},
		{"a prefix before it", "xt_p1"},
	} {
		if id, ok := tokenID(tt.name); ok {
			t.Errorf("%s: tokenID(%q) = %q, want none", tt.what, tt.name, id)
		}
	}
}

// anyText draws text of every kind, but leans to what names are made of.
var anyText = rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9_./A-Z-]{0,12}`), rapid.StringMatching(`t_[px][0-9a-v]{0,8}`))

func TestNamesStayInTheirAlphabetAndLeadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anyText.Draw(t, "id")
		name := SecretName(id)
		rest, ok := strings.CutPrefix(name, "t_")
		if !ok || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Fatalf("SecretName(%q) = %q, want t_ and [a-z0-9] only", id, name)
		}
		if back, ok := tokenID(name); ok != (id != "") || ok && back != id {
			t.Fatalf("tokenID(%q) = %q, %v, want %q", name, back, ok, id)
		}
	})
}

func TestTwoIDsNeverShareAName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyText.Draw(t, "a"), anyText.Draw(t, "b")
		if a != b && strings.EqualFold(SecretName(a), SecretName(b)) {
			t.Fatalf("%q and %q both have the name %q", a, b, SecretName(a))
		}
	})
}

func TestNamesThatNoIDMadeAreNotRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := anyText.Draw(t, "name")
		if id, ok := tokenID(name); ok && SecretName(id) != name {
			t.Fatalf("tokenID(%q) = %q, whose name is %q", name, id, SecretName(id))
		}
	})
}

func TestAnIDWhoseNameIsTooLongIsInvalid(t *testing.T) {
	for _, tt := range []struct {
		name    string
		id      string
		limit   int
		wantErr error
	}{
		{"a plain ID that just fits", strings.Repeat("a", 17), 20, nil},
		{"a plain ID of one byte more", strings.Repeat("a", 18), 20, ErrInvalid},
		{"an encoded ID that just fits", strings.Repeat("A", 10), 19, nil},
		{"an encoded ID of one byte more", strings.Repeat("A", 11), 19, ErrInvalid},
		{"no limit", strings.Repeat("A", 1000), 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := checkName(tt.id, tt.limit); !errors.Is(err, tt.wantErr) {
				t.Errorf("checkName of %d bytes, limit %d: error %v, want %v", len(tt.id), tt.limit, err, tt.wantErr)
			}
		})
	}
	longest := strings.Repeat("é", maxID/2)
	if n := len(SecretName(longest)); n > 255 {
		t.Errorf("the longest ID has a name of %d bytes, Google Secret Manager takes 255", n)
	}
}
