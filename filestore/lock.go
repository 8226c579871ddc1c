package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep"
)

// How long a writer waits between two tries for the lock, at first and at most.
const (
	firstWait = time.Millisecond
	maxWait   = 20 * time.Millisecond
)

// fileLock is a locked file that holds the highest number that was given to a token, as text.
type fileLock struct{ file *os.File }

var errLocked = errors.New("another process has the lock")

// lock waits for the lock on the file at path, which it creates, until ctx ends.
func lock(ctx context.Context, path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		err := tryLock(file)
		if err == nil {
			err = ctx.Err()
		}
		switch {
		case err == nil:
			return &fileLock{file}, nil
		case !errors.Is(err, errLocked):
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("wait for the lock on %s: %w", path, ctx.Err())
		}
	}
}

// release closes the file, which gives the lock back.
func (l *fileLock) release() { _ = l.file.Close() }

// lastNumber returns the number in the file, 0 where there is none.
func (l *fileLock) lastNumber() (uint64, error) {
	content, err := io.ReadAll(io.NewSectionReader(l.file, 0, 64))
	if err != nil || len(content) == 0 {
		return 0, err
	}
	last, err := strconv.ParseUint(strings.TrimSpace(string(content)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s holds no number; empty it, and the numbers of deleted tokens may come again: %w",
			l.file.Name(), tokenkeep.ErrDamaged)
	}
	return last, nil
}

// noteNumber writes the number, always in as many bytes: a write cut short cannot leave a larger one's end behind.
func (l *fileLock) noteNumber(last uint64) error {
	if noted, err := l.lastNumber(); err != nil || noted == last {
		return err
	}
	if _, err := l.file.WriteAt(fmt.Appendf(nil, "%015d\n", last), 0); err != nil {
		return err
	}
	return l.file.Sync()
}
