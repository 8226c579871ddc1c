package doctor_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/doctor"
	"github.com/tokenkeep/tokenkeep/filestore"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
	"github.com/tokenkeep/tokenkeep/sqlstore"
)

func TestStoresThatKeepTheirPromisesAreFoundWell(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "tokens.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	table, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]tokenkeep.Store{
		"memory":  memstore.New(),
		"file":    filestore.New(filepath.Join(t.TempDir(), "tokens.csv")),
		"sqlite":  table,
		"secrets": tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{}),
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, verdicts(t, doctor.Store(t.Context(), store)), nil)
			if left, err := store.GetTokens(t.Context()); err != nil || len(left) > 0 {
				t.Errorf("%v are left behind, %v", left, err)
			}
		})
	}
}

// bad is a store that breaks the promises for which it has a function.
type bad struct {
	*memstore.Store
	save   func(ctx context.Context, t tokenkeep.Token) (tokenkeep.Token, error)
	update func(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error)
	delete func(ctx context.Context, id string) error
}

func (b *bad) SaveToken(ctx context.Context, t tokenkeep.Token) (tokenkeep.Token, error) {
	if b.save != nil {
		return b.save(ctx, t)
	}
	return b.Store.SaveToken(ctx, t)
}

func (b *bad) UpdateToken(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	if b.update != nil {
		return b.update(ctx, id, f)
	}
	return b.Store.UpdateToken(ctx, id, f)
}

func (b *bad) DeleteToken(ctx context.Context, id string) error {
	if b.delete != nil {
		return b.delete(ctx, id)
	}
	return b.Store.DeleteToken(ctx, id)
}

func TestABrokenPromiseOfAStoreIsTold(t *testing.T) {
	tests := []struct {
		name    string
		breakIt func(b *bad)
		want    map[string]doctor.Verdict
		says    string
	}{
		{"savers of one user make several tokens", func(b *bad) {
			var n atomic.Int64
			b.save = func(ctx context.Context, token tokenkeep.Token) (tokenkeep.Token, error) {
				if n.Add(1) <= 2 {
					token.ClientID += strings.Repeat("x", int(n.Load()))
				}
				return b.Store.SaveToken(ctx, token)
			}
		}, map[string]doctor.Verdict{"create": doctor.Failed}, "made"},
		{"an update is lost", func(b *bad) {
			var n atomic.Int64
			b.update = func(ctx context.Context, id string, f func(tokenkeep.Token) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
				if n.Add(1) == 3 {
					return b.FindTokenByID(ctx, id)
				}
				return b.Store.UpdateToken(ctx, id, f)
			}
		}, map[string]doctor.Verdict{"update": doctor.Failed}, "not each of them"},
		{"a save is lost", func(b *bad) {
			var n atomic.Int64
			b.save = func(ctx context.Context, token tokenkeep.Token) (tokenkeep.Token, error) {
				if n.Add(1) == 20 {
					return token, nil
				}
				return b.Store.SaveToken(ctx, token)
			}
		}, map[string]doctor.Verdict{"fresh reads": doctor.Failed}, "is not what is read"},
		{"a delete leaves the token", func(b *bad) {
			b.delete = func(context.Context, string) error { return nil }
		}, map[string]doctor.Verdict{"delete": doctor.Failed, "left behind": doctor.Failed}, "tokens of the user"},
		{"a save is denied", func(b *bad) {
			b.save = func(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
				return tokenkeep.Token{}, tokenkeep.ErrPermission
			}
		}, map[string]doctor.Verdict{"create": doctor.Denied, "update": doctor.Unknown, "fresh reads": doctor.Unknown, "delete": doctor.Unknown,
			"job refresh": doctor.Unknown, "job write": doctor.Denied, "job operator": doctor.Unknown}, "permission denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &bad{Store: memstore.New()}
			tt.breakIt(b)
			got := verdicts(t, doctor.Store(t.Context(), b))
			if tt.name == "savers of one user make several tokens" {
				if f := got["create"]; f.Verdict != doctor.Failed || !strings.Contains(f.Detail, tt.says) {
					t.Errorf("%v; want create failed, with %q", f, tt.says)
				}
			} else {
				expect(t, got, tt.want)
			}
			if _, leaves := tt.want["left behind"]; !leaves {
				if left, err := b.GetTokens(t.Context()); err != nil || len(left) > 0 {
					t.Errorf("%v are left behind, %v", left, err)
				}
			}
			said := false
			for check := range tt.want {
				said = said || strings.Contains(got[check].Detail, tt.says)
			}
			if !said {
				t.Errorf("nothing says %q", tt.says)
			}
		})
	}
}

func TestASaveThatTookEffectAlthoughItFailedIsCleaned(t *testing.T) {
	b := &bad{Store: memstore.New()}
	b.save = func(ctx context.Context, token tokenkeep.Token) (tokenkeep.Token, error) {
		_, _ = b.Store.SaveToken(ctx, token)
		return tokenkeep.Token{}, tokenkeep.ErrUnavailable
	}
	got := verdicts(t, doctor.Store(t.Context(), b))
	left, err := b.GetTokens(t.Context())
	if err != nil || len(left) > 0 || got["left behind"].Verdict != doctor.OK || got["create"].Verdict != doctor.Failed {
		t.Errorf("%v are left, create is %v, left behind %v; want create failed and nothing left", left, got["create"], got["left behind"])
	}
}
