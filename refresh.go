package tokenkeep

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"reflect"
	"time"

	"github.com/tokenkeep/tokenkeep/driver"
)

const (
	defaultDeadline = 20 * time.Second
	defaultLease    = 25 * time.Second
	// leaseSkew is by how much clocks may differ before a living lease looks dead by its wall time.
	leaseSkew = time.Minute
	// pollPause is the longest pause of a waiter between two looks at the token.
	pollPause = time.Second
	// readPause is how long a token that was just read will do for a first look.
	readPause = time.Second
	// commitTime is how long a commit that the store refuses is repeated before it is handed to the caller.
	commitTime = 10 * time.Second
)

// RefreshToken returns the token with this ID as soon as it is good; see [Refresher].
//
// AWS Secrets Manager: a refresh is 3 calls, or 2 for a token that this handle has read within a second: read, lease,
// commit. Who waits for another process reads about twice a second.
func (s *SecretStore) RefreshToken(ctx context.Context, id string, r Refresh) (Token, error) {
	if r.Deadline <= 0 {
		r.Deadline = defaultDeadline
	}
	if r.Lease <= 0 {
		r.Lease = defaultLease
	}
	err := s.check(Token{ID: id})
	switch {
	case err == nil && id == "":
		err = ErrNotFound
	case err == nil && r.Lease <= r.Deadline:
		err = fmt.Errorf("the lease of %v must be longer than the deadline of %v: %w", r.Lease, r.Deadline, ErrInvalid)
	}
	var t Token
	if err == nil {
		t, err = (&refreshing{SecretStore: s, Refresh: r, id: id}).run(ctx)
	}
	if err != nil {
		err = s.fail("refresh token", id, err)
	}
	return t, err
}

// refreshing is one call of RefreshToken.
type refreshing struct {
	*SecretStore
	Refresh
	id string

	first     *record   // the token when it was first looked at
	lease     string    // the lease that is waited for
	leaseSeen time.Time // since when, on this process's own clock
	conflicts int       // how often another writer came first
}

var errLookAgain = errors.New("look at the token again")

func (w *refreshing) run(ctx context.Context) (Token, error) {
	for {
		t, err := w.look(ctx)
		if !errors.Is(err, errLookAgain) {
			return t, err
		}
	}
}

// look reads the token, and returns it, waits, or refreshes it.
func (w *refreshing) look(ctx context.Context) (Token, error) {
	stored, err := w.read(ctx)
	if err != nil {
		return Token{}, err
	}
	if t, ok := w.good(stored.rec); ok {
		return t, nil
	}
	if err := w.blocked(stored.rec); err != nil {
		return w.unexpired(stored.rec), err
	}
	if !w.free(stored.rec) {
		w.cache.dropRow(w.id)
		if err := w.wait(ctx, w.pollTime()); err != nil {
			return w.unexpired(stored.rec), fmt.Errorf("another process is refreshing the token: %w", err)
		}
		return Token{}, errLookAgain
	}
	if until, ok := ctx.Deadline(); ok && time.Until(until) < w.Deadline {
		return w.unexpired(stored.rec), fmt.Errorf("a refresh may take %v, and less is left of the context; give it more, or set a shorter Deadline: %w",
			w.Deadline, context.DeadlineExceeded)
	}
	return w.takeAndAsk(ctx, stored)
}

// read returns the live token, and remembers what it is waited for.
func (w *refreshing) read(ctx context.Context) (row, error) {
	stored, ok := w.cache.row(w.id, w.now())
	if !ok || !stored.live || w.first != nil || !young(stored.at, w.now(), readPause) {
		rows, err := w.fetch(ctx, []string{w.id})
		if err != nil {
			return row{}, err
		}
		stored = rows[w.id]
	}
	switch {
	case stored.err != nil:
		return row{}, stored.err
	case !stored.live:
		return row{}, ErrNotFound
	case w.first == nil:
		w.first = &stored.rec
	}
	return stored, nil
}

// good returns the token if it needs no refresh, or if somebody has just refreshed it: however short it lives, it is as good as
// one that this process would get.
func (w *refreshing) good(r record) (Token, bool) {
	t := r.shown()
	committed := r.refresh.Committed != w.first.refresh.Committed
	fresh := committed && (t.ExpiresAt.IsZero() || t.ExpiresAt.After(w.now()))
	forced := w.Force && !committed && r.AccessToken == w.first.AccessToken
	return t, fresh || !forced && w.Good(t)
}

// unexpired returns the token, if its access token may still be used.
func (w *refreshing) unexpired(r record) Token {
	if t := r.shown(); t.AccessToken != "" && t.ExpiresAt.After(w.now()) {
		return t
	}
	return Token{}
}

