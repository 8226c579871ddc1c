package doctor_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

func TestWhatAKilledProcessLeavesIsFoundAndRemovedByTheStore(t *testing.T) {
	dead := false
	b := &broken{memdriver.Replaced{Secrets: &memdriver.Secrets{}}}
	b.DeleteBy = func(ctx context.Context, name string) error {
		if dead {
			return driver.ErrUnavailable
		}
		return b.Secrets.Delete(ctx, name)
	}
	for f := range doctor.Secrets(t.Context(), b) {
		dead = dead || f.Check == "name"
	}
	if len(b.Names()) != 4 {
		t.Fatalf("%q are left; want 4", b.Names())
	}
	store := tokenkeep.NewSecretStore(b.Secrets, tokenkeep.Options{})
	report, err := store.Verify(t.Context())
	if err != nil || len(report.Findings) != 4 {
		t.Fatalf("%v, %v; want 4 findings", report, err)
	}
	for _, f := range report.Findings {
		if f.Problem != tokenkeep.Unusable || !errors.Is(f.Err, tokenkeep.ErrForeign) {
			t.Errorf("%v; want an unusable secret that is foreign", f)
		}
		if err := store.DeleteToken(t.Context(), f.ID); err != nil {
			t.Error(err)
		}
	}
	if left := b.Names(); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}
