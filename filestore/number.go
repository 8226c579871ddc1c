package filestore

import (
	"strconv"

	"github.com/tokenkeep/tokenkeep"
)

// maxNumber is the largest ID that is given: of 15 digits, which also the numbers of JavaScript hold exactly.
const maxNumber = 999_999_999_999_999

// number returns the value of an ID that is a decimal number as it is written here, else 0.
func number(id string) uint64 {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n > maxNumber || formatNumber(n) != id {
		return 0
	}
	return n
}

func formatNumber(n uint64) string { return strconv.FormatUint(n, 10) }

// highest returns the highest number among the IDs, 0 if there is none.
func highest(tokens []tokenkeep.Token) uint64 {
	var n uint64
	for _, t := range tokens {
		n = max(n, number(t.ID))
	}
	return n
}
