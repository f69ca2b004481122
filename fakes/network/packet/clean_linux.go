package packet

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// Clean removes what processes of ours left behind that did not end in order: everything under
// a name of ours whose process is gone. It tells what it removed. Links, rules and routes are
// inside the namespaces and go with them. It must see the processes that made them, so it runs
// where they ran, in the same container or outside of all.
func Clean(ctx context.Context) (removed []string, err error) {
	entries, err := os.ReadDir(namespaceDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return removed, errors.Join(append(failed, err)...)
		}
		n, ours := parseName(entry.Name())
		if !ours || n.alive() {
			continue
		}
		if err := removeName(entry.Name()); err != nil {
			failed = append(failed, err)
			continue
		}
		removed = append(removed, entry.Name())
	}
	return removed, errors.Join(failed...)
}
