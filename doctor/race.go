package doctor

import (
	"errors"
	"fmt"
	"sync"

	"github.com/tokenkeep/tokenkeep/driver"
)

// together calls f with 0 to 15, all at once, and waits for them.
func together(f func(i int)) {
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range atOnce {
		group.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	group.Wait()
}

// tally counts how a race came out.
type tally struct {
	winners   []int
	conflicts int
	others    int   // who got another error
	other     error // the first of these
}

func (t *tally) add(i int, err error) {
	switch {
	case err == nil:
		t.winners = append(t.winners, i)
	case errors.Is(err, driver.ErrConflict):
		t.conflicts++
	default:
		t.others++
		if t.other == nil {
			t.other = err
		}
	}
}

func (t tally) String() string {
	text := fmt.Sprintf("%d wrote, %s", len(t.winners), plural(t.conflicts, "conflict"))
	if t.others > 0 {
		text += fmt.Sprintf(", %d with another error", t.others)
	}
	return text
}
