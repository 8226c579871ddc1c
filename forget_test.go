package tokenkeep

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
)

// rememberer keeps the names of deleted secrets, as Vault does.
type rememberer struct {
	*memdriver.Secrets
	keeps bool
	names map[string]bool
	err   error // of Forget
}

func (r *rememberer) Put(ctx context.Context, name string, payload []byte, rev driver.Revision) (driver.Revision, error) {
	r.names[name] = true
	return r.Secrets.Put(ctx, name, payload, rev)
}

func (r *rememberer) List(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(r.names)) {
			if !yield(name, nil) {
				return
			}
		}
	}
}

func (r *rememberer) Lag() time.Duration { return 0 }

func (r *rememberer) LeavesNames() bool { return r.keeps }

func (r *rememberer) Forget(_ context.Context, name string) error {
	if r.err == nil {
		delete(r.names, name)
	}
	return r.err
}

func TestForgetDeletedRemovesTheNamesOfDeletedTokensAndNoOther(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		r := &rememberer{Secrets: &memdriver.Secrets{}, keeps: keeps, names: map[string]bool{}}
		s := NewSecretStore(r, Options{})
		for _, id := range []string{"alive", "damaged", "gone", "gone too"} {
			mustSave(t, s, Token{ID: id, UserName: id, RefreshToken: "canary-" + id})
		}
		for _, id := range []string{"gone", "gone too"} {
			if err := s.DeleteToken(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		damaged, err := r.Latest(t.Context(), SecretName("damaged"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Put(t.Context(), SecretName("damaged"), []byte("{"), damaged.Revision); err != nil {
			t.Fatal(err)
		}
		r.names["t_elsewhere"] = true // of no token

		want := slices.Sorted(maps.Keys(r.names))
		r.err = driver.ErrPermission
		n, err := s.ForgetDeleted(t.Context())
		if n != 0 || keeps && (!errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "gone too")) || !keeps && err != nil {
			t.Errorf("where names are kept (%v) and stay: %d, %v", keeps, n, err)
		}
		r.err = nil
		forgotten := 0
		if keeps {
			forgotten = 2
			want = []string{"i_r", "t_elsewhere", SecretName("alive"), SecretName("damaged")}
		}
		if n, err := s.ForgetDeleted(t.Context()); n != forgotten || err != nil {
			t.Errorf("where names are kept (%v): %d forgotten, %v; want %d", keeps, n, err, forgotten)
		}
		if got := slices.Sorted(maps.Keys(r.names)); !slices.Equal(got, want) {
			t.Errorf("where names are kept (%v), the names are %q; want %q", keeps, got, want)
		}
	}
}
