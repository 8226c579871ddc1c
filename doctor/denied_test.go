package doctor_test

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func denied(op, name string) error {
	return &driver.Error{Op: op, Name: name, Err: driver.ErrPermission}
}

// writing are the checks that need a secret of their own.
var writing = []string{"update", "race", "race to create", "fresh reads", "payload", "name", "deleted"}

func untried(more map[string]doctor.Verdict) map[string]doctor.Verdict {
	for _, check := range writing {
		if _, is := more[check]; !is {
			more[check] = doctor.Unknown
		}
	}
	return more
}

func TestAMissingRightIsToldAndWhichJobsItRulesOut(t *testing.T) {
	tests := []struct {
		name string
		deny func(b *broken)
		want map[string]doctor.Verdict
	}{
		{"create", func(b *broken) {
			b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
				return "", denied("Put", name)
			}
		}, untried(map[string]doctor.Verdict{
			"create": doctor.Denied, "job refresh": doctor.Unknown, "job write": doctor.Denied, "job operator": doctor.Unknown,
		})},
		{"update", func(b *broken) {
			b.PutBy = func(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
				if rev != "" {
					return "", denied("Put", name)
				}
				return b.Secrets.Put(ctx, name, payload, rev)
			}
		}, map[string]doctor.Verdict{
			"update": doctor.Denied, "race": doctor.Unknown, "fresh reads": doctor.Denied, "deleted": doctor.Denied,
			"job refresh": doctor.Denied, "job write": doctor.Denied, "job operator": doctor.Denied,
		}},
		{"delete", func(b *broken) {
			b.DeleteBy = func(_ context.Context, name string) error { return denied("Delete", name) }
		}, untried(map[string]doctor.Verdict{
			"delete": doctor.Denied, "create": doctor.Unknown, "job refresh": doctor.Unknown, "job write": doctor.Denied, "job operator": doctor.Denied,
		})},
		{"the index", func(b *broken) {
			b.LatestBy = func(ctx context.Context, name string) (driver.Secret, error) {
				if name == "i_r" {
					return driver.Secret{}, denied("Latest", name)
				}
				return b.Secrets.Latest(ctx, name)
			}
		}, map[string]doctor.Verdict{
			"read index": doctor.Denied, "job read": doctor.Denied, "job refresh": doctor.Denied, "job write": doctor.Denied, "job operator": doctor.Denied,
		}},
		{"list", func(b *broken) {
			b.ListBy = func(context.Context) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) { yield("", driver.ErrPermission) }
			}
		}, map[string]doctor.Verdict{"list": doctor.Denied, "job operator": doctor.Denied}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &broken{memdriver.Replaced{Secrets: &memdriver.Secrets{Authoritative: true}}}
			tt.deny(b)
			expect(t, verdicts(t, doctor.Secrets(t.Context(), b)), tt.want)
			if left := b.Names(); len(left) > 0 {
				t.Errorf("%q are left behind", left)
			}
		})
	}
}

func TestWhereADeleteIsDeniedNothingIsWritten(t *testing.T) {
	b := &broken{memdriver.Replaced{Secrets: &memdriver.Secrets{}}}
	b.DeleteBy = func(_ context.Context, name string) error { return denied("Delete", name) }
	verdicts(t, doctor.Secrets(t.Context(), b))
	if n := b.Calls()["Put"]; n != 0 {
		t.Errorf("%d puts; want none", n)
	}
}

func TestWhatCannotBeRemovedIsNamedWithHowToRemoveIt(t *testing.T) {
	b := &broken{memdriver.Replaced{Secrets: &memdriver.Secrets{}}}
	b.DeleteBy = func(ctx context.Context, name string) error {
		if _, err := b.Secrets.Latest(ctx, name); err == nil {
			return denied("Delete", name)
		}
		return nil
	}
	got := verdicts(t, doctor.Secrets(t.Context(), b))["left behind"]
	left := b.Names()
	if len(left) != 4 {
		t.Fatalf("%d secrets are left; want 4", len(left))
	}
	for _, name := range left {
		if got.Verdict != doctor.Failed || !strings.Contains(got.Detail, name) || !strings.Contains(got.Detail, `tokenkeep delete "tokenkeep doctor `) {
			t.Errorf("%v; want it to name %s and the command that removes it", got, name)
		}
	}
}

