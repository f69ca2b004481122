package packet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Only a lack makes a bench unavailable: everything else is a fault that a test has to see.
func TestLacksAlone(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{unix.EPERM, true}, {unix.EACCES, true}, {unix.EROFS, true}, {unix.ENODEV, true}, {unix.ENOENT, true}, {unix.EOPNOTSUPP, true},
		{&fs.PathError{Op: "open", Path: tunDevice, Err: unix.ENOENT}, true},
		{fmt.Errorf("link to the host: %w", os.NewSyscallError("netlink receive", unix.EOPNOTSUPP)), true},
		{errors.Join(unix.ENOENT, fmt.Errorf("tun: %w", unix.EPERM)), true},
		{fmt.Errorf("%w: %w", unix.ENOENT, unix.EPERM), true},
		{unix.EINVAL, false}, {unix.EBUSY, false}, {unix.EEXIST, false}, {unix.ENOSPC, false}, {unix.EMFILE, false}, {unix.ENETDOWN, false},
		{errors.New("no such file or directory"), false}, {ErrClosed, false}, {context.Canceled, false},
		{netlink.LinkNotFoundError{}, false},
		{errors.Join(unix.ENOENT, fmt.Errorf("tun: %w", unix.EBUSY)), false}, // netem is not there, and TUN failed
		{fmt.Errorf("%w: %w", unix.EPERM, unix.EINVAL), false},
	} {
		if got := lacking(test.err); got != test.want {
			t.Errorf("%v: a lack %v, want %v", test.err, got, test.want)
		}
		if got := errors.Is(unavailable(test.err), ErrUnavailable); got != test.want {
			t.Errorf("%v: unavailable %v, want %v", test.err, got, test.want)
		}
	}
}

// A test is skipped for what the machine lacks, and for nothing else.
func TestWhatIsExcused(t *testing.T) {
	lack := unavailable(unix.EPERM)
	for _, test := range []struct {
		err, machine error
		skip         bool
		why          string
	}{
		{lack, unix.EPERM, true, "run as root"},
		{lack, nil, false, "but this machine can"},
		{lack, unix.EINVAL, false, "and that failed"},
		{unix.EINVAL, unix.EPERM, false, "invalid argument"},
		{unix.EINVAL, nil, false, "invalid argument"},
	} {
		skip, why := excuse(test.err, test.machine)
		if skip != test.skip || !strings.Contains(why, test.why) {
			t.Errorf("%v on a machine that lacks %v: skipped %v, %q; want %v, %q", test.err, test.machine, skip, why, test.skip, test.why)
		}
	}
}

// What goes wrong in making links, and in arming, for a reason of ours is not taken for a lack.
func TestFailuresOfOursAreNoLacks(t *testing.T) {
	b := inner(t)
	if err := b.wire(1); !errors.Is(err, unix.EEXIST) || errors.Is(err, ErrUnavailable) {
		t.Errorf("links that are there already: %v, want EEXIST and no lack", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = tunName
	inTheWay := netlink.NewVeth(attrs)
	inTheWay.PeerName = "other"
	if err := b.router.links.LinkAdd(inTheWay); err != nil {
		t.Fatal(err)
	}
	duplicate := Spec{Kind: Duplicate}
	if err := b.Arm(duplicate); err == nil || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrSpec) {
		t.Errorf("a device of the TUN device's name is in the way: %v, want a failure that is no lack", err)
	}
	if got := b.probe(t.Context(), Duplicate); got.OK || !got.Broken {
		t.Errorf("the probe says %+v, want broken", got)
	}
	if got := b.probe(t.Context(), Refused); !got.OK || got.Broken {
		t.Errorf("the probe says %+v of what works", got)
	}
}
