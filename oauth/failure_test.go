package oauth

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/internal/memdriver"
	"github.com/tokenkeep/tokenkeep/memstore"
)

func TestErrorsOfTheProvider(t *testing.T) {
	tests := []struct {
		name  string
		fail  func(int) *http.Response
		want  error
		class tokenkeep.RefreshFailure
		wait  time.Duration
	}{
		{"refused", always(400, `{"error":"invalid_grant"}`), ErrReauthorize, tokenkeep.Refused, 0},
		{"throttled", func(int) *http.Response {
			resp := respond(429, "")
			resp.Header.Set("Retry-After", "90")
			return resp
		}, ErrThrottled, tokenkeep.Throttled, 90 * time.Second},
		{"wrong client", always(401, `{"error":"invalid_client"}`), nil, tokenkeep.Misconfigured, time.Minute},
		{"out of order", always(503, ""), nil, tokenkeep.Transient, time.Minute},
	}
	for _, tt := range tests {
		for kind, open := range map[string]func() tokenkeep.Store{
			"secret store": func() tokenkeep.Store {
				return tokenkeep.NewSecretStore(&memdriver.Secrets{}, tokenkeep.Options{})
			},
			"plain store": func() tokenkeep.Store { return memstore.New() },
		} {
			t.Run(tt.name+", "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := &endpoint{fail: tt.fail}
					s := expiredSource(t, open(), e)
					failure := wantFailure(t, s, tt.class)
					if tt.want != nil && !errors.Is(failure, tt.want) || failure.RetryAfter != tt.wait {
						t.Errorf("error %v, wait %v; want %v, %v", failure, failure.RetryAfter, tt.want, tt.wait)
					}
					asked := e.count()
					time.Sleep(2 * time.Second)
					wantFailure(t, s, tt.class)
					if n := e.count(); n != asked {
						t.Errorf("%d requests, want %d: nobody asks again so soon", n, asked)
					}
				})
			})
		}
	}
}

// expiredSource is a source of ann's token, which has expired.
func expiredSource(t *testing.T, store tokenkeep.Store, e *endpoint) *Source {
	t.Helper()
	saved, err := store.SaveToken(t.Context(), ann(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return NewSource(store, tokenkeep.Token{ID: saved.ID}, e.options())
}

func wantFailure(t *testing.T, s *Source, class tokenkeep.RefreshFailure) *tokenkeep.RefreshError {
	t.Helper()
	tok, err := s.TokenContext(t.Context())
	var failure *tokenkeep.RefreshError
	if tok != nil || !errors.As(err, &failure) || failure.Failure != class {
		t.Fatalf("token %v, error %v; want class %q", accessOf(tok), err, class)
	}
	return failure
}

func TestAFailingSourceReadsTheStoreOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &memdriver.Secrets{}
		store, id := secretStore(t, secrets, ann(-time.Minute))
		e := &endpoint{fail: always(400, `{"error":"invalid_grant"}`)}
		s := NewSource(store, tokenkeep.Token{ID: id}, e.options())
		_, err := s.Token()
		wantErr(t, err, ErrReauthorize)
		secrets.Calls()
		for range 20 { // in 2 seconds
			_, err := s.Token()
			wantErr(t, err, ErrReauthorize)
			time.Sleep(100 * time.Millisecond)
		}
		if calls := secrets.Calls(); calls["Latest"] > 2 || len(calls) > 1 {
			t.Errorf("calls %v", calls)
		}
		if _, err := store.SaveToken(t.Context(), tokenkeep.Token{ID: id, RefreshToken: "b0"}); err != nil {
			t.Fatal(err)
		}
		e.setFail(nil)
		time.Sleep(time.Second)
		wantToken(t, s, "at2") // after a login all is well
	})
}

// counting is a store that counts its look-ups.
type counting struct {
	tokenkeep.Store
	n int
}

func (c *counting) FindTokenByID(ctx context.Context, id string) (tokenkeep.Token, error) {
	c.n++
	return c.Store.FindTokenByID(ctx, id)
}

func TestAFailingSourceReadsAPlainStoreOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counting{Store: memstore.New()}
		s := expiredSource(t, store, &endpoint{fail: always(429, "")})
		for range 20 { // in 2 seconds
			wantFailure(t, s, tokenkeep.Throttled)
			time.Sleep(100 * time.Millisecond)
		}
		if store.n > 2 {
			t.Errorf("%d look-ups", store.n)
		}
	})
}
