package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep"
	"github.com/tokenkeep/tokenkeep/oauth"
)

func TestTheExitStatusTellsWhatKindOfErrorItWas(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"found by cobra", errors.New("unknown flag"), 2},
		{"usage", failure{usage("no store is named")}, 2},
		{"invalid", failure{fmt.Errorf("save: %w", tokenkeep.ErrInvalid)}, 2},
		{"incomplete", failure{tokenkeep.ErrIncomplete}, 2},
		{"not found", failure{&tokenkeep.Error{Op: "find token", Err: tokenkeep.ErrNotFound}}, 3},
		{"ambiguous", failure{tokenkeep.ErrAmbiguous}, 4},
		{"conflict among others", failure{errors.Join(tokenkeep.ErrUnavailable, tokenkeep.ErrConflict)}, 4},
		{"login needed", failure{fmt.Errorf("refresh: %w", oauth.ErrReauthorize)}, 5},
		{"problems", failure{fmt.Errorf("2 problems: %w", errProblems)}, 6},
		{"unavailable", failure{tokenkeep.ErrUnavailable}, 1},
		{"permission", failure{tokenkeep.ErrPermission}, 1},
		{"interrupted", failure{context.Canceled}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitStatus(tt.err); got != tt.want {
				t.Errorf("exit status %d; want %d", got, tt.want)
			}
		})
	}
}

func TestAFilterPassesWhatItSays(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	day, week := span{24 * time.Hour, true}, span{7 * 24 * time.Hour, true}
	tests := []struct {
		name   string
		filter filter
		token  tokenkeep.Token
		want   bool
	}{
		{"no filter", filter{}, tokenkeep.Token{}, true},
		{"access token ends in time", filter{expiring: day}, tokenkeep.Token{ExpiresAt: ago(-time.Hour)}, true},
		{"access token ends later", filter{expiring: day}, tokenkeep.Token{ExpiresAt: ago(-25 * time.Hour)}, false},
		{"access token has ended", filter{expiring: span{0, true}}, tokenkeep.Token{ExpiresAt: ago(time.Hour)}, true},
		{"refresh token ends in time", filter{expiring: day}, tokenkeep.Token{RefreshExpiresAt: ago(-time.Hour)}, true},
		{"no end is known", filter{expiring: day}, tokenkeep.Token{}, false},
		{"refreshed long ago", filter{idle: week}, tokenkeep.Token{RefreshedAt: ago(8 * 24 * time.Hour)}, true},
		{"refreshed lately", filter{idle: week}, tokenkeep.Token{RefreshedAt: ago(24 * time.Hour)}, false},
		{"never refreshed and long ended", filter{idle: week}, tokenkeep.Token{ExpiresAt: ago(8 * 24 * time.Hour)}, true},
		{"refreshed long ago and still good", filter{idle: week},
			tokenkeep.Token{RefreshedAt: ago(8 * 24 * time.Hour), ExpiresAt: ago(time.Hour)}, false},
		{"nothing is known", filter{idle: week}, tokenkeep.Token{}, false},
		{"no login needed", filter{needsLogin: true}, tokenkeep.Token{}, false},
		{"login needed", filter{needsLogin: true}, tokenkeep.Token{Reauthorize: &tokenkeep.Reauthorize{}}, true},
		{"one of two filters", filter{needsLogin: true, expiring: day}, tokenkeep.Token{Reauthorize: &tokenkeep.Reauthorize{}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.filter.passes(tt.token, now); got != tt.want {
				t.Errorf("passes: %t; want %t", got, tt.want)
			}
		})
	}
}

func TestASpanTakesDaysAndGoDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"90m": 90 * time.Minute, "0s": 0, "30d": 720 * time.Hour, "36500d": 36500 * 24 * time.Hour} {
		var s span
		if err := s.Set(text); err != nil || s.Duration != want || !s.set {
			t.Errorf("%q is %v, %v; want %v", text, s.Duration, err, want)
		}
	}
	for _, text := range []string{"", "d", "30", "-1h", "-1d", "1.5d", "36501d", "99999999d", "900000h", "soon"} {
		if err := new(span).Set(text); err == nil {
			t.Errorf("%q is taken; want an error", text)
		}
	}
}

func TestEveryCommandHasAnExampleOfItself(t *testing.T) {
	root := newRoot()
	for _, cmd := range root.Commands() {
		if !strings.HasPrefix(cmd.Example, "  tokenkeep "+cmd.Name()) || cmd.Long == "" && !cmd.HasSubCommands() {
			t.Errorf("%s has the example %q and a text of %d bytes; want both", cmd.Name(), cmd.Example, len(cmd.Long))
		}
		if got := command(t, cmd.Name(), "--help"); got.status != 0 || !strings.Contains(got.stdout, "--json") {
			t.Errorf("%s --help: status %d, %q; want 0 and the flag --json", cmd.Name(), got.status, got.stdout)
		}
	}
}
