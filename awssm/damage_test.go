package awssm_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/awssm"
)

// value reads a secret past the store.
func (a *account) value(name string) string {
	a.t.Helper()
	out, err := a.direct.GetSecretValue(a.t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(a.o.Prefix + "/" + name)})
	if err != nil {
		a.t.Fatal(err)
	}
	return aws.ToString(out.SecretString)
}

// plant writes an existing secret past the store, as a person does in the console.
func (a *account) plant(name, payload string) {
	a.t.Helper()
	_, err := a.direct.PutSecretValue(a.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(a.o.Prefix + "/" + name), SecretString: aws.String(payload),
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

// threeTokens are of ann, bob and cid, with the IDs 1 to 3.
func threeTokens() []tokenkeep.Token {
	var tokens []tokenkeep.Token
	for i, user := range []string{"ann", "bob", "cid"} {
		token := secret(user)
		token.ID = fmt.Sprint(i + 1)
		tokens = append(tokens, token)
	}
	return tokens
}

func TestASecretThatIsNotOursIsReportedAndLeftUntouched(t *testing.T) {
	tests := []struct {
		name    string
		payload func(a *account) string
		want    error
		says    string
	}{
		{"somebody else's text", func(*account) string { return canary }, tokenkeep.ErrForeign, "no JSON of ours"},
		{"somebody else's JSON", func(*account) string { return `{"password": "` + canary + `"}` }, tokenkeep.ErrForeign, "no tokenkeep field"},
		{"a newer format", func(a *account) string {
			return strings.Replace(a.value("t_p2"), `"tokenkeep":1`, `"tokenkeep":2`, 1)
		}, tokenkeep.ErrForeign, "use a newer tokenkeep"},
		{"a copy of another token", func(a *account) string { return a.value("t_p1") }, tokenkeep.ErrForeign, "another token than its name says"},
		{"an index", func(a *account) string { return a.value("i_r") }, tokenkeep.ErrForeign, `not of kind "token"`},
		{"half a token", func(a *account) string { p := a.value("t_p2"); return p[:len(p)/2] }, tokenkeep.ErrDamaged, "not valid JSON"},
		{"a token with a number for a user", func(a *account) string {
			return strings.Replace(a.value("t_p2"), `"user_name":"bob"`, `"user_name":7`, 1)
		}, tokenkeep.ErrDamaged, "user_name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccount(t, awssm.Options{})
			stored := a.save(threeTokens()...)
			payload := tt.payload(a)
			if payload == a.value("t_p2") {
				t.Fatal("the payload is the one that was there")
			}
			a.plant("t_p2", payload)
			s := a.handle()
			got, err := s.GetTokens(t.Context())
			refused(t, "GetTokens", err, tt.want, tt.says, `crm/prod/t_p2`)
			if len(got) != 2 || got[0].ID != stored[0].ID || got[1].ID != stored[2].ID {
				t.Errorf("GetTokens returned %v; want the tokens of ann and cid", got)
			}
			token := tokenkeep.Token{ID: "2", UserName: "bob", AccessToken: canary}
			errs := everyWay(t.Context(), s, token)
			_, errs["UpdateToken"] = s.UpdateToken(t.Context(), "2", func(t tokenkeep.Token) (tokenkeep.Token, error) { return t, nil })
			_, errs["FindToken by user"] = s.FindToken(t.Context(), tokenkeep.Token{UserName: "bob"})
			_, errs["SaveToken by user"] = s.SaveToken(t.Context(), tokenkeep.Token{UserName: "bob", ClientID: "web", AccessToken: canary})
			for what, err := range errs {
				refused(t, what, err, tt.want, tt.says, `crm/prod/t_p2`)
			}
			if n := a.versions("t_p2"); a.value("t_p2") != payload || n != 2 {
				t.Errorf("the secret has changed: %d versions; want 2", n)
			}
			if n := len(a.secrets()); n != 4 {
				t.Errorf("%d secrets; want 4", n)
			}
			if err := saves(tokenkeep.Token{ID: "1", AccessToken: "a2"})(t.Context(), s); err != nil {
				t.Errorf("a save of another token: %v", err)
			}
		})
	}
}

func TestASecretBesideOursIsNeverTouched(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	a.save(threeTokens()...)
	_, err := a.direct.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("crm/prod/notes"), SecretString: aws.String(canary)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.handle().DeleteTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.holds()
	if a.value("notes") != canary {
		t.Error("the secret has changed")
	}
}

func TestADamagedIndexIsNeverAnEmptyList(t *testing.T) {
	tests := []struct {
		name   string
		damage func(payload string) string
		want   error
		says   string
	}{
		{"cut off", func(p string) string { return p[:len(p)/2] }, tokenkeep.ErrDamaged, "not valid JSON"},
		{"cut off after its first word", func(string) string { return `{"tokenkeep"` }, tokenkeep.ErrDamaged, "not valid JSON"},
		{"with a list that is none", func(string) string {
			return `{"tokenkeep":1,"kind":"index","path":"","state":"leaf","entries":7}`
		}, tokenkeep.ErrDamaged, "entries"},
		{"of a newer format", func(p string) string { return strings.Replace(p, `"tokenkeep":1`, `"tokenkeep":2`, 1) }, tokenkeep.ErrForeign, "newer tokenkeep"},
		{"in a state of the future", func(p string) string { return strings.Replace(p, `"state":"leaf"`, `"state":"merged"`, 1) }, tokenkeep.ErrForeign, "newer tokenkeep"},
		{"whose children are missing", func(p string) string { return strings.Replace(p, `"state":"leaf"`, `"state":"moved"`, 1) }, tokenkeep.ErrDamaged, "missing"},
		{"that is another part of it", func(p string) string { return strings.Replace(p, `"path":""`, `"path":"0"`, 1) }, tokenkeep.ErrDamaged, "another part"},
		{"that is somebody else's", func(string) string { return `{}` }, tokenkeep.ErrForeign, "no tokenkeep field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccount(t, awssm.Options{})
			a.save(threeTokens()...)
			whole := a.value("i_r")
			payload := tt.damage(whole)
			a.plant("i_r", payload)
			s := a.handle()
			errs := map[string]error{"DeleteTokens": s.DeleteTokens(t.Context())}
			_, errs["GetTokens"] = s.GetTokens(t.Context())
			_, errs["FindToken"] = s.FindToken(t.Context(), tokenkeep.Token{UserName: "ann"})
			_, errs["FindToken of nobody"] = s.FindToken(t.Context(), tokenkeep.Token{UserName: "zoe"})
			_, errs["SaveToken"] = s.SaveToken(t.Context(), secret("zoe"))
			_, errs["SaveToken with an ID"] = s.SaveToken(t.Context(), tokenkeep.Token{ID: "4", UserName: "zoe", AccessToken: canary})
			for what, err := range errs {
				refused(t, what, err, tt.want, tt.says, "crm/prod/i_r")
			}
			for what, do := range map[string]act{
				"a look-up by ID": finds(tokenkeep.Token{ID: "1"}, "1", "ann"),
				"an update by ID": saves(tokenkeep.Token{ID: "2", AccessToken: "a2"}),
				"a delete":        deletes("3"),
			} {
				if err := do(t.Context(), s); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			if a.value("i_r") != payload {
				t.Error("the index has changed")
			}
			a.plant("i_r", whole)
			if tokens, err := s.GetTokens(t.Context()); err != nil || len(tokens) != 2 {
				t.Errorf("with the index back: %d tokens, error %v; want 2", len(tokens), err)
			}
		})
	}
}

// fill plants entries in the index, with this stamp, until it has at least size bytes.
func (a *account) fill(size int, stamp time.Time) {
	a.t.Helper()
	var index map[string]any
	if err := json.Unmarshal([]byte(a.value("i_r")), &index); err != nil {
		a.t.Fatal(err)
	}
	entries := index["entries"].([]any)
	var payload []byte
	for n := 0; len(payload) < size; n += 10 {
		for i := range 10 {
			entries = append(entries, map[string]any{"id": fmt.Sprintf("gone%05d", n+i), "u": fmt.Sprintf("u%010d", n+i), "s": stamp.UTC().Format(time.RFC3339)})
		}
		index["entries"] = entries
		var err error
		if payload, err = json.Marshal(index); err != nil {
			a.t.Fatal(err)
		}
	}
	a.plant("i_r", string(payload))
}

func TestAFullIndexGrowsAndAllGoesOn(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	stored := a.save(threeTokens()...)
	a.fill(56<<10, time.Now())
	old, s := a.handle(), a.handle()
	if _, err := old.GetTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := saves(secret("zoe"))(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if n := len(a.secrets()); n != 4+16+1 {
		t.Errorf("%d secrets; want four tokens and an index of 17: %q", n, a.secrets())
	}
	if err := saves(tokenkeep.Token{ID: "5", UserName: "yan", AccessToken: canary})(t.Context(), old); err != nil {
		t.Errorf("a save through a handle that has not noticed: %v", err)
	}
	for _, step := range []struct {
		what string
		do   act
	}{
		{"a look-up by user", finds(tokenkeep.Token{UserName: "ann"}, "1", "ann")},
		{"an update", saves(tokenkeep.Token{UserName: "ann", AccessToken: "a2"})},
		{"a new refresh token", saves(tokenkeep.Token{UserName: "ann", RefreshToken: "r2"})},
		{"a look-up by it", finds(tokenkeep.Token{RefreshToken: "r2"}, "1", "ann")},
		{"a rename", saves(tokenkeep.Token{ID: "2", UserName: "bobby"})},
		{"a look-up by the new name", finds(tokenkeep.Token{UserName: "bobby"}, "2", "bobby")},
		{"a delete", deletes("3")},
	} {
		if err := step.do(t.Context(), s); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
	}
	tokens, err := a.handle().GetTokens(t.Context())
	if err != nil || len(tokens) != 4 || tokens[0].ID != stored[0].ID || tokens[1].UserName != "bobby" {
		t.Errorf("GetTokens = %v, error %v; want the tokens of ann, bobby, yan and zoe", tokens, err)
	}
}

func TestAnIndexFullOfOldEntriesMakesRoom(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	a.save(threeTokens()...)
	a.fill(55<<10, time.Now().Add(-25*time.Hour))
	before := len(a.value("i_r"))
	if err := saves(secret("zoe"))(t.Context(), a.handle()); err != nil {
		t.Fatal(err)
	}
	if after := len(a.value("i_r")); after > before-20*40 {
		t.Errorf("the index had %d bytes and has %d; want 20 old entries less", before, after)
	}
	if tokens, err := a.handle().GetTokens(t.Context()); err != nil || len(tokens) != 4 {
		t.Errorf("%d tokens, error %v; want 4", len(tokens), err)
	}
}

func TestDeletingAllTokensADayLaterEmptiesTheIndexWithOneCallMore(t *testing.T) {
	a := newAccount(t, awssm.Options{})
	a.save(threeTokens()...)
	payload := a.value("i_r")
	for stamp := range stamps(payload) {
		payload = strings.ReplaceAll(payload, stamp, time.Now().Add(-25*time.Hour).UTC().Format(time.RFC3339))
	}
	a.plant("i_r", payload)
	a.server.ResetCalls()
	if err := a.handle().DeleteTokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := written(a.server.Calls()), "3 Delete, Get, Put"; got != want {
		t.Errorf("calls: %s; want %s", got, want)
	}
	if len(stamps(a.value("i_r"))) != 0 {
		t.Errorf("the index still lists something: %s", a.value("i_r"))
	}
}

// stamps are the times in an index.
func stamps(index string) map[string]bool {
	found := map[string]bool{}
	for _, part := range strings.Split(index, `"s":"`)[1:] {
		stamp, _, _ := strings.Cut(part, `"`)
		found[stamp] = true
	}
	return found
}