// forgetful is a manager in which a delete leaves the name in the list until it is forgotten.
type forgetful struct {
	*memdriver.Secrets
	kept   map[string]bool
	denied bool
}

func (f forgetful) Delete(ctx context.Context, name string) error {
	if _, err := f.Secrets.Latest(ctx, name); err == nil {
		f.kept[name] = true
	}
	return f.Secrets.Delete(ctx, name)
}

func (f forgetful) List(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range append(f.Names(), slices.Collect(maps.Keys(f.kept))...) {
			if !yield(name, nil) {
				return
			}
		}
	}
}

func (f forgetful) Forget(_ context.Context, name string) error {
	if f.denied {
		return denied("Forget", name)
	}
	delete(f.kept, name)
	return nil
}

func (f forgetful) LeavesNames() bool { return true }

// restorable is a manager in which a deleted secret can be restored until it is forgotten, which is denied.
type restorable struct{ forgetful }

func (restorable) LeavesNames() bool { return false }

func TestWhereADeletedSecretCouldBeRestoredNothingIsWritten(t *testing.T) {
	f := restorable{forgetful{&memdriver.Secrets{}, map[string]bool{}, true}}
	expect(t, verdicts(t, doctor.Secrets(t.Context(), f)), untried(map[string]doctor.Verdict{
		"delete": doctor.Denied, "create": doctor.Unknown, "job refresh": doctor.Unknown, "job write": doctor.Denied, "job operator": doctor.Denied,
	}))
	if len(f.kept) > 0 {
		t.Errorf("%v can be restored", f.kept)
	}
}

func TestWithoutTheRightToReadNothingIsWritten(t *testing.T) {
	b := &broken{memdriver.Replaced{Secrets: &memdriver.Secrets{}}}
	b.GetBy = func(_ context.Context, name string) (driver.Secret, error) {
		return driver.Secret{}, denied("Get", name)
	}
	got := verdicts(t, doctor.Secrets(t.Context(), b))
	if n := b.Calls()["Put"]; n != 0 || got["read"].Verdict != doctor.Denied {
		t.Errorf("%d puts, read is %v; want none and denied", n, got["read"])
	}
}

func TestNamesThatADeleteLeavesAreForgottenWhereThatIsAllowed(t *testing.T) {
	for _, no := range []bool{false, true} {
		f := forgetful{&memdriver.Secrets{Authoritative: true}, map[string]bool{}, no}
		got := verdicts(t, doctor.Secrets(t.Context(), f))
		want := map[string]doctor.Verdict{}
		if no {
			want["names"] = doctor.Denied
		}
		expect(t, got, want)
		if no != (len(f.kept) > 0) {
			t.Errorf("denied is %t, and %d names stay", no, len(f.kept))
		}
		for name := range f.kept {
			if !strings.Contains(got["names"].Detail, name) {
				t.Errorf("%s stays, and is not named", name)
			}
		}
	}
}

// rememberer is a manager whose history may not be seen.
type rememberer struct{ *memdriver.Secrets }

func (rememberer) RolledBack(_ context.Context, name string) (bool, error) {
	return false, denied("RolledBack", name)
}

func TestAnOperatorMustSeeTheHistory(t *testing.T) {
	got := verdicts(t, doctor.Secrets(t.Context(), rememberer{&memdriver.Secrets{}}))
	expect(t, got, map[string]doctor.Verdict{"history": doctor.Denied, "job operator": doctor.Denied})
}
