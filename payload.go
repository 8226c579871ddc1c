package tokenkeep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// formatVersion is the number that every payload begins with. A payload with a higher one is left alone.
const formatVersion = 1

const (
	kindToken = "token"
	kindIndex = "index"
)

// header is what all payloads begin with.
type header struct {
	Tokenkeep int    `json:"tokenkeep"`
	Kind      string `json:"kind"`
}

// tokenFields are the fields of a Token in JSON, under the names of Zoho's SDKs where these have one:
//
//	{"tokenkeep": 1, "kind": "token", "id": "1042", "user_name": "ann@example.com", "client_id": "1000.X",
//	 "refresh_token": "…", "access_token": "…", "expiry_time": "2026-01-02T15:04:05Z", …}
type tokenFields struct {
	header
	ID               string            `json:"id,omitempty"`
	UserName         string            `json:"user_name,omitempty"`
	ClientID         string            `json:"client_id,omitempty"`
	ClientSecret     string            `json:"client_secret,omitempty"`
	RedirectURL      string            `json:"redirect_url,omitempty"`
	GrantToken       string            `json:"grant_token,omitempty"`
	RefreshToken     string            `json:"refresh_token,omitempty"`
	RefreshExpiresAt instant           `json:"refresh_expiry_time,omitzero"`
	AccessToken      string            `json:"access_token,omitempty"`
	ExpiresAt        instant           `json:"expiry_time,omitzero"`
	ExpiresIn        instant           `json:"expires_in,omitzero"` // Zoho's other name for it, only read
	RefreshedAt      instant           `json:"refreshed_at,omitzero"`
	APIDomain        string            `json:"api_domain,omitempty"`
	AccountsURL      string            `json:"accounts_url,omitempty"`
	Scopes           []string          `json:"scopes,omitempty"`
	Extra            map[string]string `json:"extra,omitempty"`
	Reauthorize      *Reauthorize      `json:"reauthorize,omitempty"`
}

// recordFields are the fields of a token secret: those of the token, and what the store remembers beside it.
type recordFields struct {
	tokenFields
	Nonce      string   `json:"nonce,omitempty"`
	Origin     digest   `json:"origin,omitempty"`
	Saved      []digest `json:"saved,omitempty"`
	Spent      []digest `json:"spent,omitempty"`
	SpentSaved []digest `json:"spent_saved,omitempty"`
	Replaced   []digest `json:"replaced,omitempty"`
	refreshState
	Learned string `json:"learned_api_domain,omitempty"`
}

// instant is a time that is written in RFC 3339 and also read from epoch milliseconds, as Zoho's SDKs keep it.
type instant time.Time

// instantError says why a text is no instant, without quoting it.
type instantError string

func (e instantError) Error() string { return string(e) }

func (at instant) IsZero() bool                 { return time.Time(at).IsZero() }
func (at instant) MarshalJSON() ([]byte, error) { return time.Time(at).MarshalJSON() }

func (at *instant) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "" || text == "null" {
		return nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		if ms < 1e11 {
			return instantError("an expiry in digits is taken for epoch milliseconds, and this one is before 1973; is it in seconds?")
		}
		*at = instant(time.UnixMilli(ms).UTC())
		return nil
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return instantError("an expiry is neither a time in RFC 3339 nor epoch milliseconds")
	}
	*at = instant(parsed)
	return nil
}

func fieldsOf(t Token) tokenFields {
	return tokenFields{
		header: header{formatVersion, kindToken},
		ID:     t.ID, UserName: t.UserName,
		ClientID: t.ClientID, ClientSecret: t.ClientSecret, RedirectURL: t.RedirectURL,
		GrantToken: t.GrantToken, RefreshToken: t.RefreshToken, RefreshExpiresAt: instant(t.RefreshExpiresAt),
		AccessToken: t.AccessToken, ExpiresAt: instant(t.ExpiresAt), RefreshedAt: instant(t.RefreshedAt),
		APIDomain: t.APIDomain, AccountsURL: t.AccountsURL, Scopes: t.Scopes, Extra: t.Extra, Reauthorize: t.Reauthorize,
	}
}

func (f tokenFields) token() Token {
	expires := f.ExpiresAt
	if expires.IsZero() {
		expires = f.ExpiresIn
	}
	return Token{
		ID: f.ID, UserName: f.UserName,
		ClientID: f.ClientID, ClientSecret: f.ClientSecret, RedirectURL: f.RedirectURL,
		GrantToken: f.GrantToken, RefreshToken: f.RefreshToken, RefreshExpiresAt: time.Time(f.RefreshExpiresAt),
		AccessToken: f.AccessToken, ExpiresAt: time.Time(expires), RefreshedAt: time.Time(f.RefreshedAt),
		APIDomain: f.APIDomain, AccountsURL: f.AccountsURL, Scopes: f.Scopes, Extra: f.Extra, Reauthorize: f.Reauthorize,
	}.clone()
}

// EncodeToken returns the full JSON form of a token, credentials included, for import, export and backup.
// A token that JSON cannot hold (invalid UTF-8, a year beyond 9999) is [ErrInvalid].
func EncodeToken(t Token) ([]byte, error) {
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("tokenkeep: encode token: %w", err)
	}
	return json.Marshal(fieldsOf(t.clone()))
}

