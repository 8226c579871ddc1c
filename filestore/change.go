package filestore

import (
	"context"
	"slices"

	"github.com/tokenkeep/tokenkeep"
)

// contents are the tokens of the file while it is locked, and the highest number that was given to one.
type contents struct {
	*tokenkeep.List
	last uint64
}

// change calls f with the tokens of the file, while no other change is under way, and writes what f left of them.
func (s *Store) change(ctx context.Context, op, id string, f func(*contents) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	t, err := s.locked(ctx, f)
	if err != nil {
		return tokenkeep.Token{}, &tokenkeep.Error{Op: op, ID: id, Err: err}
	}
	return t, nil
}

func (s *Store) locked(ctx context.Context, f func(*contents) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return tokenkeep.Token{}, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return tokenkeep.Token{}, err
	}
	path, err := target(s.path)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	l, err := lock(ctx, path+".lock")
	if err != nil {
		return tokenkeep.Token{}, err
	}
	defer l.release()
	return rewrite(path, l, f)
}

// rewrite calls f with the tokens of the file and writes what it left of them, if that is something else.
func rewrite(path string, l *fileLock, f func(*contents) (tokenkeep.Token, error)) (tokenkeep.Token, error) {
	list, err := load(path)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	before := list.Tokens()
	last, err := l.lastNumber()
	if err != nil {
		return tokenkeep.Token{}, err
	}
	c := &contents{List: list, last: max(last, highest(before))}
	c.NewID = func() string {
		c.last++
		return formatNumber(c.last)
	}
	t, err := f(c)
	if err != nil {
		return tokenkeep.Token{}, err
	}
	content := encode(c.Tokens())
	if !slices.Equal(content, encode(before)) {
		if err := l.noteNumber(c.last); err != nil {
			return tokenkeep.Token{}, err
		}
		if err := replace(path, content); err != nil {
			return tokenkeep.Token{}, err
		}
	}
	return withColumns(t), nil
}
