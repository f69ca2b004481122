package containers

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Labels of everything that belongs to an owner.
const (
	// labelOwner is the path of the owner's lock file, labelMachine the name of the machine that
	// it is on.
	labelOwner   = "assay.owner"
	labelMachine = "assay.machine"
	// labelWorld tells the worlds of an owner apart.
	labelWorld = "assay.world"
)

// lockSuffix ends the name of an owner's lock file.
const lockSuffix = ".lock"

// owner is a process that has containers. It holds a lock for as long as it lives, however it
// ends: the system lets go of it.
type owner struct {
	name, machine string
	path          string // of the lock file
	lock          *os.File
}

// newOwner takes a new lock in the user's own folder for such files.
func newOwner() (*owner, error) {
	dir, err := lockDir()
	if err != nil {
		return nil, err
	}
	machine, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(rand.Text())
	// It gets its name when it is locked: one that is seen unlocked belongs to nobody.
	unnamed, path := filepath.Join(dir, name), filepath.Join(dir, name+lockSuffix)
	lock, err := os.OpenFile(unnamed, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		err = os.Rename(unnamed, path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), lock.Close(), os.Remove(unnamed))
	}
	return &owner{name: name, machine: machine, path: path, lock: lock}, nil
}

func lockDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for locks: %w", err)
	}
	dir := filepath.Join(cache, "assay", "containers")
	return dir, os.MkdirAll(dir, 0o700)
}

// labels are those of everything that belongs to o.
func (o *owner) labels() map[string]string {
	return map[string]string{labelOwner: o.path, labelMachine: o.machine}
}

// close lets go of the lock, when nothing of the owner's is left.
func (o *owner) close() error {
	return errors.Join(os.Remove(o.path), o.lock.Close())
}

// dead says whether the owner of something with these labels is known to have ended. One on
// another machine, or whose lock this user cannot look at, is not known.
func dead(labels map[string]string, machine string) bool {
	path := labels[labelOwner]
	if labels[labelMachine] != machine || !filepath.IsAbs(path) || filepath.Ext(path) != lockSuffix {
		return false
	}
	lock, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer func() { _ = lock.Close() }() // nothing was written
	return unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// forget removes the lock files of owners that have ended. Nothing of theirs may be left.
func forget(dir, machine string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+lockSuffix))
	if err != nil {
		return err
	}
	var failed []error
	for _, path := range paths {
		if !dead(map[string]string{labelOwner: path, labelMachine: machine}, machine) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