// DecodeToken reads the JSON form of a token: what [EncodeToken] wrote, or an object with Zoho's names, in which the
// expiry is called expiry_time or expires_in and is a string or a number of epoch milliseconds.
//
// What is no such object, or was printed with its credentials redacted, is [ErrInvalid]; a higher format number is
// [ErrForeign]. No error holds any part of data.
func DecodeToken(data []byte) (Token, error) {
	fail := func(err error) (Token, error) { return Token{}, fmt.Errorf("tokenkeep: decode token: %w", err) }
	if bytes.Contains(data, []byte(`"`+redacted+`"`)) {
		return fail(fmt.Errorf("this is a printed token, its credentials read %s; use EncodeToken to keep tokens: %w", redacted, ErrInvalid))
	}
	if string(bytes.TrimSpace(data)) == "null" {
		return fail(fmt.Errorf("null is no token: %w", ErrInvalid))
	}
	var fields tokenFields
	if err := json.Unmarshal(data, &fields); err != nil {
		return fail(fmt.Errorf("%s: %w", describe(err), ErrInvalid))
	}
	if fields.Tokenkeep > formatVersion {
		return fail(fmt.Errorf("format %d is newer than %d; use a newer tokenkeep: %w", fields.Tokenkeep, formatVersion, ErrForeign))
	}
	if fields.Kind != "" && fields.Kind != kindToken {
		return fail(fmt.Errorf("this is not a token but of another kind: %w", ErrInvalid))
	}
	t := fields.token()
	if err := t.validate(); err != nil {
		return fail(err)
	}
	return t, nil
}

// describe tells what is wrong with a JSON text without quoting any of it.
func describe(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var at instantError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("not valid JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field == "":
		return "not a JSON object"
	case errors.As(err, &kind):
		return fmt.Sprintf("field %s is not a %s", kind.Field, kind.Type)
	case errors.As(err, &at):
		return at.Error()
	}
	return "a field has a wrong form"
}

// encode returns the payload of the token's secret.
func (r record) encode(nonce string) ([]byte, error) {
	fields := recordFields{
		tokenFields: fieldsOf(r.Token),
		Nonce:       nonce, Origin: r.origin,
		Saved: r.saved, Spent: r.spent, SpentSaved: r.spentSaved, Replaced: r.replaced,
		refreshState: r.refresh, Learned: r.learned,
	}
	payload, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encode: %w: %w", err, ErrInvalid)
	}
	return withUnknown(payload, r.unknown)
}

// decodeRecord reads the payload of the secret of the token with this ID.
func decodeRecord(id string, payload []byte) (record, error) {
	var fields recordFields
	unknown, err := decodePayload(payload, kindToken, &fields, &fields.header, recordNames)
	if err != nil {
		return record{}, err
	}
	if fields.ID != id {
		return record{}, fmt.Errorf("it holds another token than its name says, as after a copy by hand; it is left alone: %w", ErrForeign)
	}
	return record{
		Token: fields.token(), origin: fields.Origin,
		saved: fields.Saved, spent: fields.Spent, spentSaved: fields.SpentSaved, replaced: fields.Replaced,
		refresh: fields.refreshState, learned: fields.Learned,
		unknown: unknown,
	}, nil
}

// decodePayload reads a payload of one kind into fields, of which h is the header, and returns the fields that are not known.
func decodePayload(payload []byte, kind string, fields any, h *header, known []string) (map[string]json.RawMessage, error) {
	strict := json.NewDecoder(bytes.NewReader(payload))
	strict.DisallowUnknownFields()
	if strict.Decode(fields) == nil && *h == (header{formatVersion, kind}) && strict.InputOffset() == int64(len(payload)) {
		return nil, nil // as nearly always: all of it is known, and one pass was enough
	}
	if err := checkHeader(payload, kind); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(payload, fields); err != nil {
		return nil, fmt.Errorf("%s: %w", describe(err), ErrDamaged)
	}
	return unknownFields(payload, known)
}

// checkHeader refuses payloads of somebody else, of a newer version, or of another kind.
func checkHeader(payload []byte, kind string) error {
	var h struct {
		Tokenkeep *int   `json:"tokenkeep"`
		Kind      string `json:"kind"`
	}
	if err := json.Unmarshal(payload, &h); err != nil {
		if strings.Contains(string(payload[:min(len(payload), 100)]), `"tokenkeep"`) {
			return fmt.Errorf("%s: %w", describe(err), ErrDamaged)
		}
		return fmt.Errorf("it is no JSON of ours; it is left alone: %w", ErrForeign)
	}
	switch {
	case h.Tokenkeep == nil:
		return fmt.Errorf("it has no tokenkeep field; it is left alone: %w", ErrForeign)
	case *h.Tokenkeep > formatVersion:
		return fmt.Errorf("format %d is newer than %d; use a newer tokenkeep: %w", *h.Tokenkeep, formatVersion, ErrForeign)
	case h.Kind != kind:
		return fmt.Errorf("it is not of kind %q; it is left alone: %w", kind, ErrForeign)
	}
	return nil
}

var (
	recordNames = fieldNames(reflect.TypeFor[recordFields]())
	nodeNames   = fieldNames(reflect.TypeFor[nodeFields]())
)

// fieldNames returns the names in JSON of a type's fields.
func fieldNames(of reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(of) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// unknownFields returns the fields of a payload that are not among known: a later version of the same format wrote
// them, and they survive an update.
func unknownFields(payload []byte, known []string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil {
		return nil, fmt.Errorf("%s: %w", describe(err), ErrDamaged)
	}
	for _, name := range known {
		// encoding/json reads a field under any case; kept beside the field, it would win for ever.
		maps.DeleteFunc(fields, func(key string, _ json.RawMessage) bool { return strings.EqualFold(key, name) })
	}
	return fields, nil
}

// withUnknown adds fields to a JSON object.
func withUnknown(object []byte, unknown map[string]json.RawMessage) ([]byte, error) {
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		object = slices.Concat(object[:len(object)-1], []byte(","), key, []byte(":"), unknown[name], []byte("}"))
	}
	return object, nil
}
