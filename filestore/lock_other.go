//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package filestore

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func tryLock(*os.File) error {
	return fmt.Errorf("%s has no flock, so this file can be read only: %w", runtime.GOOS, errors.ErrUnsupported)
}