// blocked tells why nobody may ask the provider now. With Force, what was so at the first look is no reason.
func (w *refreshing) blocked(r record) error {
	untried := w.Force && r.refresh.Last == w.first.refresh.Last // what a lease since left may look the same
	if r.refused() && !(untried && reflect.DeepEqual(r.Reauthorize, w.first.Reauthorize)) {
		return &RefreshError{Failure: Refused, Err: fmt.Errorf("since %s", r.Reauthorize.Since.Format(time.RFC3339))}
	}
	c := r.refresh.CoolDown
	if c == nil || c.Credential != digestOf(r.credential()) || untried && reflect.DeepEqual(c, w.first.refresh.CoolDown) {
		return nil
	}
	left := min(c.Until.Sub(w.now()), c.length()-w.cooling(w.id, *c))
	if left <= 0 {
		return nil
	}
	return &RefreshError{Failure: c.Failure, RetryAfter: left}
}

// free reports whether a lease can be taken: nobody has one, or its holder has outlived it by the clock of this process or, for
// processes too short-lived to watch that, by the wall clock.
func (w *refreshing) free(r record) bool {
	l := r.refresh.Lease
	if l == nil {
		return true
	}
	if l.Name != w.lease {
		w.lease, w.leaseSeen = l.Name, w.seams.now()
	}
	return w.seams.now().Sub(w.leaseSeen) >= w.Lease || w.now().Sub(l.At) > w.Lease+leaseSkew
}

// pollTime is how long a waiter pauses: at random, so that many do not come at once.
func (w *refreshing) pollTime() time.Duration { return pollPause/4 + mathrand.N(3*pollPause/4) }

// takeAndAsk takes the lease, and does the rest on a context of its own: the caller may leave, the answer must not be lost.
func (w *refreshing) takeAndAsk(ctx context.Context, stored row) (Token, error) {
	started, next := w.now(), stored.rec
	if w.Force {
		next = next.unblock()
	}
	taken, err := w.swap(ctx, stored, next.take(w.seams.nonce(), started))
	if errors.Is(err, ErrConflict) && w.conflicts < maxAttempts {
		w.conflicts++
		return Token{}, errLookAgain
	}
	if err != nil {
		return w.unexpired(stored.rec), err
	}
	type end struct {
		t   Token
		err error
	}
	done := make(chan end, 1)
	go func() {
		t, err := w.ask(context.WithoutCancel(ctx), taken, started.Add(w.Deadline))
		done <- end{t, err}
	}()
	select {
	case e := <-done:
		return e.t, e.err
	case <-ctx.Done():
		return w.unexpired(stored.rec), fmt.Errorf("the refresh goes on without its caller: %w", ctx.Err())
	}
}

// swap writes a record in the place of a row, and returns the row that is there then.
func (w *refreshing) swap(ctx context.Context, stored row, next record) (row, error) {
	payload, err := next.encode(w.seams.nonce())
	if err != nil {
		return row{}, err
	}
	at, tick := w.now(), w.cache.tick()
	rev, err := w.put(ctx, SecretName(w.id), payload, stored.rev, stored.at.Add(maxRevisionAge))
	if err != nil {
		w.cache.dropRow(w.id)
		return row{}, err
	}
	now := row{id: w.id, live: true, rec: next, rev: rev, fresh: true, at: at, tick: tick}
	w.cache.setRow(now)
	return now, nil
}

// ask asks the provider, once more if the reply is lost, and commits the answer.
func (w *refreshing) ask(ctx context.Context, taken row, deadline time.Time) (Token, error) {
	timed, cancel := context.WithTimeout(driver.WithNotAfter(ctx, deadline), deadline.Sub(w.now()))
	defer cancel()
	var failure *RefreshError // nil: nobody was asked
	for range 2 {
		err := ErrTooLate
		var t Token
		if !w.now().After(deadline) {
			t, err = w.Ask(timed, taken.rec.asking())
		}
		if err == nil {
			err = t.validate()
		}
		if err == nil && t.AccessToken != "" {
			a := answer{t, taken.rec.credential(), taken.rec.refresh.Lease.Number}
			return w.commit(ctx, taken, taken.rec.commit(a, w.now()), a)
		}
		if errors.Is(err, ErrTooLate) {
			break
		}
		failure = failureOf(err)
		if failure.Failure != Transient {
			break
		}
	}
	return w.failed(ctx, taken, failure, deadline)
}

