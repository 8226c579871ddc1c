//go:build !race

package tokenkeep

import (
	"slices"
	"strings"
	"time"
)

// choice is something that can happen next.
type choice struct {
	what   string // go, crash, lose, fly, land, tick
	by     *actor
	flight int
	tick   time.Duration
}

// choices returns all that can happen next.
func (r *run) choices() []choice {
	var all []choice
	fault := func(kind string) bool { return r.faults > 0 && strings.Contains(r.sc.kinds, kind) }
	running := r.last != nil && r.last.pending != nil && !r.last.done
	active := false
	for _, a := range r.actors {
		if a.done {
			continue
		}
		active = true
		if a.pending.verb == "wait" && a.pending.seen == r.changes {
			continue // nothing has happened that it could see
		}
		if r.sc.preempt > 0 && running && a != r.last && r.preempts >= r.sc.preempt {
			continue
		}
		all = append(all, choice{what: "go", by: a})
		if slices.Contains([]string{"read", "begin", "wait"}, a.pending.verb) {
			continue // a crash after a read is one after the write before it
		}
		if fault("c") {
			all = append(all, choice{what: "crash", by: a})
		}
		if fault("l") && !a.pending.resent {
			all = append(all, choice{what: "lose", by: a})
		}
		if fault("f") && !a.pending.resent && a.pending.verb != "delete" {
			all = append(all, choice{what: "fly", by: a})
		}
	}
	for i := range r.flying {
		all = append(all, choice{what: "land", flight: i})
	}
	if active && len(all) == 0 {
		return []choice{{what: "tick", tick: 30 * time.Second}} // all wait for something: time goes on, which is no fault
	}
	if active && fault("t") {
		for _, d := range r.sc.ticks {
			all = append(all, choice{what: "tick", tick: d})
		}
	}
	return all
}
