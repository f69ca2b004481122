package lease

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/rigs/state"
)

func take(t *testing.T, dir string) *Lease {
	t.Helper()
	l, err := Acquire(dir, "lab-7", "a test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Release() })
	return l
}

func TestOneHolder(t *testing.T) {
	dir := t.TempDir()
	l := take(t, dir)
	_, err := Acquire(dir, "lab-7", "another")
	held := (*HeldError)(nil)
	if !errors.As(err, &held) || held.Holder.PID != os.Getpid() || held.Silent != 0 || !strings.Contains(err.Error(), "a test) since 20") {
		t.Fatalf("%v", err)
	}
	if h, isHeld, err := Status(dir); err != nil || !isHeld || h.Doing != "a test" {
		t.Errorf("%+v %v %v", h, isHeld, err)
	}
	if err := l.Unsafe(""); err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if _, isHeld, err := Status(dir); err != nil || isHeld {
		t.Errorf("held after Release: %v %v", isHeld, err)
	}
	if again := take(t, dir); again.Before() != nil {
		t.Errorf("left safe, and yet %v", again.Before())
	}
}

// TestWhatWasLeftUnsafeIsKnown to the next holder: by a process that died, here one whose note says nothing of a
// release, and by one that said so.
func TestWhatWasLeftUnsafeIsKnown(t *testing.T) {
	dir := t.TempDir()
	dead, err := self("lab-7", "a test")
	if err != nil {
		t.Fatal(err)
	}
	if err := state.Write(filepath.Join(dir, noteFile), dead); err != nil {
		t.Fatal(err)
	}
	l := take(t, dir)
	if l.Before() == nil || l.Before().Unsafe != inUse {
		t.Fatalf("%+v", l.Before())
	}
	if err := errors.Join(l.Unsafe("the finger is down"), l.Release()); err != nil {
		t.Fatal(err)
	}
	if l = take(t, dir); l.Before() == nil || l.Before().Unsafe != "the finger is down" {
		t.Errorf("%+v", l.Before())
	}
}

// TestAHolderOnAnotherHostIsKnownByItsHeartbeat where locks don't reach.
func TestAHolderOnAnotherHostIsKnownByItsHeartbeat(t *testing.T) {
	for _, c := range []struct {
		name   string
		silent time.Duration
		held   bool
	}{{"alive", Beat, true}, {"expired", Expiry + time.Second, false}} {
		dir := t.TempDir()
		other := Holder{Rig: "lab-7", User: "m", Host: "another", PID: 1, Beat: time.Now().Add(-c.silent)}
		if err := state.Write(filepath.Join(dir, noteFile), other); err != nil {
			t.Fatal(err)
		}
		if _, isHeld, err := Status(dir); err != nil || isHeld != c.held {
			t.Errorf("%s: held %v, %v", c.name, isHeld, err)
		}
		l, err := Acquire(dir, "lab-7", "a test")
		if got := errors.As(err, new(*HeldError)); got != c.held {
			t.Errorf("%s: %v", c.name, err)
		}
		if l != nil {
			_ = l.Release()
		}
	}
}

// TestRevoke ends a lease with a reason, and gives up on a holder that does not react.
func TestRevoke(t *testing.T) {
	dir := t.TempDir()
	l := take(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Revoke(ctx, dir, "m", "release"); !errors.As(err, new(*HeldError)) {
		t.Errorf("a holder that does nothing: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := Revoke(t.Context(), dir, "m", "release")
		done <- err
	}()
	select {
	case <-l.Ended():
	case <-time.After(10 * Beat):
		t.Fatal("the holder was not asked")
	}
	if revoked := (*RevokedError)(nil); !errors.As(l.Err(), &revoked) || revoked.By != "m" || revoked.Reason != "release" {
		t.Errorf("%v", l.Err())
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	// The request was for that holder only.
	if next := take(t, dir); next.lost() != nil {
		t.Error(next.lost())
	}
}
