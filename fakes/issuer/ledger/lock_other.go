//go:build !unix

package ledger

import (
	"errors"
	"os"
)

// lock makes a file ours, which this system has no way for.
func lock(*os.File) error { return errors.New("books in a file need a Unix system") }
