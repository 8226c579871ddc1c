package doctor_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// broken is a manager that breaks the promises for which it has a function.
type broken struct{ memdriver.Replaced }

// force writes at whatever revision there is.
func (b *broken) force(ctx context.Context, name string, payload []byte) (driver.Revision, error) {
	for {
		live, _ := b.Secrets.Latest(ctx, name)
		if rev, err := b.Secrets.Put(ctx, name, payload, live.Revision); !errors.Is(err, driver.ErrConflict) {
			return rev, err
		}
	}
}

// behind is a read that shows each secret as it was before its last write.
func (b *broken) behind() func(ctx context.Context, name string) (driver.Secret, error) {
	var mu sync.Mutex
	before := map[string]driver.Secret{}
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		was, err := b.Secrets.Latest(ctx, name)
		next, failure := b.Secrets.Put(ctx, name, payload, rev)
		if err == nil && failure == nil {
			mu.Lock()
			defer mu.Unlock()
			before[name] = was
		}
		return next, failure
	}
	return func(ctx context.Context, name string) (driver.Secret, error) {
		is, err := b.Secrets.Latest(ctx, name)
		mu.Lock()
		defer mu.Unlock()
		if was, late := before[name]; late && err == nil {
			return driver.Secret{Payload: was.Payload, Revision: is.Revision}, nil
		}
		return is, err
	}
}

// promises are broken one by one, and these checks must tell. Other lines are about what follows from it.
var promises = []struct {
	name    string
	breakIt func(b *broken)
	check   string
	says    string
	more    []string // other checks that fail
	left    bool     // the manager cannot be cleaned
}{
	{"an update overwrites what is newer", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if rev == "" {
				return b.Secrets.Put(ctx, name, payload, rev)
			}
			return b.force(ctx, name, payload)
		}
	}, "race", "16 wrote, 0 conflicts; only one may", []string{"update", "deleted"}, false},
	{"a race has two winners, of which one is lost", func(b *broken) {
		var racing sync.Map // revisions that lost already
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			next, err := b.Secrets.Put(ctx, name, payload, rev)
			if n, _ := racing.LoadOrStore(rev, new(sync.Once)); err != nil && rev != "" && rev != "made up" {
				if live, failure := b.Secrets.Latest(ctx, name); failure == nil && strings.HasPrefix(string(rev), "mem-") {
					lie := false
					n.(*sync.Once).Do(func() { lie = true })
					if lie {
						return live.Revision, nil
					}
				}
			}
			return next, err
		}
	}, "race", "2 wrote, 14 conflicts; only one may", []string{"update"}, false},
	{"the winner of a race is not what is stored", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			next, err := b.Secrets.Put(ctx, name, payload, rev)
			if err != nil && rev != "" && rev != "made up" {
				if _, failure := b.Secrets.Latest(ctx, name); failure == nil {
					_, _ = b.force(ctx, name, payload)
				}
			}
			return next, err
		}
	}, "race", "not what the winner wrote", []string{"update"}, false},
	{"nobody wins", func(b *broken) {
		done := false // with the check of updates, whose last write is at a made-up revision
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if done && rev != "" {
				return "", driver.ErrConflict
			}
			if rev == "made up" {
				done = true
			}
			return b.Secrets.Put(ctx, name, payload, rev)
		}
	}, "race", "0 wrote, 16 conflicts", []string{"fresh reads"}, false},
	{"a create overwrites", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if rev == "" {
				return b.force(ctx, name, payload)
			}
			return b.Secrets.Put(ctx, name, payload, rev)
		}
	}, "race to create", "16 wrote, 0 conflicts; only one may", []string{"create", "update"}, false},
	{"a create over another ends in another error", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			next, err := b.Secrets.Put(ctx, name, payload, rev)
			if err != nil && rev == "" && len(payload) < 500 {
				err = driver.ErrUnavailable
			}
			return next, err
		}
	}, "create", "should be refused as a conflict", nil, false},
	{"a made-up revision is taken", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if rev == "made up" {
				return b.force(ctx, name, payload)
			}
			return b.Secrets.Put(ctx, name, payload, rev)
		}
	}, "update", "a revision that never was is taken", nil, false},
	{"a conflict has another name", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if rev == "made up" {
				return "", driver.ErrUnavailable
			}
			return b.Secrets.Put(ctx, name, payload, rev)
		}
	}, "update", "should be refused as a conflict: secrets manager unavailable", nil, false},
	{"a refused write is stored", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if rev == "made up" {
				_, _ = b.force(ctx, name, payload)
			}
			return b.Secrets.Put(ctx, name, payload, rev)
		}
	}, "update", "refused is what is stored", nil, false},
	{"Latest is late", func(b *broken) { b.LatestBy = b.behind() }, "fresh reads", "Latest does not show what was just written after 8", []string{"race"}, false},
	{"GetMany is late", func(b *broken) {
		late := b.behind()
		b.GetManyBy = func(ctx context.Context, names []string) (map[string]driver.Secret, error) {
			found, err := b.Secrets.GetMany(ctx, names)
			for name := range found {
				found[name], _ = late(ctx, name)
			}
			return found, err
		}
	}, "fresh reads", "GetMany does not show", nil, false},
	{"a payload is cut", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			return b.Secrets.Put(ctx, name, payload[:min(len(payload), 400)], rev)
		}
	}, "payload", "500 bytes does not come back", nil, false},
	{"payloads of any size are taken", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			return b.Secrets.Put(ctx, name, payload[:min(len(payload), 500)], rev)
		}
	}, "payload", "501 bytes are taken", nil, false},
	{"names are shorter than is said", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if len(name) > 200 {
				return "", driver.ErrInvalid
			}
			return b.Secrets.Put(ctx, name, payload, rev)
		}
	}, "name", "208 bytes: invalid", nil, false},
	{"a delete leaves the secret", func(b *broken) {
		b.DeleteBy = func(context.Context, string) error { return nil }
	}, "left behind", "can still be read", []string{"deleted"}, true},
	{"a deleted secret can be read", func(b *broken) {
		ever := map[string]driver.Secret{}
		b.LatestBy = func(ctx context.Context, name string) (driver.Secret, error) {
			secret, err := b.Secrets.Latest(ctx, name)
			if err == nil {
				ever[name] = secret
			} else if was, is := ever[name]; is {
				return was, nil
			}
			return secret, err
		}
	}, "deleted", "can be read", []string{"left behind"}, false},
	{"a late write brings back what was deleted", func(b *broken) {
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			if _, err := b.Secrets.Latest(ctx, name); err != nil && rev != "made up" {
				rev = ""
			}
			return b.Secrets.Put(ctx, name, payload, rev)
		}
	}, "deleted", "the revision of a deleted secret is taken", nil, false},
	{"the list is late", func(b *broken) {
		b.ListBy = func(context.Context) iter.Seq2[string, error] { return func(func(string, error) bool) {} }
	}, "list", "not among 0 names", nil, false},
	{"the list keeps what is deleted", func(b *broken) {
		var mu sync.Mutex
		ever := map[string]bool{}
		b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
			mu.Lock()
			defer mu.Unlock()
			ever[name] = true
			return b.Secrets.Put(ctx, name, payload, rev)
		}
		b.ListBy = func(context.Context) iter.Seq2[string, error] {
			return func(yield func(string, error) bool) {
				for name := range ever {
					if !yield(name, nil) {
						return
					}
				}
			}
		}
	}, "left behind", "the list still has", nil, false},
	{"what is not there is found", func(b *broken) {
		b.GetBy = func(ctx context.Context, name string) (driver.Secret, error) {
			secret, _ := b.Secrets.Get(ctx, name)
			return secret, nil
		}
	}, "read", "Get finds", nil, false},
	{"nothing answers", func(b *broken) {
		down := func(context.Context, string) (driver.Secret, error) { return driver.Secret{}, driver.ErrUnavailable }
		b.GetBy, b.LatestBy = down, down
		b.DeleteBy = func(context.Context, string) error { return driver.ErrUnavailable }
	}, "read", "unavailable", []string{"read index", "delete"}, false},
}

