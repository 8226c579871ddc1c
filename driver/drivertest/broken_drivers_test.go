package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// broken is a correct driver with some methods replaced.
type broken struct{ memdriver.Replaced }

// at is the revision at which a name is, or the zero one.
func (b *broken) at(ctx context.Context, name string) driver.Revision {
	s, _ := b.Secrets.Latest(ctx, name)
	return s.Revision
}

func ignoreRevision(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		return b.Secrets.Put(ctx, name, payload, b.at(ctx, name))
	}
}

func createOver(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if rev == "" {
			rev = b.at(ctx, name)
		}
		return b.Secrets.Put(ctx, name, payload, rev)
	}
}

func conflictButWrite(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		next, err := b.Secrets.Put(ctx, name, payload, rev)
		if errors.Is(err, driver.ErrConflict) {
			_, _ = b.Secrets.Put(ctx, name, payload, b.at(ctx, name))
		}
		return next, err
	}
}

func checkThenWrite(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if b.at(ctx, name) != rev {
			return "", &driver.Error{Op: "Put", Name: name, Err: driver.ErrConflict}
		}
		time.Sleep(time.Millisecond)
		return b.Secrets.Put(ctx, name, payload, b.at(ctx, name))
	}
}

func panicOnForeign(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if rev != "" {
			_ = strings.Split(string(rev), "-")[1]
		}
		return b.Secrets.Put(ctx, name, payload, rev)
	}
}

func forgetPuts(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if b.at(ctx, name) != rev {
			return "", &driver.Error{Op: "Put", Name: name, Err: driver.ErrConflict}
		}
		return b.Secrets.Put(ctx, name, payload, rev)
	}
}

// sent remembers, over all handles of a folder, what breaks when a driver trusts it too far.
var sent sync.Map

func writeAgain(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		key := fmt.Sprintf("%p %s %s %s", b.Secrets, name, payload, rev)
		if _, again := sent.Load(key); again {
			rev = b.at(ctx, name)
		}
		next, err := b.Secrets.Put(ctx, name, payload, rev)
		if err == nil {
			sent.Store(key, true)
		}
		return next, err
	}
}

func resurrect(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		if b.at(ctx, name) == "" {
			rev = ""
		}
		return b.Secrets.Put(ctx, name, payload, rev)
	}
}

func staleRevisionOfPut(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		next, err := b.Secrets.Put(ctx, name, payload, rev)
		if rev != "" && err == nil {
			next = rev
		}
		return next, err
	}
}

func ignoreNotAfter(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		return b.Secrets.Put(driver.WithNotAfter(ctx, time.Now().Add(time.Hour)), name, payload, rev)
	}
}

func deleteNotAfter(b *broken) {
	b.DeleteBy = func(ctx context.Context, name string) error {
		if t, ok := driver.NotAfter(ctx); ok && time.Now().After(t) {
			return &driver.Error{Op: "Delete", Name: name, Err: driver.ErrConflict}
		}
		return b.Secrets.Delete(ctx, name)
	}
}

func deleteNothingFails(b *broken) {
	b.DeleteBy = func(ctx context.Context, name string) error {
		if _, err := b.Secrets.Latest(ctx, name); err != nil {
			return err
		}
		return b.Secrets.Delete(ctx, name)
	}
}

func deleteByPrefix(b *broken) {
	b.DeleteBy = func(ctx context.Context, name string) error {
		for _, n := range b.Secrets.Names() {
			if strings.HasPrefix(n, name) {
				if err := b.Secrets.Delete(ctx, n); err != nil {
					return err
				}
			}
		}
		return b.Secrets.Delete(ctx, name)
	}
}

func deleteByEmptying(b *broken) {
	b.DeleteBy = func(ctx context.Context, name string) error {
		if rev := b.at(ctx, name); rev != "" {
			_, err := b.Secrets.Put(ctx, name, nil, rev)
			return err
		}
		return b.Secrets.Delete(ctx, name)
	}
}

func failOnAbsent(b *broken) {
	b.GetManyBy = func(ctx context.Context, names []string) (map[string]driver.Secret, error) {
		found, err := b.Secrets.GetMany(ctx, names)
		for _, name := range names {
			if _, ok := found[name]; !ok && err == nil {
				err = &driver.Error{Op: "GetMany", Name: name, Err: driver.ErrNotFound}
			}
		}
		return found, err
	}
}

