package packet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Excused ends a test with whose bench or fault something went wrong: it is skipped where this machine lacks what is
// needed, which is tried beside the code under test; where the machine can, the error is ours and the test fails.
// Of the mechanisms one is enough; without any it is about the bench alone.
func Excused(t *testing.T, err error, mechanisms ...string) {
	t.Helper()
	if err == nil {
		return
	}
	skip, why := excuse(err, machineLacks(mechanisms))
	if skip {
		t.Skip(why)
	}
	t.Fatal(why)
}

// ExcusedFault is Excused for arming a fault.
func ExcusedFault(t *testing.T, err error, s Spec) {
	t.Helper()
	Excused(t, err, s.mechanisms()...)
}

// MachineLacks is why this machine can't do a kind of fault; nil when it can.
func MachineLacks(kind string) error { return machineLacks(mechanismsOf(kind)) }

// excuse says whether an error is excused by what the machine lacks, and with what words the test ends.
func excuse(err, lack error) (skip bool, why string) {
	switch {
	case !errors.Is(err, ErrUnavailable):
		return false, err.Error()
	case lack != nil && !lacking(lack):
		return false, fmt.Sprintf("%v; what the machine can was tried beside the bench, and that failed: %v", err, lack)
	case lack == nil:
		return false, fmt.Sprintf("%v; but this machine can: it was tried beside the bench", err)
	}
	return true, fmt.Sprintf("%v (tried beside the bench: %v)", err, lack)
}

// machineLacks is why this machine can have no bench, or a bench and none of the mechanisms; nil when it can.
func machineLacks(mechanisms []string) error {
	if err := benchLacks(); err != nil {
		return err
	}
	var lacks []error
	for _, mechanism := range mechanisms {
		err := mechanismLacks(mechanism)
		if err == nil {
			return nil
		}
		lacks = append(lacks, fmt.Errorf("%s: %w", mechanism, err))
	}
	return errors.Join(lacks...)
}

// benchLacks is asked once: rights, namespaces with names, links between them, settings.
var benchLacks = sync.OnceValue(func() error {
	const admin, system = 12, 21 // CAP_NET_ADMIN, CAP_SYS_ADMIN
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(string(status), "CapEff:")
	rights, err := strconv.ParseUint(strings.Fields(after)[0], 16, 64)
	if err != nil {
		return err
	}
	if rights&(1<<admin) == 0 || rights&(1<<system) == 0 {
		return fmt.Errorf("effective capabilities %x: %w", rights, unix.EPERM)
	}
	return apart(func() error {
		file := filepath.Join(os.TempDir(), "assay-able."+strconv.Itoa(os.Getpid()))
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return err
		}
		defer os.Remove(file)
		if err := unix.Mount("/proc/thread-self/ns/net", file, "bind", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount: %w", err)
		}
		if err := unix.Unmount(file, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount: %w", err)
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "able0"
		pair := netlink.NewVeth(attrs)
		pair.PeerName = "able1"
		if err := netlink.LinkAdd(pair); err != nil {
			return fmt.Errorf("veth: %w", err)
		}
		return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
	})
})

// mechanismLacks is why the kernel has not what a mechanism is made of.
func mechanismLacks(mechanism string) error {
	return apart(func() error {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			return err
		}
		attrs := netlink.QdiscAttrs{LinkIndex: lo.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
		switch mechanism {
		case TBF:
			return netlink.QdiscAdd(&netlink.Tbf{QdiscAttrs: attrs, Rate: 1 << 20, Limit: 1 << 16, Buffer: 1 << 14})
		case Netem:
			return netlink.QdiscAdd(netlink.NewNetem(attrs, netlink.NetemQdiscAttrs{Limit: 10}))
		case TUN:
			return netlink.LinkAdd(&netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: "able2"}, Mode: netlink.TUNTAP_MODE_TUN})
		case NFT:
			return rulesLack()
		}
		return nil // a link can be set down wherever it can be made
	})
}

// rulesLack tries the parts of rules that kernels may be built without.
func rulesLack() error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "able"})
	chain := conn.AddChain(&nftables.Chain{Name: "c", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter})
	set := &nftables.Set{Table: table, Name: "s", Dynamic: true, KeyType: nftables.TypeIPAddr, HasTimeout: true, Size: 8}
	if err := conn.AddSet(set, nil); err != nil {
		return err
	}
	const source = 12 // of the IPv4 header
	for _, part := range [][]expr.Any{
		{&expr.Numgen{Register: unix.NFT_REG_1, Modulus: 2, Type: unix.NFT_NG_RANDOM}},
		{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: unix.NFT_REG_1}, &expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: []byte{unix.IPPROTO_TCP}},
			&expr.Counter{}, &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}},
		{&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseNetworkHeader, Offset: source, Len: 4},
			&expr.Dynset{SrcRegKey: unix.NFT_REG_1, SetName: set.Name, SetID: set.ID, Operation: unix.NFT_DYNSET_OP_UPDATE}},
	} {
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: part})
	}
	return conn.Flush()
}

// apart runs f in a network namespace without a name, which ends with its thread.
func apart(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here, and what f made with it
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}
