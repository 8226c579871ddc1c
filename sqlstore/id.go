package sqlstore

import (
	"fmt"
	"regexp"
	"strconv"
	"sync/atomic"

	"github.com/tokenkeep/tokenkeep"
)

// decimal are the IDs of new tokens, which also the numbers of JavaScript hold exactly.
var decimal = regexp.MustCompile(`^[1-9][0-9]{0,14}$`)

// checkNewID refuses an ID that is in no row and is no decimal number: Zoho's SDKs add one to the IDs that are there.
func checkNewID(l *tokenkeep.List, id string) error {
	if id == "" || decimal.MatchString(id) {
		return nil
	}
	if _, err := l.FindByID(id); err == nil {
		return nil
	}
	return fmt.Errorf("the ID is to be a decimal number of at most 15 digits in Zoho's table, or empty for the next one; "+
		"this one is not, and in no row: %w", tokenkeep.ErrInvalid)
}

// highest is the highest decimal ID that a store has met.
type highest struct{ n atomic.Uint64 }

// next returns an ID above those of rows, and above those that it met before, also if they are gone. It passes over IDs of
// more than nine digits: one above them might not fit Zoho's column.
func (h *highest) next(rows map[string]row) string {
	used := func(n uint64) bool { _, ok := rows[strconv.FormatUint(n, 10)]; return ok }
	n := h.n.Load()
	for id := range rows {
		if number, err := strconv.ParseUint(id, 10, 64); err == nil && number < 1e9 {
			n = max(n, number)
		}
	}
	for n++; used(n); {
		n++
	}
	for old := h.n.Load(); old < n && !h.n.CompareAndSwap(old, n); {
		old = h.n.Load()
	}
	return strconv.FormatUint(n, 10)
}
