package zoho

import (
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// The times of processes that wait for one that was killed. The deadline leaves room for a busy machine.
const (
	shortLease    = 3 * time.Second
	shortDeadline = 2500 * time.Millisecond
)

// refreshTimes are when the accounts server was asked to refresh.
type refreshTimes struct {
	mu    sync.Mutex
	times []time.Time
}

func (r *refreshTimes) all() []time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.times }

// newLivingAccounts is an accounts server that goes by the wall clock, like the processes that ask it.
func newLivingAccounts(t *testing.T, o accountsOptions) (*accounts, *refreshTimes) {
	t.Helper()
	var a *accounts
	seen := &refreshTimes{}
	o.delay = func(request string) {
		a.clock.setNow()
		if request == "refresh_token" {
			seen.mu.Lock()
			defer seen.mu.Unlock()
			seen.times = append(seen.times, time.Now())
		}
	}
	a = newAccounts(t, o)
	return a, seen
}

func (c *clock) setNow() { c.mu.Lock(); defer c.mu.Unlock(); c.t = time.Now() }

// afterKill lets a process take the lease and stop at a line, others wait for it, and kills it. It returns what the others
// report, and when they began to wait.
func afterKill(t *testing.T, p part, line string) ([]report, time.Time) {
	t.Helper()
	p.Lease, p.Deadline = shortLease, shortDeadline
	waiters := p.startMany(t, 3)
	p.Stop = line
	p.Lease, p.Deadline = 25*time.Second, 20*time.Second // for itself, the holder has time
	holder := p.startMany(t, 1)[0]
	holder.Signal(t)
	holder.Await(t, lineRead)
	holder.Await(t, line)

	began := time.Now()
	waiters.signal(t)
	waiters.await(t, lineRead)
	holder.Kill()
	return waiters.reports(t), began
}

func TestAHolderKilledBeforeItAsksCostsOneLease(t *testing.T) {
	t.Parallel()
	a, seen := newLivingAccounts(t, accountsOptions{})
	p, _ := a.expired(t, startStore(t).URL)
	reports, began := afterKill(t, p, lineAsking)
	a.oneToken(t, reports)
	times := seen.all()
	if len(times) != 1 {
		t.Fatalf("%d refreshes, want 1 after that which was never sent", len(times))
	}
	if waited := times[0].Sub(began); waited < shortLease {
		t.Errorf("it was refreshed after %v, want not before the lease of %v", waited, shortLease)
	} else {
		t.Logf("it was refreshed after %v; the lease is %v", waited.Round(time.Millisecond), shortLease)
	}
}

func TestAHolderKilledWithTheAnswerIsRecoveredWithinAGrace(t *testing.T) {
	t.Parallel()
	for name, same := range map[string]bool{"a replay brings another successor": false, "a replay brings the same successor": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const grace = 30 * time.Second
			a, seen := newLivingAccounts(t, accountsOptions{rotate: true, grace: grace, sameSuccessor: same})
			p, store := a.expired(t, startStore(t).URL)
			p.Rotates, p.Grace = true, grace
			reports, began := afterKill(t, p, lineAnswered)
			a.oneToken(t, reports)
			times := seen.all()
			if len(times) != 2 || times[1].Sub(began) < shortLease {
				t.Errorf("the refreshes were at %v; want 2, the second one not before the lease that began at %v", times, began)
			}
			stored, err := store.FindToken(t.Context(), tokenkeep.Token{UserName: userEmail})
			if err != nil || stored.Reauthorize != nil {
				t.Fatalf("the stored token is %v, %v", stored, err)
			}
			a.clock.advance(time.Hour)
			if status, got := a.askRefresh(t, stored.RefreshToken); got.Access == "" {
				t.Errorf("the next refresh is %d, %+v; want the login to live on", status, got)
			}
		})
	}
}

func TestAHolderKilledWithTheAnswerEndsTheLoginAloudWithoutAGrace(t *testing.T) {
	t.Parallel()
	a, seen := newLivingAccounts(t, accountsOptions{rotate: true})
	p, store := a.expired(t, startStore(t).URL)
	p.Rotates = true
	reports, _ := afterKill(t, p, lineAnswered)
	for i, r := range reports {
		if !r.Reauthorize || r.Told != 1 || r.Access != "" {
			t.Errorf("process %d: %v; want ErrReauthorize, and OnReauthorize called once", i, r)
		}
	}
	if n := len(seen.all()); n != 2 {
		t.Errorf("%d refreshes, want 2: nobody asks after the refusal", n)
	}
	stored, err := store.FindToken(t.Context(), tokenkeep.Token{UserName: userEmail})
	if err != nil || stored.Reauthorize == nil {
		t.Errorf("the stored token is %v, %v; want one that says that a person must log in", stored, err)
	}
}
