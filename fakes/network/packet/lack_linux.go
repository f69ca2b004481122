package packet

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"
)

// lacks are what a kernel answers where a right, a device or a part of itself is missing; EROFS is of a container
// whose settings are sealed. Whatever else it answers is no lack of the machine: this package asked for something wrong, or
// something is in its way.
var lacks = []error{
	unix.EPERM, unix.EACCES, unix.EROFS,
	unix.ENODEV, unix.ENXIO, unix.ENOENT, unix.ENOSYS,
	unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT,
}

// lacking says that an error tells of nothing but lacks: of several that are joined, each does.
func lacking(err error) bool {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(part error) bool { return !lacking(part) })
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return lacking(inner)
		}
	}
	return slices.ContainsFunc(lacks, func(lack error) bool { return err == lack })
}

// unavailable says of a lack that it is one, and what to do. Other errors stay what they are.
func unavailable(err error) error {
	switch {
	case !lacking(err):
		return err
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: %w; run as root, in a container with CAP_NET_ADMIN and CAP_SYS_ADMIN", ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