func TestABrokenPromiseIsTold(t *testing.T) {
	for _, tt := range promises {
		t.Run(tt.name, func(t *testing.T) {
			b := &broken{memdriver.Replaced{Secrets: &memdriver.Secrets{Bounds: driver.Limits{Payload: 500}, Authoritative: true}}}
			tt.breakIt(b)
			got := verdicts(t, doctor.Secrets(t.Context(), b))
			if f := got[tt.check]; f.Verdict != doctor.Failed || !strings.Contains(f.Detail, tt.says) {
				t.Errorf("%s is %s: %s; want it failed, with %q", tt.check, f.Verdict, f.Detail, tt.says)
			}
			failing := map[string]bool{tt.check: true}
			for _, check := range tt.more {
				failing[check] = true
			}
			for check, f := range got {
				if f.Verdict == doctor.Failed && !failing[check] {
					t.Errorf("%s fails too: %s", check, f.Detail)
				}
				if f.Verdict != doctor.Failed && failing[check] {
					t.Errorf("%s is %s: %s; want it failed", check, f.Verdict, f.Detail)
				}
			}
			if left := b.Names(); len(left) > 0 != tt.left {
				t.Errorf("%q are left behind", left)
			}
		})
	}
}

func TestAGetThatIsLateIsNoFailure(t *testing.T) {
	b := &broken{memdriver.Replaced{Secrets: &memdriver.Secrets{}}}
	b.GetBy = b.behind()
	got := verdicts(t, doctor.Secrets(t.Context(), b))
	expect(t, got, nil)
	if !strings.Contains(got["fresh reads"].Detail, "after 8 of 8") {
		t.Errorf("fresh reads: %s; want it said", got["fresh reads"].Detail)
	}
}