func only20(b *broken) {
	b.GetManyBy = func(ctx context.Context, names []string) (map[string]driver.Secret, error) {
		return b.Secrets.GetMany(ctx, names[:min(20, len(names))])
	}
}

func trim(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		return b.Secrets.Put(ctx, name, bytes.TrimSpace(payload), rev)
	}
}

func keepCallersBytes(b *broken) {
	payloads := map[string][]byte{}
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		payloads[name] = payload
		return b.Secrets.Put(ctx, name, payload, rev)
	}
	b.LatestBy = func(ctx context.Context, name string) (driver.Secret, error) {
		secret, err := b.Secrets.Latest(ctx, name)
		if payload, ok := payloads[name]; ok {
			secret.Payload = payload
		}
		return secret, err
	}
}

func anySize(b *broken) {
	bound := b.Secrets.Bounds.Payload
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		return b.Secrets.Put(ctx, name, payload[:min(bound, len(payload))], rev)
	}
}

func shortenNames(b *broken) {
	short := func(name string) string { return name[:min(39, len(name))] }
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		return b.Secrets.Put(ctx, short(name), payload, rev)
	}
	b.LatestBy = func(ctx context.Context, name string) (driver.Secret, error) {
		return b.Secrets.Latest(ctx, short(name))
	}
}

func bareErrors(b *broken) {
	b.GetBy = func(ctx context.Context, name string) (driver.Secret, error) {
		secret, err := b.Secrets.Get(ctx, name)
		if err != nil {
			err = driver.ErrNotFound
		}
		return secret, err
	}
}

func chattyErrors(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		next, err := b.Secrets.Put(ctx, name, payload, rev)
		if err != nil {
			err = &driver.Error{Op: "Put", Name: name, Err: fmt.Errorf("cannot write %s: %w", payload, err)}
		}
		return next, err
	}
}

func ignoreContext(b *broken) {
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		return b.Secrets.Put(context.WithoutCancel(ctx), name, payload, rev)
	}
}

func cacheReads(b *broken) {
	var mu sync.Mutex
	cache := map[string]driver.Secret{}
	b.LatestBy = func(ctx context.Context, name string) (driver.Secret, error) {
		mu.Lock()
		defer mu.Unlock()
		if secret, ok := cache[name]; ok {
			return secret, nil
		}
		secret, err := b.Secrets.Latest(ctx, name)
		if err == nil {
			cache[name] = secret
		}
		return secret, err
	}
}

// rename makes the revisions of a correct driver something else: name tells what a state is called.
func rename(b *broken, call func(name string, s driver.Secret) driver.Revision) {
	read := func(ctx context.Context, name string) (driver.Secret, error) {
		secret, err := b.Secrets.Latest(ctx, name)
		if err == nil {
			secret.Revision = call(name, secret)
		}
		return secret, err
	}
	b.GetBy, b.LatestBy = read, read
	b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
		live, _ := read(ctx, name)
		if live.Revision != rev {
			return "", &driver.Error{Op: "Put", Name: name, Err: driver.ErrConflict}
		}
		if _, err := b.Secrets.Put(ctx, name, payload, b.at(ctx, name)); err != nil {
			return "", err
		}
		written, err := read(ctx, name)
		return written.Revision, err
	}
}

func digestRevisions(b *broken) {
	rename(b, func(_ string, s driver.Secret) driver.Revision { return driver.Revision(s.Payload) })
}

func countingRevisions(b *broken) {
	var mu sync.Mutex
	counts := map[string]int{}
	counted := map[driver.Revision]driver.Revision{}
	rename(b, func(name string, s driver.Secret) driver.Revision {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := counted[s.Revision]; !ok {
			counts[name]++
			counted[s.Revision] = driver.Revision(strconv.Itoa(counts[name]))
		}
		return counted[s.Revision]
	})
	b.DeleteBy = func(ctx context.Context, name string) error {
		mu.Lock()
		defer mu.Unlock()
		delete(counts, name)
		return b.Secrets.Delete(ctx, name)
	}
}
