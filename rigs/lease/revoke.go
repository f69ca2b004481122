package lease

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/assay-hil/assay/rigs/state"
)

// Status says who holds the rig whose state folder is dir; held is false when nobody does, and the holder is
// then the last one. Without any the holder is zero.
func Status(dir string) (h Holder, isHeld bool, err error) {
	h, known, err := last(dir)
	if err != nil || !known {
		return h, false, err
	}
	lock, err := state.Lock(filepath.Join(dir, lockFile), tryLimit)
	if errors.Is(err, state.ErrBusy) {
		return h, true, nil
	}
	if err != nil {
		return h, false, err
	}
	defer func() { _ = lock.Close() }()
	here, err := self("", "")
	if err != nil {
		return h, false, err
	}
	return h, !h.Released && h.Host != here.Host && time.Since(h.Beat) < Expiry, nil
}

// revocation asks one holder to let go.
type revocation struct {
	PID    int       `json:"pid"`
	Since  time.Time `json:"since"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

// Revoke asks the holder to make the rig safe and let go, and waits until it has or ctx ends. A
// holder that hangs keeps the devices too, so it is not enough to forget it: the error is then
// a *HeldError, and its process has to be ended. Without a holder nothing happens.
func Revoke(ctx context.Context, dir, by, reason string) (Holder, error) {
	h, isHeld, err := Status(dir)
	if err != nil || !isHeld {
		return h, err
	}
	r := revocation{PID: h.PID, Since: h.Since, By: by, Reason: reason}
	if err := state.Write(filepath.Join(dir, revokeFile), r); err != nil {
		return h, err
	}
	tick := time.NewTicker(Beat / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return h, held(h)
		case <-tick.C:
		}
		now, still, err := Status(dir)
		if err != nil {
			return h, err
		}
		if !still || now.PID != h.PID || !now.Since.Equal(h.Since) {
			return h, nil
		}
		h = now
	}
}
