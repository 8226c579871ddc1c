package gcpsm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/driver"
)

// written writes numbers of calls as "Access, 2 Get": methods without "Secret", and those of versions with "V".
func written(calls map[string]int) string {
	short := strings.NewReplacer("AccessSecretVersion", "Access", "SecretVersions", "V", "SecretVersion", "V", "Secret", "")
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		part := short.Replace(name)
		if n := calls[name]; n > 1 {
			part = fmt.Sprintf("%d %s", n, part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func TestCallsOfTheDriver(t *testing.T) {
	one := func(b *bench) driver.Revision { return mustPut(b.t, b, "a", "one", "") }
	tests := []struct {
		name   string
		before func(b *bench) driver.Revision
		do     func(b *bench, rev driver.Revision) error
		want   string
	}{
		{"Get", one, func(b *bench, _ driver.Revision) error { _, err := b.Get(b.t.Context(), "a"); return err }, "Access"},
		{"Latest", one, func(b *bench, _ driver.Revision) error { _, err := b.Latest(b.t.Context(), "a"); return err }, "Access, Get"},
		{"GetMany of 2, one absent", one, func(b *bench, _ driver.Revision) error {
			_, err := b.GetMany(b.t.Context(), []string{"a", "b", "a"})
			return err
		}, "Access, 2 Get"},
		{"create", func(*bench) driver.Revision { return "" }, put, "AddV, Create, Update"},
		{"create where one lives", func(b *bench) driver.Revision { one(b); return "" }, loses, "Access, Create, Get"},
		{"put", one, put, "AddV, DestroyV, Update"},
		{"put over another handle's", func(b *bench) driver.Revision { return mustPut(b.t, b.another(), "a", "one", "") }, put, "AddV, DestroyV, ListV, Update"},
		{"put at a revision of Get", func(b *bench) driver.Revision {
			one(b)
			got, _ := b.Get(b.t.Context(), "a")
			return got.Revision
		}, put, "Access, AddV, DestroyV, Get, Update"},
		{"put at an old revision", func(b *bench) driver.Revision {
			rev := one(b)
			mustPut(b.t, b, "a", "two", rev)
			return rev
		}, loses, "Access, AddV, DestroyV, Update"},
		{"put of what is deleted", func(b *bench) driver.Revision {
			rev := one(b)
			if err := b.Delete(b.t.Context(), "a"); err != nil {
				b.t.Fatal(err)
			}
			return rev
		}, loses, "AddV"},
		{"put of what is created again", func(b *bench) driver.Revision {
			rev := mustPut(b.t, b, "a", "two", one(b))
			if err := b.Delete(b.t.Context(), "a"); err != nil {
				b.t.Fatal(err)
			}
			one(b)
			return rev
		}, loses, "AddV, DestroyV"},
		{"delete", one, func(b *bench, _ driver.Revision) error { return b.Delete(b.t.Context(), "a") }, "Delete"},
		{"delete of nothing", func(*bench) driver.Revision { return "" }, func(b *bench, _ driver.Revision) error { return b.Delete(b.t.Context(), "a") }, "Delete"},
		{"Clean", one, func(b *bench, _ driver.Revision) error { _, err := b.Clean(b.t.Context(), "a"); return err }, "Get, ListV"},
		{"Clean of a version left over", func(b *bench) driver.Revision { one(b); b.add("left over"); return "" }, func(b *bench, _ driver.Revision) error { b.cleanLater(); return nil },
			"DestroyV, Get, ListV, Update"},
		{"List", one, func(b *bench, _ driver.Revision) error {
			for _, err := range b.List(b.t.Context()) {
				return err
			}
			return errors.New("nothing is listed")
		}, "Lists"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			rev := tt.before(b)
			b.server.ResetCalls()
			if err := tt.do(b, rev); err != nil {
				t.Errorf("%v", err)
			}
			if got := written(b.server.Calls()); got != tt.want {
				t.Errorf("calls: %s; want %s", got, tt.want)
			}
		})
	}
}

func put(b *bench, rev driver.Revision) error {
	_, err := b.Put(b.t.Context(), "a", []byte("another"), rev)
	return err
}

func loses(b *bench, rev driver.Revision) error {
	if err := put(b, rev); !errors.Is(err, driver.ErrConflict) {
		return fmt.Errorf("Put = %w; want ErrConflict", err)
	}
	return nil
}

func TestCallsOfTheStore(t *testing.T) {
	ann := secretOf("ann")
	ann.ID = "1"
	type act func(ctx context.Context, s *tokenkeep.SecretStore) error
	find := func(query tokenkeep.Token) act {
		return func(ctx context.Context, s *tokenkeep.SecretStore) error {
			_, err := s.FindToken(ctx, query)
			return err
		}
	}
	save := func(token tokenkeep.Token) act {
		return func(ctx context.Context, s *tokenkeep.SecretStore) error {
			_, err := s.SaveToken(ctx, token)
			return err
		}
	}
	list := func(ctx context.Context, s *tokenkeep.SecretStore) error {
		_, err := s.GetTokens(ctx)
		return err
	}
	tests := []struct {
		name       string
		do         act
		cold, warm string
	}{
		{"find by ID", find(tokenkeep.Token{ID: "1"}), "Access", "Access"},
		{"find by user and client", find(tokenkeep.Token{UserName: "bob", ClientID: "web"}), "Access", "Access"},
		{"find by user", find(tokenkeep.Token{UserName: "ann"}), "2 Access, Get", "Access"},
		{"save an access token", save(tokenkeep.Token{ID: "1", AccessToken: "new"}), "Access, AddV, DestroyV, Get, ListV, Update", "AddV, DestroyV, ListV, Update"},
		{"save a new token", save(secretOf("eve")), "Access, 2 AddV, Create, DestroyV, 2 Get, ListV, 2 Update", "2 AddV, Create, DestroyV, ListV, 2 Update"},
		{"delete", func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteToken(ctx, "1") }, "Delete", "Delete"},
		{"list 2", list, "3 Access, 3 Get", "3 Access, 3 Get"},
		{"delete all 2", func(ctx context.Context, s *tokenkeep.SecretStore) error { return s.DeleteTokens(ctx) }, "Access, 2 Delete, Get", "Access, 2 Delete, Get"},
		{"refresh", func(ctx context.Context, s *tokenkeep.SecretStore) error {
			_, err := s.RefreshToken(ctx, "1", tokenkeep.Refresh{
				Good: func(stored tokenkeep.Token) bool { return stored.AccessToken == "refreshed" },
				Ask: func(context.Context, tokenkeep.Token) (tokenkeep.Token, error) {
					return tokenkeep.Token{AccessToken: "refreshed"}, nil
				},
			})
			return err
		}, "Access, 2 AddV, 2 DestroyV, Get, ListV, 2 Update", "2 AddV, 2 DestroyV, ListV, 2 Update"},
	}
	for _, tt := range tests {
		for how, want := range map[string]string{"cold": tt.cold, "warm": tt.warm} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				server := startServer(t)
				client := clientOf(t, server)
				if _, err := newStore(t, client, regional, Options{Prefix: "crm"}).SaveTokens(t.Context(), []tokenkeep.Token{ann, secretOf("bob")}); err != nil {
					t.Fatal(err)
				}
				store := newStore(t, client, regional, Options{Prefix: "crm"})
				if how == "warm" {
					if err := list(t.Context(), store); err != nil {
						t.Fatal(err)
					}
				}
				server.ResetCalls()
				if err := tt.do(t.Context(), store); err != nil {
					t.Fatal(err)
				}
				if got := written(server.Calls()); got != want {
					t.Errorf("calls: %s; want %s", got, want)
				}
			})
		}
	}
}
