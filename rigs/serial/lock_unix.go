//go:build unix

package serial

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// holderMax bounds what is read from a lock file.
const holderMax = 32

// lockPath is the lock file of a device, the same for every name that the device has.
func lockPath(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	if resolved, err = filepath.Abs(resolved); err != nil {
		return "", err
	}
	return filepath.Join(os.TempDir(), "assay-serial-"+url.PathEscape(resolved)+".lock"), nil
}

// acquire locks a device with flock on a file of our own: TIOCEXCL does not stop root. The
// lock ends with the file, so also when the process dies. The file itself stays: removing it
// would let two processes lock two files of one name.
func acquire(path string) (*os.File, error) {
	name, err := lockPath(path)
	if err != nil {
		return nil, err
	}
	file, err := openLock(name)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder := readHolder(file)
		_ = file.Close()
		return nil, fmt.Errorf("%w: held by process %s (lock file %s)", ErrInUse, holder, name)
	}
	if err == nil {
		err = writeHolder(file)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	return file, nil
}

// openLock opens or creates the file. An existing file is opened without O_CREATE, which
// Linux refuses for another user's file in a sticky directory (fs.protected_regular).
func openLock(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if !errors.Is(err, os.ErrNotExist) {
		return file, err
	}
	file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o666)
	if errors.Is(err, os.ErrExist) { // another process was faster
		return os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW, 0)
	}
	if err != nil {
		return nil, err
	}
	// Against the umask: rig users share the file. Its content is only for error messages.
	if err := file.Chmod(0o666); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func readHolder(file *os.File) string {
	data, err := io.ReadAll(io.LimitReader(file, holderMax))
	pid, bad := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || bad != nil {
		return "unknown"
	}
	return strconv.Itoa(pid)
}

func writeHolder(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
