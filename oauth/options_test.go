package oauth

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/memstore"
)

func TestOptions(t *testing.T) {
	with := func(traits Traits) Options { return Options{Provider: NewConfigProvider(nil, traits, nil)} }
	tests := []struct {
		name                    string
		options                 Options
		lease, deadline, margin time.Duration
		invalid                 bool
	}{
		{"a Config, of which nothing is known", Options{Config: &oauth2.Config{}}, 2 * time.Minute, 10 * time.Second, 5 * time.Minute, false},
		{"a Config with a grace", Options{Config: &oauth2.Config{}, Grace: time.Minute}, 25 * time.Second, 10 * time.Second, 5 * time.Minute, false},
		{"a provider that does not rotate", with(Traits{}), 25 * time.Second, 10 * time.Second, 5 * time.Minute, false},
		{"a short grace", with(Traits{Rotates: true, Grace: 6 * time.Second}), 5 * time.Second, 4 * time.Second, 5 * time.Minute, false},
		{"a provider that ends old tokens", with(Traits{KillsOldTokens: true}), 25 * time.Second, 10 * time.Second, 0, false},
		{"no early refresh", Options{Config: &oauth2.Config{}, Margin: -1}, 2 * time.Minute, 10 * time.Second, 0, false},
		{"a long deadline", Options{Config: &oauth2.Config{}, Deadline: 4 * time.Minute}, 5 * time.Minute, 4 * time.Minute, 12*time.Minute + 30*time.Second, false},
		{"a short lease", Options{Config: &oauth2.Config{}, Lease: 5 * time.Second}, 5 * time.Second, 4 * time.Second, 5 * time.Minute, false},
		{"neither", Options{}, 0, 0, 0, true},
		{"both", Options{Config: &oauth2.Config{}, Provider: NewConfigProvider(nil, Traits{}, nil)}, 0, 0, 0, true},
		{"a lease that is no longer than the deadline", Options{Config: &oauth2.Config{}, Lease: time.Second, Deadline: time.Second}, 0, 0, 0, true},
		{"a lease that is no shorter than the grace", Options{Config: &oauth2.Config{}, Lease: time.Minute, Grace: time.Minute}, 0, 0, 0, true},
		{"a deadline that leaves no room in the grace", Options{Config: &oauth2.Config{}, Deadline: 30 * time.Second, Grace: 30 * time.Second}, 0, 0, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.options.settle()
			if tt.invalid {
				if _, err := NewSource(memstore.New(), tokenkeep.Token{}, tt.options).Token(); !errors.Is(err, tokenkeep.ErrInvalid) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || got.Lease != tt.lease || got.Deadline != tt.deadline || got.Margin != tt.margin {
				t.Errorf("lease %v, deadline %v, margin %v, error %v; want %v, %v, %v", got.Lease, got.Deadline, got.Margin, err, tt.lease, tt.deadline, tt.margin)
			}
		})
	}
	if _, err := NewSource(nil, tokenkeep.Token{}, Options{Config: &oauth2.Config{}}).Token(); !errors.Is(err, tokenkeep.ErrInvalid) {
		t.Errorf("without a store: %v", err)
	}
}

func TestTheMarginIsJittered(t *testing.T) {
	token := tokenkeep.Token{AccessToken: "at", ExpiresAt: time.Now().Add(time.Hour)}
	seen := map[time.Time]bool{}
	for range 50 {
		at := NewSource(memstore.New(), tokenkeep.Token{}, Options{Config: &oauth2.Config{}}).staleAt(token)
		if early := token.ExpiresAt.Sub(at); early < defaultMargin/2 || early > defaultMargin {
			t.Fatalf("refreshed %v early", early)
		}
		seen[at] = true
	}
	if len(seen) < 2 {
		t.Error("all sources refresh at one time")
	}
}
