package drivertest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep/driver"
)

var racePromises = []promise{
	{"of 16 concurrent creators exactly one wins, and its payload is read", oneCreator},
	{"of 16 concurrent creators right after a delete exactly one wins", oneCreatorAfterDelete},
	{"of 16 concurrent writers exactly one wins, and its payload is read", oneWriter},
	{"8 writers that read and try again lose no update", noLostUpdate},
	{"concurrent deletes all succeed", concurrentDeletes},
}

const racers = 16

// outcome is what one of several concurrent puts got.
type outcome struct {
	payload string
	rev     driver.Revision
	err     error
}

// race puts a payload of its own from each of 16 handles at once.
func race(t testing.TB, handle func() driver.Secrets, name string, rev driver.Revision) []outcome {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	outcomes := make([]outcome, racers)
	for i := range outcomes {
		s, o := handle(), &outcomes[i]
		o.payload = fmt.Sprintf("racer %d of %s", i, name)
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			o.rev, o.err = s.Put(t.Context(), name, []byte(o.payload), rev)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return outcomes
}

// wantOneWinner checks the outcomes of a race, and returns the winner's revision.
func wantOneWinner(t testing.TB, s driver.Secrets, name string, outcomes []outcome) driver.Revision {
	t.Helper()
	var winners []outcome
	for _, o := range outcomes {
		if o.err == nil {
			winners = append(winners, o)
		} else if !errors.Is(o.err, driver.ErrConflict) {
			t.Errorf("a loser got %v; want ErrConflict", o.err)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("%d of %d concurrent puts with one revision succeeded; want exactly 1", len(winners), len(outcomes))
	}
	if got := wantLatest(t, s, name, winners[0].payload); got != winners[0].rev {
		t.Errorf("the winner was told revision %q, Latest has %q", winners[0].rev, got)
	}
	return winners[0].rev
}

func oneCreator(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	for round := range 4 {
		name := fmt.Sprintf("round%d", round)
		wantOneWinner(t, s, name, race(t, handle, name, ""))
	}
}

func oneCreatorAfterDelete(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	old := put(t, s, "a", "one", "")
	for range 2 {
		remove(t, s, "a")
		wantOneWinner(t, s, "a", race(t, handle, "a", ""))
		wantConflict(t, s, "a", "intruder", old)
	}
}

func oneWriter(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	rev := put(t, s, "a", "one", "")
	for range 4 {
		rev = wantOneWinner(t, s, "a", race(t, handle, "a", rev))
	}
}

// noLostUpdate lets each writer add one letter.
func noLostUpdate(t testing.TB, handle func() driver.Secrets) {
	const writers = 8
	first := handle()
	put(t, first, "a", "=", "")
	var done sync.WaitGroup
	for i := range writers {
		s := handle()
		done.Go(func() {
			for range 1000 {
				got, err := s.Latest(t.Context(), "a")
				if err != nil {
					t.Errorf("Latest = %v; want success", err)
					return
				}
				_, err = s.Put(t.Context(), "a", append(got.Payload, byte('a'+i)), got.Revision)
				if !errors.Is(err, driver.ErrConflict) {
					if err != nil {
						t.Errorf("Put = %v; want success or ErrConflict", err)
					}
					return
				}
			}
			t.Errorf("a writer lost 1000 rounds")
		})
	}
	done.Wait()
	got, err := first.Latest(t.Context(), "a")
	if err != nil {
		t.Fatalf("Latest = %v; want success", err)
	}
	letters := slices.Sorted(slices.Values(got.Payload))
	if want := "=abcdefgh"; string(letters) != want {
		t.Errorf("after %d writers added a letter each, the payload has %q; want %q", writers, letters, want)
	}
}

func concurrentDeletes(t testing.TB, handle func() driver.Secrets) {
	s := handle()
	put(t, s, "a", "one", "")
	var done sync.WaitGroup
	for range 4 {
		other := handle()
		done.Go(func() {
			if err := other.Delete(t.Context(), "a"); err != nil {
				t.Errorf("one of several concurrent deletes = %v; want success", err)
			}
		})
	}
	done.Wait()
	wantAbsent(t, s, "a")
}
