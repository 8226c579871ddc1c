package doctor

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tokenkeep/tokenkeep/driver"
)

// Verdict is what a check came to.
type Verdict string

const (
	OK      Verdict = "ok"      // it is as it must be
	Failed  Verdict = "failed"  // a promise is broken, or there is no answer
	Denied  Verdict = "denied"  // a right is missing; which job that rules out is told by the lines about jobs
	Unknown Verdict = "unknown" // it could not be tried
)

// Finding is the result of one check. None of its texts has a credential in it.
type Finding struct {
	// Check is what was looked at: see the package comment. What is about a job is called "job read", "job refresh",
	// "job write" or "job operator".
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"` // one line
}

// result is a Finding of a check that has a name already.
type result struct {
	verdict Verdict
	detail  string
}

func ok(format string, args ...any) result      { return result{OK, fmt.Sprintf(format, args...)} }
func failed(format string, args ...any) result  { return result{Failed, fmt.Sprintf(format, args...)} }
func unknown(format string, args ...any) result { return result{Unknown, fmt.Sprintf(format, args...)} }

// broken says what an error means that should not have come.
func broken(doing string, err error) result {
	if errors.Is(err, driver.ErrPermission) {
		return result{Denied, fmt.Sprintf("%s: %s", doing, line(err))}
	}
	return failed("%s: %s", doing, line(err))
}

// line is an error as one line.
func line(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
