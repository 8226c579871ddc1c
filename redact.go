package tokenkeep

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// redacted stands for a credential wherever a token is printed.
const redacted = "[redacted]"

// shown returns the fields of t that may be printed, in order. Of a credential it tells only that it is there.
func (t Token) shown() []slog.Attr {
	var attrs []slog.Attr
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	hide := func(key string, there bool) {
		if there {
			add(key, redacted)
		}
	}
	at := func(key string, value time.Time) {
		if !value.IsZero() {
			add(key, value.UTC().Format(time.RFC3339))
		}
	}
	add("id", t.ID)
	add("user_name", t.UserName)
	add("client_id", t.ClientID)
	hide("client_secret", t.ClientSecret != "")
	hide("redirect_url", t.RedirectURL != "")
	hide("grant_token", t.GrantToken != "")
	hide("refresh_token", t.RefreshToken != "")
	at("refresh_expiry_time", t.RefreshExpiresAt)
	hide("access_token", t.AccessToken != "")
	at("expiry_time", t.ExpiresAt)
	at("refreshed_at", t.RefreshedAt)
	add("api_domain", t.APIDomain)
	hide("accounts_url", t.AccountsURL != "")
	add("scopes", strings.Join(t.Scopes, " "))
	hide("extra", len(t.Extra) > 0)
	if t.Reauthorize != nil {
		at("reauthorize_since", t.Reauthorize.Since)
	}
	return attrs
}

// String returns the token without its credentials.
func (t Token) String() string {
	var b strings.Builder
	b.WriteString("Token{")
	for i, attr := range t.shown() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %q", attr.Key, attr.Value.String())
	}
	b.WriteString("}")
	return b.String()
}

// Format prints the token without its credentials, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.String())) }

// LogValue returns the token without its credentials.
func (t Token) LogValue() slog.Value { return slog.GroupValue(t.shown()...) }

// MarshalJSON writes the token without its credentials, for logs; [EncodeToken] writes it whole.
func (t Token) MarshalJSON() ([]byte, error) {
	fields := map[string]string{}
	for _, attr := range t.shown() {
		fields[attr.Key] = attr.Value.String()
	}
	return json.Marshal(fields)
}

// UnmarshalJSON reads what [EncodeToken] wrote, as [DecodeToken] does. What MarshalJSON wrote is [ErrInvalid], since
// its credentials are gone.
func (t *Token) UnmarshalJSON(data []byte) error {
	if string(data) == "null" { // encoding/json's convention: no change
		return nil
	}
	decoded, err := DecodeToken(data)
	if err != nil {
		return err
	}
	*t = decoded
	return nil
}
