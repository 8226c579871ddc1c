package drivertest

import (
	"slices"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// recorder is a testing.TB that remembers a failure instead of reporting it.
type recorder struct {
	testing.TB
	mu     sync.Mutex
	failed bool
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(string, ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

// Fatalf panics with the recorder, which fails unwraps; goroutines of a check call Errorf only.
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(r)
}

// fails tells whether a check fails on a driver; a panic of the driver is a failure.
func (p promise) fails(t *testing.T, handle func() driver.Secrets) bool {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if recover() != nil {
				r.Errorf("panic")
			}
		}()
		p.check(r, handle)
	}()
	return r.failed
}

func TestBrokenDriversAreRejected(t *testing.T) {
	tests := []struct {
		name       string
		breakIt    func(b *broken)
		rejectedBy string
	}{
		{"it ignores the revision", ignoreRevision, "a put at a stale revision conflicts and writes nothing"},
		{"it creates over a live secret", createOver, "a create where a secret lives conflicts and writes nothing"},
		{"it says conflict and writes", conflictButWrite, "a put at a stale revision conflicts and writes nothing"},
		{"it checks, then writes", checkThenWrite, "of 16 concurrent writers exactly one wins, and its payload is read"},
		{"its revisions count from 1 in each life", countingRevisions, "a revision read before a delete conflicts with the secret created again"},
		{"its revisions are digests of the payload", digestRevisions, "three lives keep their revisions apart"},
		{"it panics on a foreign revision", panicOnForeign, "a made-up revision conflicts and writes nothing"},
		{"it knows no put again", forgetPuts, "a put sent again is recognised and changes nothing"},
		{"it writes a put again", writeAgain, "a put sent again after a later one overwrites nothing"},
		{"it puts a deleted secret back", resurrect, "a revision read before a delete conflicts"},
		{"it returns the revision it was given", staleRevisionOfPut, "the revision of Put is the one that Latest reads"},
		{"it ignores NotAfter", ignoreNotAfter, "a put after its time conflicts and writes nothing"},
		{"it refuses deletes after NotAfter", deleteNotAfter, "reads and deletes have no such time"},
		{"it fails to delete nothing", deleteNothingFails, "deleting nothing succeeds"},
		{"it deletes by prefix", deleteByPrefix, "deleting one secret leaves the others"},
		{"it empties a secret instead of deleting it", deleteByEmptying, "a deleted secret is absent in every method"},
		{"its GetMany fails on an absent name", failOnAbsent, "45 names, a third of them absent"},
		{"its GetMany reads 20 names", only20, "45 names, a third of them absent"},
		{"it trims payloads", trim, "a payload comes back byte for byte"},
		{"it hands out its own memory", keepCallersBytes, "the payload read belongs to the caller"},
		{"it takes payloads of any size", anySize, "a payload over the limit is ErrTooLarge and writes nothing"},
		{"it shortens names", shortenNames, "a name at the limit works"},
		{"its errors name no secret", bareErrors, "an absent secret is ErrNotFound in Get and Latest"},
		{"its errors show the payload", chattyErrors, "no error text holds a part of a payload"},
		{"it ignores a cancelled context", ignoreContext, "every method of a cancelled context is context.Canceled and does nothing"},
		{"it caches what it reads", cacheReads, "another handle reads what was put"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := failing(t, tt.breakIt); !slices.Contains(got, tt.rejectedBy) {
				t.Errorf("the promises that reject it are %q; want %q among them", got, tt.rejectedBy)
			}
		})
	}
}

// failing lists the promises that a broken driver does not keep.
func failing(t *testing.T, breakIt func(*broken)) []string {
	var sentences []string
	for _, s := range subjects() {
		for _, p := range s.promises {
			mem := &memdriver.Secrets{Bounds: driver.Limits{Payload: 1000, Name: 40}}
			handle := func() driver.Secrets {
				b := &broken{memdriver.Replaced{Secrets: mem}}
				breakIt(b)
				return b
			}
			if p.fails(t, handle) {
				sentences = append(sentences, p.sentence)
			}
		}
	}
	return sentences
}

func TestAnUnbrokenDriverIsAccepted(t *testing.T) {
	if got := failing(t, func(*broken) {}); len(got) != 0 {
		t.Errorf("promises %q reject the correct driver", got)
	}
}
