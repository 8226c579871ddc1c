package gcpsm

import (
	"context"
	"errors"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/driver/drivertest"
	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
	"github.com/tokenkeep/tokenkeep/storetest"
)

// stale lets reads be up to 3 commits late, at random.
func stale() gcpsmtest.Option { return gcpsmtest.WithRandomStaleness(3, 1) }

// patient is a driver that waits until what it reads is not late any more, which package gcpsm does not promise.
type patient struct{ *secrets }

// patience is how often it looks for what it does not find.
const patience = 60

func (p patient) Get(ctx context.Context, name string) (driver.Secret, error) {
	return p.Latest(ctx, name)
}

func (p patient) Latest(ctx context.Context, name string) (driver.Secret, error) {
	for range patience {
		secret, err := p.secrets.Latest(ctx, name)
		if !errors.Is(err, driver.ErrNotFound) && !errors.Is(err, errNotEnabled) {
			return secret, err
		}
	}
	return p.secrets.Latest(ctx, name)
}

func (p patient) GetMany(ctx context.Context, names []string) (map[string]driver.Secret, error) {
	found := map[string]driver.Secret{}
	var errs []error
	for _, name := range names {
		secret, err := p.Latest(ctx, name)
		if err == nil {
			found[name] = secret
		} else if !errors.Is(err, driver.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	return found, errors.Join(errs...)
}

// Put takes a put that was sent before for a conflict, if what it reads is late.
func (p patient) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	next, err := p.secrets.Put(ctx, name, payload, rev)
	if errors.Is(err, driver.ErrConflict) && ctx.Err() == nil {
		if secret, missing := p.Latest(ctx, name); missing == nil && string(secret.Payload) == string(payload) {
			return secret.Revision, nil
		}
	}
	return next, err
}

// unlisting is a driver whose lists nobody asks for: they may be an hour late.
type unlisting struct {
	driver.Secrets
	driver.Namer
}

// Three promises are weaker there: Get may be late, as everywhere; Latest may miss what another handle has just created, or
// say ErrUnavailable; a put that was sent before may be told to be a conflict.
func TestDriverWhereReadsAreLate(t *testing.T) {
	t.Parallel() // it mostly waits
	client := clientOf(t, startServer(t, stale()))
	drivertest.Run(t, func(t *testing.T) func() driver.Secrets {
		prefix := freshPrefix()
		return func() driver.Secrets {
			p := patient{newDriver(t, client, regional, Options{Prefix: prefix})}
			return unlisting{p, p}
		}
	})
}

func TestStoreWhereReadsAreLate(t *testing.T) {
	t.Parallel() // it mostly waits
	client := clientOf(t, startServer(t, stale()))
	storetest.Run(t, func(t *testing.T) func() tokenkeep.Store {
		prefix := freshPrefix()
		return func() tokenkeep.Store {
			return tokenkeep.NewSecretStore(patient{newDriver(t, client, regional, Options{Prefix: prefix})}, tokenkeep.Options{})
		}
	}, storetest.Limits{})
}

func TestLatestIsNeverWhatWasOverwrittenOrDeleted(t *testing.T) {
	for k := 1; k <= 4; k++ {
		b := newBench(t, gcpsmtest.WithStaleness(k))
		other := b.another()
		rev := mustPut(t, b, "a", "one", "")
		for _, payload := range []string{"two", "three"} {
			rev = mustPut(t, b, "a", payload, rev)
			got, err := other.Latest(t.Context(), "a")
			if err == nil && string(got.Payload) != payload || err != nil && !errors.Is(err, driver.ErrNotFound) && !errors.Is(err, driver.ErrUnavailable) {
				t.Errorf("%d commits late: Latest = %q, %v; want %q, or nothing", k, got.Payload, err, payload)
			}
		}
		if err := b.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if got, err := other.Latest(t.Context(), "a"); !errors.Is(err, driver.ErrNotFound) {
				t.Errorf("%d commits late: Latest of a deleted secret = %q, %v; want ErrNotFound", k, got.Payload, err)
			}
		}
	}
}

func TestAHandleReadsWhatItHasDoneItself(t *testing.T) {
	for k := 1; k <= 4; k++ {
		b := newBench(t, gcpsmtest.WithStaleness(k))
		var rev driver.Revision
		for _, payload := range []string{"one", "two", "three"} {
			rev = mustPut(t, b, "a", payload, rev)
			got, err := b.Get(t.Context(), "a")
			if err != nil || string(got.Payload) != payload {
				t.Errorf("%d commits late: Get = %q, %v; want %q", k, got.Payload, err, payload)
			}
			wantLatest(t, b, "a", payload)
		}
		if err := b.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Get(t.Context(), "a"); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("%d commits late: Get of what it deleted = %q, %v; want ErrNotFound", k, got.Payload, err)
		}
	}
}

// keepVersions lets the next attempts to destroy a version fail.
func (b *bench) keepVersions() {
	for range fewTries {
		b.server.Inject(gcpsmtest.Fault{Method: "DestroySecretVersion"})
	}
}

func TestAHandleDoesNotReadWhatItHasWrittenOver(t *testing.T) {
	for k := 1; k <= 2; k++ {
		b := newBench(t, gcpsmtest.WithStaleness(k))
		rev := mustPut(t, b, "a", "one", "")
		b.keepVersions()
		mustPut(t, b, "a", "two", rev)
		wantLatest(t, b, "a", "two")
	}
}

func TestAVersionThatCouldNotBeDestroyedGoesWithTheNextPut(t *testing.T) {
	b := newBench(t)
	rev := mustPut(t, b, "a", "one", "")
	b.keepVersions()
	rev = mustPut(t, b, "a", "two", rev)
	b.wantLive(2)
	mustPut(t, b, "a", "three", rev)
	b.wantLive(1)
}

func TestAVersionThatALateListDoesNotShowGoesWithTheNextPut(t *testing.T) {
	b := newBench(t, gcpsmtest.WithStaleness(4)) // the first list is that of before version 1
	rev := mustPut(t, b, "a", "one", "")
	other := b.another()
	rev = mustPut(t, other, "a", "two", rev)
	b.wantLive(2)
	mustPut(t, other, "a", "three", rev)
	b.wantLive(1)
}

func TestADeleteThatLeavesTheSecretIsNotMisledByALateList(t *testing.T) {
	for _, k := range []int{2, 4, 6} { // with an odd one, every second read would be late for ever
		for shift := range k + 1 {
			b := newBench(t, gcpsmtest.WithStaleness(k))
			mustPut(t, b, "a", "two", mustPut(t, b, "a", "one", ""))
			for range shift {
				_, _ = b.getSecret(t.Context(), "a", b.reads())
			}
			s := newDriver(t, b.client, regional, Options{Prefix: b.o.Prefix, NoCreate: true})
			if err := s.Delete(t.Context(), "a"); err != nil {
				t.Errorf("%d commits late: Delete = %v; want success", k, err)
			}
			b.wantLive(0)
		}
	}
}
