package sqlstore

import "strings"

// discreet returns err without what it quotes of a row's values, such as a duplicate in a unique index.
func discreet(err error, written row) error {
	parts := strings.Split(err.Error(), "'")
	for i, part := range parts {
		for column, value := range written {
			if column != idColumn && len(part) > 3 && strings.Contains(value, part) {
				parts[i] = "…"
			}
		}
	}
	return quietError{text: strings.Join(parts, "'"), err: err}
}

// quietError is an error with another text.
type quietError struct {
	text string
	err  error
}

func (e quietError) Error() string { return e.text }

func (e quietError) Unwrap() error { return e.err }
