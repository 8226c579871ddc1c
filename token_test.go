package tokenkeep_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// canary is part of every credential below; no print may hold it.
const canary = "canary"

func secretToken() tokenkeep.Token {
	return tokenkeep.Token{
		ID: "1042", UserName: "ann@example.com", ClientID: "1000.X", ClientSecret: canary + "-secret",
		RedirectURL: "https://example.com/?" + canary, GrantToken: canary + "-grant", RefreshToken: canary + "-refresh",
		RefreshExpiresAt: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC), AccessToken: canary + "-access",
		ExpiresAt: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), RefreshedAt: time.Date(2029, 1, 2, 3, 4, 5, 0, time.UTC),
		APIDomain: "https://www.zohoapis.eu", AccountsURL: "https://user:" + canary + "@accounts.zoho.eu",
		Scopes: []string{"ZohoCRM.modules.ALL"}, Extra: map[string]string{"x": canary + "-value", canary + "-key": "y"},
		Reauthorize: &tokenkeep.Reauthorize{Since: time.Date(2028, 1, 2, 3, 4, 5, 0, time.UTC), Reason: "invalid_code"},
	}
}

// Holder is somebody's struct with tokens in exported fields.
type Holder struct {
	Token   tokenkeep.Token
	Pointer *tokenkeep.Token
	List    []tokenkeep.Token
	Map     map[string]tokenkeep.Token
	Any     any
}

func TestPrintsHoldNoCredential(t *testing.T) {
	token := secretToken()
	values := map[string]any{
		"a token":             token,
		"a pointer":           &token,
		"a slice":             []tokenkeep.Token{token},
		"a slice of pointers": []*tokenkeep.Token{&token},
		"an array":            [1]tokenkeep.Token{token},
		"a map":               map[string]tokenkeep.Token{"k": token},
		"an interface":        []any{token, &token},
		"a struct":            Holder{token, &token, []tokenkeep.Token{token}, map[string]tokenkeep.Token{"k": token}, token},
		"an error":            fmt.Errorf("token %v: %w", token, tokenkeep.ErrInvalid),
		"a list":              listOf(t, token),
		"a list by value":     *listOf(t, token),
	}
	verbs := []string{"no verb", "%", "%!", "%d %v %s", "%[1]v %[1]d", "%[2]v", "%*v", "%.*v"}
	for verb := rune('A'); verb <= 'z'; verb++ {
		// Under these two fmt never calls a method; go vet refuses both.
		if verb != 'p' && verb != 'w' {
			verbs = append(verbs, "%"+string(verb), "%+"+string(verb), "%#"+string(verb), "% "+string(verb), "%-20.3"+string(verb))
		}
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			for _, verb := range verbs {
				mustNotLeak(t, verb, fmt.Sprintf(verb, value))
			}
			mustNotLeak(t, "Sprint", fmt.Sprint(value))
			mustNotLeak(t, "Sprintln", fmt.Sprintln(value, value))
			mustNotLeak(t, "text log", logged(value, func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) }))
			mustNotLeak(t, "JSON log", logged(value, func(w *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(w, nil) }))
			if encoded, err := json.Marshal(value); err == nil {
				mustNotLeak(t, "JSON", string(encoded))
			}
		})
	}
}