// failureOf classifies an error of Ask, or an answer without an access token.
func failureOf(err error) *RefreshError {
	var failure *RefreshError
	switch {
	case errors.As(err, &failure):
		return failure
	case err == nil:
		err = errors.New("the answer has no access token")
	}
	return &RefreshError{Failure: Transient, Err: err}
}

// commit stores an answer, whoever holds the lease by now, unless what is stored is newer. mine is the record with the
// answer, for a caller who has to keep it.
func (w *refreshing) commit(ctx context.Context, stored row, mine record, a answer) (Token, error) {
	until := w.now().Add(commitTime)
	for attempt := 0; ; attempt++ {
		t, err := w.tryCommit(ctx, stored, mine.RefreshedAt, a)
		if err == nil || isNotFound(err) || errors.Is(err, errLookAgain) {
			return t, err
		}
		stored = row{} // read it
		if attempt < maxAttempts && (errors.Is(err, ErrConflict) || !w.now().After(until)) {
			if err = w.pause(ctx, attempt); err == nil {
				continue
			}
		}
		return mine.shown(), &UnsavedError{
			Rotated: a.RefreshToken != "" && a.RefreshToken != a.spent,
			Err:     err,
			save: func(ctx context.Context) (Token, error) {
				t, err := w.commit(ctx, row{}, mine, a)
				if errors.Is(err, errLookAgain) {
					err = nil // somebody has logged in: nothing is left to save
				}
				return t, err
			},
		}
	}
}

// tryCommit stores an answer, on a row that was read before or is read now.
func (w *refreshing) tryCommit(ctx context.Context, stored row, asked time.Time, a answer) (Token, error) {
	if stored.rev == "" {
		var err error
		if stored, err = w.read(ctx); err != nil {
			return Token{}, err // gone: deleted meanwhile, and it stays so
		}
	}
	fateOf := record.fateOf
	if w.seams.fateOf != nil {
		fateOf = w.seams.fateOf
	}
	switch fateOf(stored.rec, a) {
	case stores:
		now, err := w.swap(ctx, stored, stored.rec.commit(a, asked))
		return now.rec.shown(), err
	case lost:
		if w.Lost != nil {
			w.Lost(a.Token)
		}
	}
	t := stored.rec.shown()
	if t.AccessToken == "" || !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(w.now()) {
		return t, errLookAgain // somebody logged in, and has brought no access token
	}
	return t, nil
}

// failed decides what it means for everybody that the provider gave no token. A nil failure is that it was not asked: the
// process stood still for too long.
func (w *refreshing) failed(ctx context.Context, taken row, failure *RefreshError, deadline time.Time) (Token, error) {
	mine, spent := taken.rec.refresh.Lease.Name, taken.rec.credential()
	for attempt := range maxAttempts {
		stored, err := w.read(ctx)
		if err != nil {
			return Token{}, err
		}
		next := stored.rec.release(mine)
		l := stored.rec.refresh.Lease
		switch {
		case stored.rec.credential() != spent:
			return Token{}, errLookAgain // somebody was faster, and the credential that was refused is an old one
		case failure == nil || failure.Failure == Refused && w.now().After(deadline):
			if l == nil || l.Name != mine { // wait like the others; it may have been refused for being late
				return Token{}, errLookAgain
			}
		case failure.Failure == Refused:
			next = next.refuse(w.now())
		case l != nil && l.Name == mine:
			next = next.cool(failure, w.now(), w.secrets.Limits().WritesPerDay).within(w.Grace)
		default:
			return Token{}, errLookAgain // another process asks by now
		}
		now, err := w.swap(ctx, stored, next)
		if errors.Is(err, ErrConflict) {
			if err := w.pause(ctx, attempt); err != nil {
				return Token{}, err
			}
			continue
		}
		if err != nil {
			return w.unexpired(stored.rec), errors.Join(failureOrNil(failure), err)
		}
		return w.outcome(now.rec, failure)
	}
	return Token{}, fmt.Errorf("other writers won %d attempts in a row: %w", maxAttempts, ErrConflict)
}

// outcome returns what a caller gets after a failure was stored.
func (w *refreshing) outcome(r record, failure *RefreshError) (Token, error) {
	if failure == nil || failure.Failure == Refused && !r.refused() {
		return Token{}, errLookAgain // or the refresh token beside a refused grant token is tried
	}
	told := *failure
	if c := r.refresh.CoolDown; c != nil && failure.Failure != Refused {
		told.RetryAfter = c.length()
	}
	return w.unexpired(r), &told
}

func failureOrNil(failure *RefreshError) error {
	if failure == nil {
		return nil
	}
	return failure
}
