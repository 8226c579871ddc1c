package gcpsmtest_test

import (
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// conditional has the five calls that honour an etag, on version 1 of the secret s or on the secret.
var conditional = map[string]func(c sm, etag string) error{
	"UpdateSecret": func(c sm, etag string) error {
		_, err := c.update(&secretmanagerpb.Secret{Name: global + "/secrets/s", Etag: etag, Labels: map[string]string{"a": "b"}}, "labels")
		return err
	},
	"DeleteSecret": func(c sm, etag string) error {
		return c.DeleteSecret(c.t.Context(), &secretmanagerpb.DeleteSecretRequest{Name: global + "/secrets/s", Etag: etag})
	},
	"EnableSecretVersion":  onVersion("EnableSecretVersion"),
	"DisableSecretVersion": onVersion("DisableSecretVersion"),
	"DestroySecretVersion": onVersion("DestroySecretVersion"),
}

func onVersion(method string) func(c sm, etag string) error {
	return func(c sm, etag string) error {
		_, err := changes[method](c, global+"/secrets/s/versions/1", etag)
		return err
	}
}

// etags are those of the secret s and its version 1; a call on the secret honours the first.
func etags(c sm, method string) (own, other string) {
	secret, version := c.get(global+"/secrets/s").Etag, c.getVersion(global+"/secrets/s", "1").Etag
	if strings.HasSuffix(method, "Version") {
		return version, secret
	}
	return secret, version
}

func TestFiveCallsHonourTheEtagOfWhatTheyChange(t *testing.T) {
	for method, call := range conditional {
		t.Run(method, func(t *testing.T) {
			c := newClient(t)
			c.mustAdd(c.create("s"), "value")
			own, other := etags(c, method)
			for _, wrong := range []string{other, strings.Trim(own, `"`), own + " ", strings.ToUpper(own) + "X", `"*"`, "*"} {
				wantCode(t, call(c, wrong), codes.FailedPrecondition)
			}
			if still, _ := etags(c, method); still != own {
				t.Errorf("etag %s after mismatches; want %s as before", still, own)
			}
			wantCode(t, call(c, own), codes.OK)
		})
		t.Run(method+" without one", func(t *testing.T) {
			c := newClient(t)
			c.mustAdd(c.create("s"), "value")
			wantCode(t, call(c, ""), codes.OK)
		})
		t.Run(method+" with another code", func(t *testing.T) {
			c := newClient(t, gcpsmtest.WithMismatchCode(codes.Aborted))
			c.mustAdd(c.create("s"), "value")
			wantCode(t, call(c, `"wrong"`), codes.Aborted)
		})
	}
}

func TestAChangeMovesTheEtagOfWhatItChangesAlone(t *testing.T) {
	for method, call := range conditional {
		if method == "DeleteSecret" {
			continue
		}
		t.Run(method, func(t *testing.T) {
			c, _ := newClientWithClock(t) // no time passes
			c.mustAdd(c.create("s"), "value")
			seen := map[string]bool{}
			_, other := etags(c, method)
			for range 3 {
				own, still := etags(c, method)
				if seen[own] || still != other {
					t.Errorf("etag %s, seen before: %t; that of the other %s, before %s", own, seen[own], still, other)
				}
				seen[own] = true
				if method == "DestroySecretVersion" && len(seen) == 2 {
					break
				}
				wantCode(t, call(c, own), codes.OK) // the second one changes nothing else
			}
		})
	}
}

func TestAddingAVersionLeavesTheEtagOfTheSecret(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	before := c.get(secret).Etag
	one := c.mustAdd(secret, "one")
	two := c.mustAdd(secret, "two")
	if after := c.get(secret).Etag; after != before {
		t.Errorf("etag %s after two versions; want %s", after, before)
	}
	if got := c.getVersion(secret, "1").Etag; got != one.Etag || one.Etag == two.Etag || one.Etag == before {
		t.Errorf("etags %s of the secret, %s (answered %s) and %s of its versions; want three, and one for each", before, got, one.Etag, two.Etag)
	}
}

func TestAnEtagIsQuoted(t *testing.T) {
	c := newClient(t)
	secret := c.create("s")
	version := c.mustAdd(secret, "one")
	for _, etag := range []string{c.get(secret).Etag, version.Etag} {
		if !regexp.MustCompile(`^"1[0-9a-f]{13}"$`).MatchString(etag) {
			t.Errorf("etag %s; want a quoted 1 and 13 hexadecimal digits", etag)
		}
	}
}
