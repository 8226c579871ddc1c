package gcpsmtest_test

import (
	"testing"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

func ttl(d time.Duration) *secretmanagerpb.Secret_Ttl {
	return &secretmanagerpb.Secret_Ttl{Ttl: durationpb.New(d)}
}

func expires(at time.Time) *secretmanagerpb.Secret_ExpireTime {
	return &secretmanagerpb.Secret_ExpireTime{ExpireTime: timestamppb.New(at)}
}

func TestASecretEndsWhenItExpires(t *testing.T) {
	for name, fields := range map[string]*secretmanagerpb.Secret{
		"ttl":         {Replication: automatic, Expiration: ttl(time.Hour)},
		"expire_time": {Replication: automatic, Expiration: expires(epoch.Add(time.Hour))},
	} {
		t.Run(name, func(t *testing.T) {
			c, clock := newClientWithClock(t)
			secret := global + "/secrets/s"
			created, err := c.make(global, "s", fields)
			if err != nil {
				t.Fatal(err)
			}
			if created.GetTtl() != nil || !created.GetExpireTime().AsTime().Equal(epoch.Add(time.Hour)) {
				t.Errorf("expiration %v; want the time and no TTL", created.Expiration)
			}
			c.mustAdd(secret, "value")
			clock.advance(time.Hour - 1)
			c.wantValue(secret, "1", "value")
			clock.advance(1)
			_, err = c.access(secret, "1")
			wantCode(t, err, codes.NotFound)
			c.create("s")
		})
	}
}

func TestAnExpiryIsMovedAndRemovedAndNeverInThePast(t *testing.T) {
	c, clock := newClientWithClock(t)
	secret := c.create("s")
	c.mustUpdate(&secretmanagerpb.Secret{Name: secret, Expiration: ttl(time.Hour)}, "ttl")
	c.mustUpdate(&secretmanagerpb.Secret{Name: secret, Expiration: expires(epoch.Add(2 * time.Hour))}, "expire_time")
	clock.advance(time.Hour)
	c.get(secret)
	for _, past := range []*secretmanagerpb.Secret{
		{Name: secret, Expiration: ttl(0)}, {Name: secret, Expiration: ttl(-1)}, {Name: secret, Expiration: expires(clock.now())},
	} {
		_, err := c.update(past, "ttl")
		wantCode(t, err, codes.InvalidArgument)
	}
	c.mustUpdate(&secretmanagerpb.Secret{Name: secret}, "expire_time")
	clock.advance(24 * time.Hour)
	c.get(secret)
}

// delayed returns a client, its clock and a secret whose two versions take 24 hours to destroy.
func delayed(t *testing.T) (sm, *clock, string) {
	t.Helper()
	c, clock := newClientWithClock(t)
	fields := &secretmanagerpb.Secret{Replication: automatic, VersionDestroyTtl: durationpb.New(24 * time.Hour)}
	if _, err := c.make(global, "s", fields); err != nil {
		t.Fatal(err)
	}
	c.mustAdd(global+"/secrets/s", "one", "two")
	return c, clock, global + "/secrets/s"
}

func TestADelayedDestructionDisablesFirst(t *testing.T) {
	c, clock, secret := delayed(t)
	v := c.change("Destroy", secret, "1")
	if v.State != disabled || !v.ScheduledDestroyTime.AsTime().Equal(epoch.Add(24*time.Hour)) || v.DestroyTime != nil {
		t.Errorf("after Destroy: %v; want it disabled, and scheduled in 24 hours", v)
	}
	clock.advance(24*time.Hour - 1)
	if v := c.getVersion(secret, "1"); v.State != disabled {
		t.Errorf("just before: %v", v)
	}
	clock.advance(1)
	after := c.getVersion(secret, "1")
	if after.State != destroyed || after.ScheduledDestroyTime != nil || !after.DestroyTime.AsTime().Equal(clock.now()) || after.Etag == v.Etag {
		t.Errorf("24 hours later: %v; want it destroyed then, with another etag", after)
	}
	c.wantValue(secret, "2", "two")
	if _, err := c.update(&secretmanagerpb.Secret{Name: secret, VersionDestroyTtl: durationpb.New(0)}, "version_destroy_ttl"); err == nil {
		t.Error("a delay of 0 is accepted")
	}
}

func TestEnablingAndDisablingUndoADelayedDestruction(t *testing.T) {
	c, clock, secret := delayed(t)
	c.change("Destroy", secret, "1")
	c.change("Destroy", secret, "2")
	c.change("Enable", secret, "1")
	if v := c.change("Disable", secret, "2"); v.ScheduledDestroyTime != nil {
		t.Errorf("after Disable: %v; want it scheduled no more", v)
	}
	clock.advance(48 * time.Hour)
	c.wantValue(secret, "1", "one")
	c.change("Enable", secret, "2")
	c.wantValue(secret, "2", "two")
}

// Both are due in the same instant, and the one that is not due yet is not forgotten.
func TestTheClockEndsAllThatIsDue(t *testing.T) {
	c, clock := newClientWithClock(t)
	for id, d := range map[string]time.Duration{"a": time.Hour, "b": time.Hour, "c": 2 * time.Hour} {
		if _, err := c.make(global, id, &secretmanagerpb.Secret{Replication: automatic, Expiration: ttl(d)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"a b c", "c", ""} {
		if got := c.listed(&secretmanagerpb.ListSecretsRequest{Parent: global}); got != want {
			t.Errorf("secrets %q; want %q", got, want)
		}
		clock.advance(time.Hour)
	}
}

func TestANilClockIsTheTime(t *testing.T) {
	c := newClient(t, gcpsmtest.WithClock(nil))
	if age := time.Since(c.get(c.create("s")).CreateTime.AsTime()); age < -time.Minute || age > time.Minute {
		t.Errorf("created %s ago", age)
	}
}
