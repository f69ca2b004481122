package packet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// maxBenches is how many benches a process may have at the same time.
const maxBenches = 64

// namespace is one of a bench's network namespaces.
type namespace struct {
	name  name
	links *netlink.Handle // routing netlink inside

	mu     sync.Mutex // for the handle, which remove closes
	handle netns.NsHandle
}

// newNamespace makes a namespace with a name. The error is fs.ErrExist when the name is taken.
func newNamespace(n name) (*namespace, error) {
	made := &namespace{name: n, handle: netns.None()}
	err := onThread(func() error {
		handle, err := netns.NewNamed(n.String())
		if err != nil {
			return err
		}
		made.handle = handle
		return quiet()
	})
	if err == nil {
		made.links, err = netlink.NewHandleAt(made.handle, unix.NETLINK_ROUTE)
	}
	if err == nil {
		err = made.loop()
	}
	if err == nil {
		return made, nil
	}
	// NewNamed leaves a file behind when it fails half-way, but one that was there before is
	// somebody else's.
	if !errors.Is(err, fs.ErrExist) {
		err = errors.Join(err, made.remove())
	}
	return nil, fmt.Errorf("namespace %s: %w", n, err)
}

// loop sets the loopback up: a program inside may talk to itself.
func (n *namespace) loop() error {
	link, err := n.links.LinkByName("lo")
	if err != nil {
		return err
	}
	return n.links.LinkSetUp(link)
}

// quiet turns off what would send packets of its own accord or stop ours, in the namespace of
// this thread.
func quiet() error {
	const ipv4, ipv6 = "/proc/sys/net/ipv4/", "/proc/sys/net/ipv6/"
	for _, set := range []struct{ file, value string }{
		{ipv6 + "conf/all/disable_ipv6", "1"}, // of links to come too
		{ipv4 + "conf/all/rp_filter", "0"},
		{ipv4 + "conf/default/rp_filter", "0"},
		{ipv4 + "conf/all/send_redirects", "0"},
		{ipv4 + "conf/default/send_redirects", "0"},
		{ipv4 + "icmp_ratelimit", "0"},
		{ipv4 + "ip_forward", "1"},
	} {
		err := os.WriteFile(set.file, []byte(set.value), 0)
		if errors.Is(err, fs.ErrNotExist) { // a kernel without IPv6, or that setting
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove gives the namespace up; it lives on while a connection in it does.
func (n *namespace) remove() error {
	if n.links != nil {
		n.links.Close()
		n.links = nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var err error
	if n.handle.IsOpen() {
		err = n.handle.Close()
	}
	return errors.Join(err, removeName(n.name.String()))
}

// removeName takes a namespace's name away; one that is gone is no error.
func removeName(s string) error {
	path := filepath.Join(namespaceDir, s)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: not a mount
		return &fs.PathError{Op: "unmount", Path: path, Err: err}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// do runs f on a thread inside the namespace. What f opens belongs to the namespace; what it
// starts with go does not.
func (n *namespace) do(f func() error) error {
	return onThread(func() error {
		if err := n.enter(); err != nil {
			return err
		}
		return f()
	})
}

// enter brings this thread inside.
func (n *namespace) enter() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.handle.IsOpen() {
		return ErrClosed
	}
	if err := netns.Set(n.handle); err != nil {
		return fmt.Errorf("namespace %s: %w", n.name, err)
	}
	return nil
}

// onThread runs f on a thread of its own, which may change its network namespace: the thread
// comes back to where it was or ends.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		err = f()
		if back := netns.Set(home); back != nil {
			done <- errors.Join(err, back) // still locked: the thread ends here
			return
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}
