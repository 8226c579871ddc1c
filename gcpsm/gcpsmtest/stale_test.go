package gcpsmtest_test

import (
	"fmt"
	"slices"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// lateReads return the number of the newest version that each read that may be late sees.
var lateReads = map[string]func(c sm, secret string) string{
	"GetSecret": func(c sm, secret string) string {
		return fmt.Sprint(c.get(secret).VersionAliases["current"])
	},
	"GetSecretVersion": func(c sm, secret string) string { return last(c.getVersion(secret, "latest").Name) },
	"ListSecrets": func(c sm, _ string) string {
		s, err := c.ListSecrets(c.t.Context(), &secretmanagerpb.ListSecretsRequest{Parent: global}).Next()
		if err != nil {
			c.t.Fatal(err)
		}
		return fmt.Sprint(s.VersionAliases["current"])
	},
	"ListSecretVersions": func(c sm, secret string) string {
		v, err := c.ListSecretVersions(c.t.Context(), &secretmanagerpb.ListSecretVersionsRequest{Parent: secret}).Next()
		if err != nil {
			c.t.Fatal(err)
		}
		return last(v.Name)
	},
	"AccessSecretVersion by alias": func(c sm, secret string) string {
		value, err := c.access(secret, "current")
		if err != nil {
			c.t.Fatal(err)
		}
		return value
	},
	"AccessSecretVersion of latest": func(c sm, secret string) string {
		value, err := c.access(secret, "latest")
		if err != nil {
			c.t.Fatal(err)
		}
		return value
	},
}

// versions makes a secret with three versions, to each of which the alias moves: two commits for each.
func versions(c sm) string {
	secret := c.create("s")
	for i := range int64(3) {
		c.mustAdd(secret, fmt.Sprint(i+1))
		c.alias(secret, "current", i+1)
	}
	return secret
}

func TestReadsAreUpToKCommitsLateAndThenNotLate(t *testing.T) {
	for what, read := range lateReads {
		for k, want := range map[int][]string{
			-1: {"3", "3", "3"}, 0: {"3", "3", "3"}, 2: {"2", "", "3", "2", "", "3"}, 4: {"1", "", "2", "", "3"}, 100: nil,
		} {
			t.Run(fmt.Sprint(what, " ", k), func(t *testing.T) {
				c := newClient(t, gcpsmtest.WithStaleness(k))
				secret := versions(c)
				if k == 100 { // back to when there was no secret
					_, err := c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: secret})
					wantCode(t, err, codes.NotFound)
				}
				for i, w := range want {
					if got := read(c, secret); w != "" && got != w {
						t.Errorf("read %d sees version %s; want %s", i+1, got, w)
					}
				}
			})
		}
	}
}

func TestAccessByNumberAndWritesAreNeverLate(t *testing.T) {
	c := newClient(t, gcpsmtest.WithStaleness(6))
	secret := c.create("s")
	for i := range 3 {
		v := c.mustAdd(secret, fmt.Sprint("value ", i))
		c.wantValue(secret, last(v.Name), fmt.Sprint("value ", i))
	}
	answer := c.mustUpdate(&secretmanagerpb.Secret{Name: secret, VersionAliases: map[string]int64{"current": 3}}, "version_aliases")
	old := answer.Etag
	answer = c.mustUpdate(&secretmanagerpb.Secret{Name: secret, Etag: old}, "labels")
	_, err := c.update(&secretmanagerpb.Secret{Name: secret, Etag: old}, "labels")
	wantCode(t, err, codes.FailedPrecondition)
	c.mustUpdate(&secretmanagerpb.Secret{Name: secret, Etag: answer.Etag}, "labels")
	c.change("Destroy", secret, "1")
	_, err = c.access(secret, "1")
	wantCode(t, err, codes.FailedPrecondition)
	_, err = c.make(global, "s", &secretmanagerpb.Secret{Replication: automatic})
	wantCode(t, err, codes.AlreadyExists)
	c.remove(secret)
	_, err = c.access(secret, "3")
	wantCode(t, err, codes.NotFound)
}

func TestADeletedSecretAndADestroyedVersionMayStillBeSeen(t *testing.T) {
	c := newClient(t, gcpsmtest.WithStaleness(1))
	secret := versions(c)
	c.change("Destroy", secret, "3")
	c.wantValue(secret, "latest", "3")
	_, err := c.access(secret, "latest")
	wantCode(t, err, codes.FailedPrecondition)
	c.remove(secret)
	if v := c.getVersion(secret, "3"); v.State != destroyed {
		t.Errorf("one commit late: %v; want it as it was just before the deletion", v)
	}
	_, err = c.GetSecret(t.Context(), &secretmanagerpb.GetSecretRequest{Name: secret})
	wantCode(t, err, codes.NotFound)
}

func TestRefusedWritesAreNoCommits(t *testing.T) {
	c := newClient(t, gcpsmtest.WithStaleness(1))
	secret := versions(c)
	for range 5 {
		_, err := c.add(secret, "")
		wantCode(t, err, codes.InvalidArgument)
	}
	c.get(secret)
	c.mustUpdate(&secretmanagerpb.Secret{Name: secret, Labels: map[string]string{"new": "label"}}, "labels")
	c.get(secret)
	if s := c.get(secret); s.Labels["new"] != "" {
		t.Error("the first of two reads is not late")
	}
}

func TestRandomStalenessIsThatOfItsSeed(t *testing.T) {
	reads := func(seed uint64) (seen []string) {
		c := newClient(t, gcpsmtest.WithRandomStaleness(4, seed))
		secret := versions(c)
		for range 40 {
			seen = append(seen, lateReads["AccessSecretVersion of latest"](c, secret))
		}
		return seen
	}
	one, again, two := reads(1), reads(1), reads(2)
	if !slices.Equal(one, again) || slices.Equal(one, two) {
		t.Errorf("with the seeds 1, 1 and 2: %q, %q, %q; want the same, the same and another", one, again, two)
	}
	for _, version := range []string{"1", "2", "3"} {
		if !slices.Contains(one, version) {
			t.Errorf("%q has no %s", one, version)
		}
	}
	if c := newClient(t, gcpsmtest.WithRandomStaleness(-1, 1)); lateReads["GetSecret"](c, versions(c)) != "3" {
		t.Error("a read is late with a k below 0")
	}
}
