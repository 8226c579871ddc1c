package tokenkeep

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// aRecord returns a record in which everything is set, with fields of a later version.
func aRecord() record {
	return record{
		Token: Token{
			ID: "1042", UserName: "ann", ClientID: "c", ClientSecret: "s", RedirectURL: "u", GrantToken: "g1", RefreshToken: "r1", RefreshExpiresAt: t1,
			AccessToken: "A1", ExpiresAt: t2, RefreshedAt: t1, APIDomain: "eu", AccountsURL: "acc", Scopes: []string{"x", "y"},
			Extra: map[string]string{"k": "v"}, Reauthorize: &Reauthorize{Since: t1, Reason: "x"},
		},
		origin: digestOf("g1"), saved: []digest{digestOf("r1")}, spent: []digest{digestOf("r2")},
		spentSaved: []digest{digestOf("g1")}, replaced: []digest{digestOf("r3")},
		unknown: map[string]json.RawMessage{"lease_of_2031": json.RawMessage(`{"a":[1,2.50,"<&>"]}`), "another": json.RawMessage(`null`)},
	}
}

func encoded(t *testing.T, r record) []byte {
	t.Helper()
	payload, err := r.encode("nonce")
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return payload
}

func TestAPayloadHoldsTheWholeRecord(t *testing.T) {
	want := aRecord()
	got, err := decodeRecord("1042", encoded(t, want))
	if err != nil {
		t.Fatalf("decodeRecord: %v", err)
	}
	if diff := cmp.Diff(string(encoded(t, want)), string(encoded(t, got))); diff != "" {
		t.Errorf("after decode and encode the payload differs (-want +got):\n%s", diff)
	}
	checkRecord(t, got, want.Token, memoryOf(want))
	if got.origin != want.origin {
		t.Errorf("the origin is %q, want %q", got.origin, want.origin)
	}
}

func TestUnknownFieldsSurviveASave(t *testing.T) {
	payload := []byte(`{"tokenkeep":1,"kind":"token","id":"1","refresh_token":"r1","later":{"deep":[1,"x"]},"number":12345678901234567890}`)
	r, err := decodeRecord("1", payload)
	if err != nil {
		t.Fatalf("decodeRecord: %v", err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(encoded(t, r.save(Token{RefreshToken: "r2"})), &fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"later": `{"deep":[1,"x"]}`, "number": "12345678901234567890", "refresh_token": `"r2"`, "tokenkeep": "1",
	} {
		if got := string(fields[name]); got != want {
			t.Errorf("after a save the field %q is %s, want %s", name, got, want)
		}
	}
}

// A person may write a field by hand, and encoding/json reads it in any case.
func TestAFieldInOtherCaseIsNotUnknown(t *testing.T) {
	for _, payload := range []string{
		`{"tokenkeep":1,"kind":"token","id":"1","Refresh_Token":"r1","EXPIRES_IN":"1924992000000","access_token":"A1"}`,
		`{"tokenkeep":1,"kind":"token","id":"1","Refresh_Token":"r1","EXPIRES_IN":"1924992000000","access_token":"A1","later":1}`,
	} {
		r, err := decodeRecord("1", []byte(payload))
		if err != nil {
			t.Fatalf("decodeRecord: %v", err)
		}
		if r.RefreshToken != "r1" || r.ExpiresAt.IsZero() {
			t.Errorf("the fields in other case are not read: %v", r.Token)
		}
		again, err := decodeRecord("1", encoded(t, r.save(Token{RefreshToken: "r2", AccessToken: "A2"})))
		if err != nil {
			t.Fatal(err)
		}
		if again.RefreshToken != "r2" || !again.ExpiresAt.IsZero() {
			t.Errorf("after a save the field in other case still wins: %v", readable(again.Token))
		}
	}
}

func TestPayloadsThatAreNotOurs(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		wantErr       error
	}{
		{"a token of ours", `{"tokenkeep":1,"kind":"token","id":"1"}`, nil},
		{"a newer format", `{"tokenkeep":2,"kind":"token","id":"1"}`, ErrForeign},
		{"a newer format whose fields have other types", `{"tokenkeep":2,"kind":"token","id":7,"scopes":"x"}`, ErrForeign},
		{"another kind", `{"tokenkeep":1,"kind":"index","id":"1"}`, ErrForeign},
		{"a kind that does not exist", `{"tokenkeep":1,"kind":"lease","id":"1"}`, ErrForeign},
		{"no kind", `{"tokenkeep":1,"id":"1"}`, ErrForeign},
		{"a copy of another token", `{"tokenkeep":1,"kind":"token","id":"2"}`, ErrForeign},
		{"no ID", `{"tokenkeep":1,"kind":"token"}`, ErrForeign},
		{"JSON without our field", `{"username":"x","password":"y"}`, ErrForeign},
		{"an empty object", `{}`, ErrForeign},
		{"a JSON text", `"hunter2"`, ErrForeign},
		{"JSON null", `null`, ErrForeign},
		{"no JSON", `hunter2`, ErrForeign},
		{"nothing", ``, ErrForeign},
		{"JSON that ends too early", `{"tokenkeep":1,"kind":"token","id":"1","refresh_token":"r`, ErrDamaged},
		{"JSON with something behind", `{"tokenkeep":1,"kind":"token","id":"1"}x`, ErrDamaged},
		{"a format that is no number", `{"tokenkeep":"1","kind":"token","id":"1"}`, ErrDamaged},
		{"a field of another type", `{"tokenkeep":1,"kind":"token","id":"1","refresh_token":5}`, ErrDamaged},
		{"an expiry that is no time", `{"tokenkeep":1,"kind":"token","id":"1","expiry_time":"soon"}`, ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := decodeRecord("1", []byte(tt.payload)); !errors.Is(err, tt.wantErr) {
				t.Errorf("decodeRecord(%s): error %v, want %v", tt.payload, err, tt.wantErr)
			}
		})
	}
}

