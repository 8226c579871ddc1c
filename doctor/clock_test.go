package doctor

import (
	"strings"
	"testing"
	"time"
)

func TestHowFarClocksAreApartIsJudgedWithinWhatTheAnswerTook(t *testing.T) {
	sent := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name    string
		answer  time.Duration // after sent, cut to the second
		took    time.Duration
		verdict Verdict
		detail  string
	}{
		{"equal", 0, 0, OK, "500ms (±500ms) behind"},
		{"equal, slowly", 5 * time.Second, 11 * time.Second, OK, "0s (±6s)"},
		{"just under a minute", 58 * time.Second, 0, OK, "behind"},
		{"about a minute", 59500 * time.Millisecond, 0, Unknown, "inexact"},
		{"about a minute, slowly", 0, 2 * time.Minute, Unknown, "inexact"},
		{"over a minute", time.Minute, 0, Failed, "may be done twice"},
		{"over a minute the other way", -2 * time.Minute, 0, Failed, "ahead of"},
		{"just under 23 hours", 23*time.Hour - time.Second, 0, Failed, "may be done twice"},
		{"over 23 hours", 23 * time.Hour, 0, Failed, "unlisted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := compareClocks(sent.Add(tt.answer), sent, tt.took)
			if got.verdict != tt.verdict || !strings.Contains(got.detail, tt.detail) {
				t.Errorf("%v; want %s with %q", got, tt.verdict, tt.detail)
			}
		})
	}
}
