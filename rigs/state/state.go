// Package state keeps what is known about a rig from run to run: a folder a rig, and in it files
// that are always whole. What the files mean is up to the packages that write them: lease, health,
// wear.
//
// The folder lies in a root that everybody who uses a rig must share; in a lab with several
// users that is one folder, given by --state or ASSAY_STATE.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Variable names the environment variable with the root, used where none is given.
const Variable = "ASSAY_STATE"

const (
	// lockLimit bounds the wait for another process that changes the same file; a change takes
	// milliseconds.
	lockLimit = 2 * time.Second
	// lockRetry is how often the lock is tried meanwhile.
	lockRetry = 10 * time.Millisecond
	// sumLength is how much of the path's checksum is in a folder's name: enough for every lab.
	sumLength = 8
	// nameLength is how much of a rig's name is in its folder's name.
	nameLength = 40
)

// ErrBusy is returned by Update when another process keeps the file locked.
var ErrBusy = errors.New("the state is locked by another process")

// Root gives the folder of all rigs: the one given, else that of ASSAY_STATE, else "assay" in
// $XDG_STATE_HOME, which by default is ~/.local/state.
func Root(given string) (string, error) {
	for _, dir := range []string{given, os.Getenv(Variable)} {
		if dir != "" {
			return filepath.Abs(dir)
		}
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "assay"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no folder for what is known about rigs: %w; give one with --state or %s", err, Variable)
	}
	return filepath.Join(home, ".local", "state", "assay"), nil
}

// Dir gives the folder of the rig that a file describes, and makes it. Links to one rig file lead to one
// folder; two files that describe one bench have two, and only its devices' locks keep
// their users apart.
func Dir(root, name, file string) (string, error) {
	root, err := Root(root)
	if err != nil {
		return "", err
	}
	path, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(path))
	dir := filepath.Join(root, "rigs", plain(name)+"-"+hex.EncodeToString(sum[:])[:sumLength])
	return dir, os.MkdirAll(dir, 0o755)
}

// plain makes a rig's name fit for a folder's.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), nameLength)]
}

// Read reads a file into v. Without a file v stays as it is.
func Read(path string, v any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s is damaged: %w; move it away to begin anew", path, err)
	}
	return nil
}

// Write replaces a file. Who reads meanwhile, or after a crash, sees the old one or the new one.
func Write(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(data, '\n'))
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // the first fault is the one to tell
	}
	return err
}

// Update changes a file while nobody else does: it is read, changed, and replaced. Without a
// file the zero value is changed.
func Update[T any](path string, change func(*T) error) error {
	lock, err := Lock(path+".lock", lockLimit)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	var v T
	if err := Read(path, &v); err != nil {
		return err
	}
	if err := change(&v); err != nil {
		return err
	}
	return Write(path, v)
}

// Lock takes the lock on a file, which it makes and never removes: removing it would let two
// processes lock two files of one name. The lock ends with the file, so also when the process dies. When it can't be had
// within the limit the error is ErrBusy.
func Lock(path string, limit time.Duration) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	late := time.NewTimer(limit)
	defer late.Stop()
	again := time.NewTicker(lockRetry)
	defer again.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return file, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-again.C:
		case <-late.C:
			_ = file.Close()
			return nil, fmt.Errorf("%s: %w", path, ErrBusy)
		}
	}
}