func TestEveryCutOffPayloadIsDamagedOrForeign(t *testing.T) {
	payload := encoded(t, aRecord())
	for n := range payload {
		_, err := decodeRecord("1042", payload[:n])
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) {
			t.Fatalf("%d of %d bytes: error %v, want %v or %v", n, len(payload), err, ErrDamaged, ErrForeign)
		}
		if n > 100 && !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d of %d bytes: error %v, want %v", n, len(payload), err, ErrDamaged)
		}
	}
}

func TestDecodeTokenReadsExpiries(t *testing.T) {
	second := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, json string
		want       time.Time
		wantErr    error
	}{
		{"RFC 3339", `{"expiry_time":"2031-01-01T00:00:00Z"}`, second, nil},
		{"RFC 3339 in another zone", `{"expiry_time":"2031-01-01T05:30:00+05:30"}`, second, nil},
		{"epoch milliseconds in a string, as Zoho's stores write them", `{"expiry_time":"1924992000123"}`, second.Add(123 * time.Millisecond), nil},
		{"epoch milliseconds in a number", `{"expiry_time":1924992000000}`, second, nil},
		{"Zoho's other name", `{"expires_in":"1924992000000"}`, second, nil},
		{"a lifetime beside an expiry", `{"expires_in":3600,"expiry_time":"1924992000000"}`, time.Time{}, ErrInvalid},
		{"both names: expiry_time counts", `{"expires_in":"1924992999000","expiry_time":"1924992000000"}`, second, nil},
		{"an empty string", `{"expiry_time":""}`, time.Time{}, nil},
		{"null", `{"expiry_time":null}`, time.Time{}, nil},
		{"absent", `{}`, time.Time{}, nil},
		{"epoch seconds", `{"expiry_time":"1924992000"}`, time.Time{}, ErrInvalid},
		{"epoch seconds in a number", `{"expires_in":1924992000}`, time.Time{}, ErrInvalid},
		{"the lifetime that a provider answers", `{"expires_in":3600}`, time.Time{}, ErrInvalid},
		{"a negative number", `{"expiry_time":-1924992000000}`, time.Time{}, ErrInvalid},
		{"a fraction", `{"expiry_time":1924992000000.5}`, time.Time{}, ErrInvalid},
		{"milliseconds beyond the year 9999", `{"expiry_time":"9000000000000000"}`, time.Time{}, ErrInvalid},
		{"a time that is in the year 10000 by UTC", `{"expiry_time":"9999-12-31T23:59:59-05:00"}`, time.Time{}, ErrInvalid},
		{"another form of time", `{"expiry_time":"01/01/2031"}`, time.Time{}, ErrInvalid},
		{"an object", `{"expiry_time":{}}`, time.Time{}, ErrInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeToken([]byte(tt.json))
			if !errors.Is(err, tt.wantErr) || !got.ExpiresAt.Equal(tt.want) {
				t.Errorf("DecodeToken(%s) = expiry %v, error %v; want %v, %v", tt.json, got.ExpiresAt, err, tt.want, tt.wantErr)
			}
		})
	}
}

func TestDecodeTokenRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, json string
		wantErr    error
		says       string
	}{
		{"nothing", ``, ErrInvalid, "not valid JSON"},
		{"no JSON", `canary`, ErrInvalid, "not valid JSON"},
		{"null", ` null `, ErrInvalid, "null"},
		{"a list", `["canary"]`, ErrInvalid, "not a JSON object"},
		{"a text", `"canary"`, ErrInvalid, "not a JSON object"},
		{"a field of another type", `{"refresh_token":{"canary":1}}`, ErrInvalid, "refresh_token"},
		{"extra that is no text", `{"extra":{"canary":1}}`, ErrInvalid, "extra"},
		{"a time that is none", `{"reauthorize":{"since":"canary"}}`, ErrInvalid, "wrong form"},
		{"a newer format", `{"tokenkeep":2,"kind":"token","refresh_token":"canary"}`, ErrForeign, "format 2 is newer"},
		{"another kind", `{"tokenkeep":1,"kind":"canary"}`, ErrInvalid, "another kind"},
		{"a printed credential", `{"refresh_token":"[redacted]"}`, ErrInvalid, "printed"},
		{"a printed credential with an escape", `{"refresh_token":"\u005bredacted]"}`, ErrInvalid, "printed"},
		{"a printed value in extra", `{"extra":{"a":"[redacted]","b":"canary"}}`, ErrInvalid, "printed"},
		{"an ID that is too long", `{"id":"` + strings.Repeat("canary", 30) + `"}`, ErrInvalid, "128"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeToken([]byte(tt.json))
			if !errors.Is(err, tt.wantErr) || !reflect.DeepEqual(got, Token{}) {
				t.Fatalf("DecodeToken(%s) = %v, error %v; want error %v", tt.json, got, err, tt.wantErr)
			}
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %q does not say %q, or quotes its input", err, tt.says)
			}
		})
	}
}

func TestEncodeTokenRefusesWhatJSONCannotHold(t *testing.T) {
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, token := range map[string]Token{
		"invalid UTF-8":                 {RefreshToken: "canary\xff"},
		"invalid UTF-8 in extra":        {Extra: map[string]string{"canary\xff": "v"}},
		"an expiry beyond 9999":         {ExpiresAt: far},
		"a refresh expiry before 0":     {RefreshExpiresAt: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)},
		"a refresh beyond 9999":         {RefreshedAt: far},
		"a refusal beyond 9999":         {Reauthorize: &Reauthorize{Since: far}},
		"a credential that was printed": {AccessToken: redacted},
	} {
		if _, err := EncodeToken(token); !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: EncodeToken: error %v, want %v and no value", name, err, ErrInvalid)
		}
	}
}

// anyToken draws tokens with every field, empty ones included.
var anyToken = rapid.Custom(func(t *rapid.T) Token {
	text := func(name string) string { return rapid.StringN(0, 20, 60).Draw(t, name) }
	at := func(name string) time.Time {
		if rapid.Bool().Draw(t, name+" is known") {
			// the years 1 to 9999, to the nanosecond
			at := time.Unix(rapid.Int64Range(-62135596799, 253402300799).Draw(t, name), rapid.Int64Range(0, 999999999).Draw(t, name+" ns"))
			return at.In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, name+" zone")*3600))
		}
		return time.Time{}
	}
	token := Token{
		ID: text("id"), UserName: text("user"), ClientID: text("client"), ClientSecret: text("secret"), RedirectURL: text("redirect"),
		GrantToken: text("grant"), RefreshToken: text("refresh"), RefreshExpiresAt: at("refresh expiry"), AccessToken: text("access"),
		ExpiresAt: at("expiry"), RefreshedAt: at("refreshed"), APIDomain: text("domain"), AccountsURL: text("accounts"),
		Scopes: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "scopes"),
		Extra:  rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "extra"),
	}
	if rapid.Bool().Draw(t, "reauthorize") {
		token.Reauthorize = &Reauthorize{Since: at("since"), Reason: text("reason")}
	}
	return token
})

func TestDecodeTokenUndoesEncodeToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := anyToken.Draw(t, "token")
		encoded, err := EncodeToken(token)
		if err != nil {
			t.Fatalf("EncodeToken: %v", err)
		}
		got, err := DecodeToken(encoded)
		if err != nil {
			t.Fatalf("DecodeToken(%s): %v", encoded, err)
		}
		if want := token.clone(); !reflect.DeepEqual(got, want) {
			t.Fatalf("after encode and decode (-want +got):\n%s", cmp.Diff(readable(want), readable(got)))
		}
	})
}

func FuzzDecodeToken(f *testing.F) {
	for _, seed := range []string{
		`{"tokenkeep":1,"kind":"token","id":"1","refresh_token":"canary","scopes":["canary"],"extra":{"canary":"canary"}}`,
		`{"expires_in":"1924992000000","reauthorize":{"since":"2031-01-01T00:00:00Z","reason":"canary"}}`,
		`{"expiry_time":"canary","extra":{"canary":["canary"]}}`, `{"tokenkeep":"canary","kind":["canary"]}`,
		`["canary"]`, `"canary"`, `canary`, `{"canary`, `{"refresh_token":"\ud800canary"}`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		token, err := DecodeToken(data)
		if err != nil {
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("error %q quotes its input", err)
			}
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrForeign) {
				t.Errorf("error %q is neither %q nor %q", err, ErrInvalid, ErrForeign)
			}
			return
		}
		encoded, err := EncodeToken(token)
		if err != nil {
			t.Fatalf("a token that was decoded cannot be encoded: %v", err)
		}
		again, err := DecodeToken(encoded)
		if err != nil || !reflect.DeepEqual(again, token) {
			t.Errorf("after encode and decode, error %v (-want +got):\n%s", err, cmp.Diff(readable(token), readable(again)))
		}
	})
}
