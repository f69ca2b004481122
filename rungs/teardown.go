package rungs

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// closeLimit bounds the closing of one part of a world.
const closeLimit = 10 * time.Second

// teardown closes what was opened, the last first. The zero value is empty.
type teardown struct {
	parts []part
}

type part struct {
	name  string
	close func() error
}

// add registers a part. It is called before anything that can fail after the part was opened.
func (t *teardown) add(name string, close func() error) { t.parts = append(t.parts, part{name, close}) }

// run closes everything; a part that fails or hangs does not keep the next from being closed.
func (t *teardown) run() error {
	var errs []error
	for _, p := range slices.Backward(t.parts) {
		done := make(chan error, 1)
		go func() { done <- p.close() }()
		timer := time.NewTimer(closeLimit)
		select {
		case err := <-done:
			if err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", p.name, err))
			}
		case <-timer.C:
			errs = append(errs, fmt.Errorf("close %s: not closed after %v", p.name, closeLimit))
		}
		timer.Stop()
	}
	t.parts = nil
	return errors.Join(errs...)
}
