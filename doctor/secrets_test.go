package doctor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func TestAManagerThatKeepsItsPromisesIsFoundWell(t *testing.T) {
	for name, m := range map[string]*memdriver.Secrets{
		"with no limits":                      {},
		"with limits and lists never late":    {Bounds: driver.Limits{Payload: 1000, Name: 300}, Authoritative: true},
		"with names shorter than the longest": {Bounds: driver.Limits{Payload: 500, Name: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, verdicts(t, doctor.Secrets(t.Context(), named{m})), nil)
			if left := m.Names(); len(left) > 0 {
				t.Errorf("%q are left behind", left)
			}
		})
	}
}

func TestTheChecksComeInTheOrderOfTheirDescription(t *testing.T) {
	if got := slices.Collect(doctor.Secrets(t.Context(), &memdriver.Secrets{})); !sameOrder(got) {
		t.Errorf("%v; want %q", got, order)
	}
}

func TestTheCallsAreAsManyAsIsSaid(t *testing.T) {
	m := &memdriver.Secrets{}
	for range doctor.Secrets(t.Context(), m) {
	}
	sum := 0
	for _, n := range m.Calls() {
		sum += n
	}
	if sum < 70 || sum > 100 {
		t.Errorf("%d calls; want about 80", sum)
	}
}

// named has a limit for names, as memdriver does not.
type named struct{ *memdriver.Secrets }

func (n named) Latest(ctx context.Context, name string) (driver.Secret, error) {
	if limit := n.Bounds.Name; limit > 0 && len(name) > limit {
		return driver.Secret{}, &driver.Error{Op: "Latest", Name: name, Err: driver.ErrInvalid}
	}
	return n.Secrets.Latest(ctx, name)
}

func TestNothingIsLeftWhereTheRangeIsLeftEarly(t *testing.T) {
	for n := range order {
		m := &memdriver.Secrets{}
		seen := 0
		for range doctor.Secrets(t.Context(), m) {
			if seen++; seen > n {
				break
			}
		}
		if left := m.Names(); len(left) > 0 {
			t.Errorf("after %s, %q are left behind", order[n], left)
		}
	}
}

func TestNothingIsLeftWhereTheContextEnds(t *testing.T) {
	for n, last := range order[:13] {
		m := &memdriver.Secrets{}
		ctx, cancel := context.WithCancel(t.Context())
		all := map[string]doctor.Finding{}
		for f := range doctor.Secrets(ctx, m) {
			all[f.Check] = f
			if len(all) == n+1 {
				cancel()
			}
		}
		cancel()
		if left := m.Names(); len(left) > 0 || all["left behind"].Verdict != doctor.OK {
			t.Errorf("after %s, %q are left behind: %v", last, left, all["left behind"])
		}
		if next := all[order[n+1]]; next.Verdict != doctor.Unknown {
			t.Errorf("%s was looked at after the context had ended: %v", next.Check, next)
		}
	}
}

// slow is a manager in which a write takes effect after its context has ended, if it is not waited for.
type slow struct {
	*memdriver.Secrets
	cancel context.CancelFunc
}

func (s slow) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	s.cancel()
	if err := ctx.Err(); err != nil {
		_, _ = s.Secrets.Put(context.WithoutCancel(ctx), name, payload, rev)
		return "", err
	}
	return s.Secrets.Put(ctx, name, payload, rev)
}

func TestAWriteThatIsUnderWayIsWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m := &memdriver.Secrets{}
	all := verdicts(t, doctor.Secrets(ctx, slow{m, cancel}))
	if all["create"].Verdict != doctor.Unknown || len(m.Names()) > 0 {
		t.Errorf("create is %v, %q are left; want it cut off and nothing left", all["create"], m.Names())
	}
}

func TestNothingIsLeftWhereTheReaderPanics(t *testing.T) {
	m := &memdriver.Secrets{}
	func() {
		defer func() { _ = recover() }()
		for f := range doctor.Secrets(t.Context(), m) {
			if f.Check == "race" {
				panic("of the test")
			}
		}
	}()
	if left := m.Names(); len(left) > 0 {
		t.Errorf("%q are left behind", left)
	}
}

// skewed is a manager whose clock differs from this machine's.
type skewed struct {
	*memdriver.Secrets
	by  time.Duration
	err error
}

func (s skewed) Time(context.Context) (time.Time, error) {
	return time.Now().Add(s.by).Truncate(time.Second), s.err
}

func TestClocksThatDifferAreTold(t *testing.T) {
	tests := []struct {
		name    string
		manager skewed
		want    doctor.Verdict
	}{
		{"not at all", skewed{}, doctor.OK},
		{"by half a minute", skewed{by: 30 * time.Second}, doctor.OK},
		{"by two minutes", skewed{by: 2 * time.Minute}, doctor.Failed},
		{"by two minutes the other way", skewed{by: -2 * time.Minute}, doctor.Failed},
		{"by a day", skewed{by: 24 * time.Hour}, doctor.Failed},
		{"by what nobody tells", skewed{err: errors.New("no date")}, doctor.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.manager.Secrets = &memdriver.Secrets{}
			expect(t, verdicts(t, doctor.Secrets(t.Context(), tt.manager)), map[string]doctor.Verdict{"clock": tt.want})
		})
	}
}
