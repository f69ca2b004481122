//go:build !unix

package serial

import "errors"

// Open needs flock and select and works on Unix systems only; New works everywhere.
func Open(path string, _ Mode, _ ...Option) (*Line, error) {
	return nil, openError(path, errors.ErrUnsupported)
}
