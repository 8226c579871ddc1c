package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tokenkeep/tokenkeep"
)

// bulkSaver is a store that saves many tokens with few writes: one of each index secret for every 1,000, or one of the whole file
// or table, all or nothing.
type bulkSaver interface {
	SaveTokens(ctx context.Context, tokens []tokenkeep.Token) ([]tokenkeep.Token, error)
}

// How many tokens are saved between two steps of the bar: a tenth of all, so that the bar moves and each index secret is
// written about ten times at most; of very many, as many as SaveTokens lists with one write. Of an AWS secret about 100
// versions are kept, and those of the last 24 hours all (Secrets Manager user guide, quotas and PutSecretValue). A file is read
// and written as a whole each time, and a table locked.
const (
	minChunk = 100
	maxChunk = 1000
)

// saving is what became of tokens that were to be saved.
type saving struct {
	saved, failed []string // IDs
	changed       []difference
	errs          []error
}

// save saves tokens that the target does not have. It ends early where no other token can be expected to be saved.
func save(ctx context.Context, target bulkSaver, tokens []tokenkeep.Token, r room, bar *progress) saving {
	o := saving{saved: []string{}}
	bar.add(0)
	defer bar.finish()
	tried := 0
	for chunk := range slices.Chunk(tokens, min(max(len(tokens)/10, minChunk), maxChunk)) {
		saved, err := target.SaveTokens(ctx, r.sent(chunk))
		tried += len(chunk)
		n := o.take(chunk, saved, err, r)
		bar.add(n)
		if n == 0 && hopeless(err) {
			break
		}
	}
	if rest := tokens[tried:]; len(rest) > 0 {
		for _, t := range rest {
			o.failed = append(o.failed, t.ID)
		}
		o.errs = append(o.errs, fmt.Errorf("%s not tried after that; run the copy again, it goes on from here", plural(len(rest), "token")))
	}
	return o
}

// take notes what became of some tokens, and returns how many were saved.
func (o *saving) take(tokens, saved []tokenkeep.Token, err error, r room) (n int) {
	var failed []string
	for i, t := range tokens {
		if saved[i].ID == "" {
			failed = append(failed, t.ID)
			continue
		}
		n++
		o.saved = append(o.saved, t.ID)
		if t, saved := r.cut(t), r.cut(saved[i]); !equal(t, saved) { // somebody else wrote to the target
			o.changed = append(o.changed, difference{tokens[i].ID, differing(t, saved)})
		}
	}
	o.failed = append(o.failed, failed...)
	for i, err := range apart(err) {
		if r.newIDs() && i < len(failed) { // it cannot name an ID that was not sent
			err = fmt.Errorf("token %q: %w", failed[i], err)
		}
		if errors.Is(err, tokenkeep.ErrTooLarge) {
			err = fmt.Errorf("%w; --drop-fields leaves fields behind", err)
		}
		o.errs = append(o.errs, err)
	}
	return n
}

// apart takes joined errors apart.
func apart(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// hopeless reports whether one of some joined errors is about the store, and not about the token that it did not take.
func hopeless(err error) bool {
	return slices.ContainsFunc(apart(err), func(err error) bool {
		return !slices.ContainsFunc([]error{
			tokenkeep.ErrInvalid, tokenkeep.ErrIncomplete, tokenkeep.ErrTooLarge, tokenkeep.ErrConflict, tokenkeep.ErrAmbiguous,
			tokenkeep.ErrForeign, tokenkeep.ErrDamaged,
		}, func(about error) bool { return errors.Is(err, about) })
	})
}

// maxErrors is how many errors of one kind are told, a line for each.
const maxErrors = 20

// atMost joins errors. Of those after the first n it tells only how many they are.
func atMost(n int, errs []error) error {
	if len(errs) > n {
		errs = append(slices.Clone(errs[:n]), more{errs[n:]})
	}
	return errors.Join(errs...)
}

type more struct{ errs []error }

func (m more) Error() string   { return "and " + plural(len(m.errs), "more error") }
func (m more) Unwrap() []error { return m.errs }
