// Package verdict tells whether a helper of tests skips or fails the test that it is called in. It is for tests only.
package verdict

import (
	"fmt"
	"runtime"
	"testing"
)

// spy keeps what is said of a test in place of skipping or failing it.
type spy struct {
	testing.TB
	said string
}

func (s *spy) Skipf(format string, args ...any) { s.say("skipped: ", format, args...) }

func (s *spy) Fatalf(format string, args ...any) { s.say("failed: ", format, args...) }

func (s *spy) say(what, format string, args ...any) {
	s.said = what + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// Of calls f with a test in place of t and returns "skipped: " or "failed: " with what f gave to Skipf or Fatalf, or "".
func Of(t testing.TB, f func(t testing.TB)) string {
	s, done := &spy{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(s)
	}()
	<-done
	return s.said
}
