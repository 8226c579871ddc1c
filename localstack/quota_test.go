package localstack_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const day = 24 * time.Hour

func version(i int) string { return fmt.Sprintf("version-%024d", i) }

// fill makes a secret with n versions, from version(0) on, between which d passes.
func (c sm) fill(id string, n int, clock *clock, d time.Duration) {
	c.t.Helper()
	if _, err := c.CreateSecret(c.t.Context(), &secretsmanager.CreateSecretInput{Name: &id}); err != nil {
		c.t.Fatal(err)
	}
	for i := range n {
		if i > 0 {
			clock.advance(d)
		}
		c.mustPut(id, version(i), "value")
	}
}

// versions returns the IDs of all versions of a secret, oldest first.
func (c sm) versions(id string) (ids []string) {
	c.t.Helper()
	in := &secretsmanager.ListSecretVersionIdsInput{SecretId: &id, IncludeDeprecated: aws.Bool(true)}
	for pager := secretsmanager.NewListSecretVersionIdsPaginator(c, in); pager.HasMorePages(); {
		out, err := pager.NextPage(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, v := range out.Versions {
			ids = append(ids, aws.ToString(v.VersionId))
		}
	}
	return ids
}

func (c sm) update(id, token, value string) error {
	in := &secretsmanager.UpdateSecretInput{SecretId: &id, ClientRequestToken: optional(token), SecretString: optional(value)}
	_, err := c.UpdateSecret(c.t.Context(), in)
	return err
}

func TestASecretHasAtMost100VersionsOfADay(t *testing.T) {
	tests := []struct {
		name    string
		n       int           // versions that there are
		between time.Duration // that passes between them
		after   time.Duration // that passes after the last
		keep    int           // the oldest ones that have a label
		want    string
		removed int // the one that is gone, if the write succeeds; -1 is none
	}{
		{"the 100th version", 99, 0, 0, 0, "", -1},
		{"the 101st at the same time", 100, 0, 0, 0, "LimitExceededException", 0},
		{"the 101st a moment before a day is over", 100, 0, day - time.Millisecond, 0, "LimitExceededException", 0},
		{"the 101st after a day", 100, 0, day, 0, "", 0},
		{"only the oldest is a day old", 100, time.Minute, day - 99*time.Minute, 0, "", 0},
		{"the oldest is nearly a day old", 100, time.Minute, day - 99*time.Minute - time.Millisecond, 0, "LimitExceededException", 0},
		{"the oldest is a day old and has a label", 100, time.Minute, day - 99*time.Minute, 1, "LimitExceededException", 0},
		{"the oldest without a label is the third", 100, time.Minute, day - 97*time.Minute, 2, "", 2},
		{"versions of days that are no more than 100", 99, time.Hour, day, 0, "", -1},
	}
	for _, tt := range tests {
		for _, action := range []string{"PutSecretValue", "UpdateSecret"} {
			t.Run(action+": "+tt.name, func(t *testing.T) {
				c, clock := newClientWithClock(t)
				c.fill("a", tt.n, clock, tt.between)
				for i := range tt.keep {
					if err := c.move("a", fmt.Sprint("KEEP", i), version(i), ""); err != nil {
						t.Fatal(err)
					}
				}
				clock.advance(tt.after)
				write := map[string]func() error{
					"PutSecretValue": func() error { return c.put("a", v1, "next") },
					"UpdateSecret":   func() error { return c.update("a", v1, "next") },
				}
				wantCode(t, write[action](), tt.want)
				want := map[bool]string{true: "next", false: "value"}[tt.want == ""]
				c.wantValue("a", want)
				got := c.versions("a")
				if len(got) != 100 {
					t.Errorf("%d versions; want 100", len(got))
				}
				left := map[string]bool{}
				for _, id := range got {
					left[id] = true
				}
				for i := range tt.n {
					if gone := tt.want == "" && i == tt.removed; left[version(i)] == gone {
						t.Errorf("version %d is there: %t; want %t", i, !gone, gone)
					}
				}
			})
		}
	}
}

func TestVersionsAreListedInOrderAfterSomeWereRemoved(t *testing.T) {
	c, clock := newClientWithClock(t)
	c.fill("a", 103, clock, day)
	got := c.versions("a")
	if len(got) != 100 || got[0] != version(3) || got[99] != version(102) {
		t.Errorf("%d versions from %s to %s; want 100 from %s to %s", len(got), got[0], got[len(got)-1], version(3), version(102))
	}
}

func TestWhatMakesNoVersionWorksAtTheQuota(t *testing.T) {
	c, clock := newClientWithClock(t)
	c.fill("a", 100, clock, 0)
	wantCode(t, c.put("a", v1, "next"), "LimitExceededException")
	wantCode(t, c.put("a", version(7), "value"), "")
	wantCode(t, c.put("a", version(7), "other"), "ResourceExistsException")
	wantCode(t, c.move("a", "AWSCURRENT", version(7), version(99)), "")
	_, err := c.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: aws.String("a"), Description: aws.String("d")})
	wantCode(t, err, "")
	c.create("b", "another secret has a quota of its own")
}

// Who derives the next token from a version read long ago finds it free: the version that had taken it may be gone.
func TestTheTokenOfARemovedVersionIsFree(t *testing.T) {
	c, clock := newClientWithClock(t)
	c.fill("a", 100, clock, 0)
	wantCode(t, c.put("a", version(0), "another"), "ResourceExistsException")
	clock.advance(day)
	wantCode(t, c.put("a", version(0), "another"), "ResourceExistsException")
	c.mustPut("a", v1, "next") // removes version 0
	wantCode(t, c.put("a", version(1), "another"), "ResourceExistsException")
	c.mustPut("a", version(0), "another")
	c.wantValue("a", "another")
}