func listOf(t *testing.T, tokens ...tokenkeep.Token) *tokenkeep.List {
	t.Helper()
	list, err := tokenkeep.NewList(tokens)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func logged(value any, handler func(*bytes.Buffer) slog.Handler) string {
	var out bytes.Buffer
	logger := slog.New(handler(&out))
	logger.Info("direct", "value", value)
	logger.Info("any", slog.Any("value", value))
	logger.With("value", value).WithGroup("group").Info("with", "nested", struct{ Inner any }{value})
	logger.Info("group", slog.Group("group", slog.Any("value", value)))
	return out.String()
}

func mustNotLeak(t *testing.T, how, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, form := range []string{canary, hex.EncodeToString([]byte(canary)), fmt.Sprintf("% x", canary), fmt.Sprint([]byte(canary))} {
		if strings.Contains(lower, strings.Trim(form, "[]")) {
			t.Errorf("%s gives a credential away: %s", how, text)
			return
		}
	}
}

func TestPrintsTellWhatIsThere(t *testing.T) {
	want := `Token{id: "1042", user_name: "ann@example.com", client_id: "1000.X", client_secret: "[redacted]", ` +
		`redirect_url: "[redacted]", grant_token: "[redacted]", refresh_token: "[redacted]", ` +
		`refresh_expiry_time: "2031-01-02T03:04:05Z", access_token: "[redacted]", expiry_time: "2030-01-02T03:04:05Z", ` +
		`refreshed_at: "2029-01-02T03:04:05Z", api_domain: "https://www.zohoapis.eu", accounts_url: "[redacted]", ` +
		`scopes: "ZohoCRM.modules.ALL", extra: "[redacted]", reauthorize_since: "2028-01-02T03:04:05Z"}`
	token := secretToken()
	for _, got := range []string{
		token.String(), fmt.Sprint(token), fmt.Sprintf("%s", token), fmt.Sprintf("%#v", token), fmt.Sprintf("%q", &token),
	} {
		if got != want {
			t.Errorf("the token prints as\n%s\nwant\n%s", got, want)
		}
	}
	if got := fmt.Sprint(tokenkeep.Token{}); got != "Token{}" {
		t.Errorf("an empty token prints as %s", got)
	}
	for _, got := range []string{
		logged(token, func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) }),
		logged(token, func(w *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(w, nil) }),
	} {
		if !strings.Contains(got, "1042") || !strings.Contains(got, "[redacted]") {
			t.Errorf("the log does not tell which token it is and that it has credentials: %s", got)
		}
	}
}

func TestPrintsOfNoTokenDoNotPanic(t *testing.T) {
	var none *tokenkeep.Token
	if got := fmt.Sprintf("%v", none); got != "<nil>" {
		t.Errorf("a nil token prints as %q", got)
	}
	if got, err := json.Marshal(none); err != nil || string(got) != "null" {
		t.Errorf("a nil token is %s in JSON, error %v", got, err)
	}
}

func TestUnmarshalRefusesWhatMarshalWrote(t *testing.T) {
	for name, value := range map[string]any{
		"a token": secretToken(), "a slice": []tokenkeep.Token{secretToken()},
		"a token whose only secret is extra": tokenkeep.Token{ID: "1", Extra: map[string]string{"k": "v"}},
	} {
		printed, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%s: Marshal: %v", name, err)
		}
		target := any(new(tokenkeep.Token))
		if name == "a slice" {
			target = new([]tokenkeep.Token)
		}
		err = json.Unmarshal(printed, target)
		if !errors.Is(err, tokenkeep.ErrInvalid) {
			t.Errorf("%s: Unmarshal of %s: error %v, want %v", name, printed, err, tokenkeep.ErrInvalid)
		}
	}
}

func TestUnmarshalReadsWhatEncodeTokenWrote(t *testing.T) {
	want := secretToken()
	encoded, err := tokenkeep.EncodeToken(want)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Token, None tokenkeep.Token }
	if err := json.Unmarshal([]byte(`{"Token":`+string(encoded)+`,"None":null}`), &got); err != nil {
		t.Fatal(err)
	}
	if again, err := tokenkeep.EncodeToken(got.Token); err != nil || !bytes.Equal(again, encoded) {
		t.Errorf("EncodeToken after Unmarshal:\n got %s, error %v\nwant %s", again, err, encoded)
	}
	if got.None.String() != "Token{}" {
		t.Errorf("null is %v, want an empty token", got.None)
	}
}

func TestErrorsPrintOperationSecretTokenAndCause(t *testing.T) {
	for _, tt := range []struct {
		err  tokenkeep.Error
		want string
	}{
		{tokenkeep.Error{Op: "get tokens", Err: tokenkeep.ErrQuota}, "tokenkeep: get tokens: quota used up"},
		{tokenkeep.Error{Op: "find token", ID: "a\nb", Err: tokenkeep.ErrNotFound}, `tokenkeep: find token "a\nb": not found`},
		{tokenkeep.Error{Op: "save token", ID: "1", Secret: "crm/t_p1", Err: tokenkeep.ErrTooLarge}, `tokenkeep: save token "1": secret "crm/t_p1": too large`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("Error() = %q, want %q", got, tt.want)
		}
		if !errors.Is(&tt.err, tt.err.Err) {
			t.Errorf("%q does not wrap %q", tt.err.Error(), tt.err.Err)
		}
	}
}
