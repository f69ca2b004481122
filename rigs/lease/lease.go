// Package lease lets one run at a time use a rig.
//
// A lease is a lock on a file in the rig's state folder, and beside it a note of who holds it:
// user, host, process, since when, and a heartbeat. The lock ends with the process, so a run that
// was killed frees its rig at once. Where the folder is shared between hosts and the file system
// does not carry locks from one to the other, the heartbeat decides: a holder on another host
// that gave no sign for Expiry is gone.
//
// The note says also whether the rig was made safe. A process that was killed could not say so,
// and the next holder learns it from Before.
package lease

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-hil/assay/rigs/state"
)

const (
	// Beat is how often a holder gives a sign of life, and how soon it notices that it was asked to let go.
	Beat = 2 * time.Second
	// Expiry is after how long without a sign a holder on another host is gone.
	Expiry = 15 * time.Second
	// tryLimit bounds the wait for the lock: longer than a look at it takes, shorter than anybody notices.
	tryLimit = 200 * time.Millisecond
)

// Files in the state folder.
const (
	lockFile   = "lease.lock"
	noteFile   = "lease.json"
	revokeFile = "revoke.json"
)

// Holder is who uses a rig, or used it last.
type Holder struct {
	Rig   string    `json:"rig"`
	User  string    `json:"user"`
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Doing string    `json:"doing"` // in the words of who took it, for example "assay run"
	Since time.Time `json:"since"`
	Beat  time.Time `json:"beat"` // the last sign of life
	// Released says that the holder let go by itself.
	Released bool `json:"released"`
	// Unsafe is why the rig may not be in its safe state; "" when it is.
	Unsafe string `json:"unsafe,omitempty"`
}

// String says who and since when, for people.
func (h Holder) String() string {
	return fmt.Sprintf("%s on %s (process %d, %s) since %s", h.User, h.Host, h.PID, h.Doing, h.Since.Local().Format("2006-01-02 15:04:05"))
}

// HeldError says that somebody else uses the rig.
type HeldError struct {
	Holder Holder
	// Silent is since when the holder gave no sign; 0 when it does.
	Silent time.Duration
}

func (e *HeldError) Error() string {
	text := fmt.Sprintf("rig %s is in use by %s", e.Holder.Rig, e.Holder)
	if e.Silent > 0 {
		text += fmt.Sprintf("; no sign of life for %v", e.Silent.Round(time.Second))
	}
	return text + "; wait for it, or ask for the rig with `assay rigs unlock`"
}

// RevokedError is why a lease ended that its holder did not release.
type RevokedError struct {
	By, Reason string
}

func (e *RevokedError) Error() string {
	return fmt.Sprintf("the rig was taken back by %s: %s", e.By, e.Reason)
}

// ErrTaken is why a lease ended whose note somebody else wrote over.
var ErrTaken = errors.New("the lease's note was overwritten: another host uses this rig")

// Lease is the right to use a rig, until Release.
type Lease struct {
	dir  string
	lock *os.File
	// before is the last holder, if it left the rig unsafe.
	before *Holder

	mu     sync.Mutex
	holder Holder
	err    error
	ended  chan struct{} // closed when the lease was lost
	stop   chan struct{}
	beaten sync.WaitGroup
	once   sync.Once
}

// Acquire takes the rig whose state folder is dir. When somebody else has it the error is a *HeldError. From now on the
// rig counts as unsafe, until Safe says otherwise.
func Acquire(dir, rig, doing string) (*Lease, error) {
	now, err := self(rig, doing)
	if err != nil {
		return nil, err
	}
	lock, err := state.Lock(filepath.Join(dir, lockFile), tryLimit)
	if err != nil && !errors.Is(err, state.ErrBusy) {
		return nil, err
	}
	last, known, read := last(dir)
	if errors.Is(err, state.ErrBusy) {
		if read != nil || !known {
			last = Holder{Rig: rig, User: "somebody", Host: now.Host, Doing: "not known"}
		}
		return nil, held(last)
	}
	if read != nil {
		_ = lock.Close()
		return nil, read
	}
	if known && !last.Released && last.Host != now.Host && time.Since(last.Beat) < Expiry {
		_ = lock.Close()
		return nil, held(last)
	}
	l := &Lease{dir: dir, lock: lock, holder: now, ended: make(chan struct{}), stop: make(chan struct{})}
	if known && last.Unsafe != "" {
		l.before = &last
	}
	err = os.Remove(filepath.Join(dir, revokeFile)) // it was meant for somebody else
	if err == nil || errors.Is(err, os.ErrNotExist) {
		err = l.write()
	}
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	l.beaten.Go(l.beat)
	return l, nil
}

// inUse is why a rig counts as unsafe while somebody uses it.
const inUse = "its run did not end: killed, or the machine went down"

func self(rig, doing string) (Holder, error) {
	host, err := os.Hostname()
	if err != nil {
		return Holder{}, err
	}
	now := time.Now().UTC()
	return Holder{Rig: rig, User: User(), Host: host, PID: os.Getpid(), Doing: doing, Since: now, Beat: now, Unsafe: inUse}, nil
}

// User is who runs this process, for people.
func User() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("user %d", os.Getuid())
}

func last(dir string) (h Holder, known bool, err error) {
	err = state.Read(filepath.Join(dir, noteFile), &h)
	return h, h.PID != 0, err
}

func held(h Holder) *HeldError {
	e := &HeldError{Holder: h}
	if silent := time.Since(h.Beat); silent > Expiry && !h.Beat.IsZero() {
		e.Silent = silent
	}
	return e
}

// Before is the last holder, if it left the rig without making it safe; nil otherwise.
func (l *Lease) Before() *Holder { return l.before }

// Ended is closed when the lease was lost; Err then says why.
func (l *Lease) Ended() <-chan struct{} { return l.ended }

// Err is a *RevokedError or ErrTaken after the lease was lost, nil before.
func (l *Lease) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Unsafe notes why the rig is not in its safe state; "" that it is.
func (l *Lease) Unsafe(why string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holder.Unsafe = why
	return l.writeLocked()
}

// Release gives the rig back. What Unsafe said last stays noted. Further calls do nothing.
func (l *Lease) Release() error {
	var err error
	l.once.Do(func() {
		close(l.stop)
		l.beaten.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.holder.Released = true
		if !errors.Is(l.err, ErrTaken) { // then the note is another's
			err = l.writeLocked()
		}
		err = errors.Join(err, l.lock.Close())
	})
	return err
}

func (l *Lease) write() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writeLocked()
}

func (l *Lease) writeLocked() error {
	l.holder.Beat = time.Now().UTC()
	return state.Write(filepath.Join(l.dir, noteFile), l.holder)
}

// beat gives signs of life until the lease is released or lost.
func (l *Lease) beat() {
	tick := time.NewTicker(Beat)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		if err := l.lost(); err != nil {
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
			close(l.ended)
			return
		}
		_ = l.write() // the next beat tries again; the lock itself does not depend on it
	}
}

// lost looks whether somebody wants the rig back or has taken it.
func (l *Lease) lost() error {
	var r revocation
	if err := state.Read(filepath.Join(l.dir, revokeFile), &r); err == nil && r.PID == l.holder.PID && r.Since.Equal(l.holder.Since) {
		return &RevokedError{By: r.By, Reason: r.Reason}
	}
	if now, known, err := last(l.dir); err == nil && known && (now.PID != l.holder.PID || now.Host != l.holder.Host) {
		return ErrTaken
	}
	return nil
}
