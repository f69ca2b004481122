package packet

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// register for what a rule compares.
const register = unix.NFT_REG_1

// innerHeader is the base of what TCP carries: NFT_PAYLOAD_INNER_HEADER of linux/netfilter/nf_tables.h.
const innerHeader expr.PayloadBase = 3

// ruleset is one fault's table in the router: a chain in the forward hook and what it needs.
// Deleting the table undoes everything at once.
type ruleset struct {
	conn  *nftables.Conn
	table *nftables.Table
	chain *nftables.Chain
}

// armRules arms a fault by nftables.
func (b *Bench) armRules(s Spec) (acting, error) {
	b.serial++
	r := &ruleset{conn: b.rules}
	r.table = r.conn.AddTable(&nftables.Table{
		Family: nftables.TableFamilyIPv4, Name: fmt.Sprintf("%s%d", prefix, b.serial),
	})
	r.chain = r.conn.AddChain(&nftables.Chain{
		Name: "forward", Table: r.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	if err := r.write(s); err != nil {
		return nil, err
	}
	return r, r.conn.Flush()
}

// write queues the rules of a kind.
func (r *ruleset) write(s Spec) error {
	switch s.Kind {
	case SYNBlackhole:
		r.synBlackhole(s)
	case Refused:
		r.refused(s)
	case ICMPUnreachable:
		r.icmpUnreachable(s)
	case StallAfterHandshake:
		r.stall(s)
	case ResetOnFirstData:
		r.resetOnFirstData(s)
	case NATIdleExpiry:
		return r.natIdleExpiry(s)
	case MTUBlackhole:
		r.mtuBlackhole(s)
	case Loss:
		r.loss(s)
	}
	return nil
}

// fired adds up the counters of the rules.
func (r *ruleset) fired() (uint64, error) {
	rules, err := r.conn.GetRules(r.table, r.chain)
	if err != nil {
		return 0, fmt.Errorf("read counters of %s: %w", r.table.Name, err)
	}
	var n uint64
	for _, rule := range rules {
		for _, e := range rule.Exprs {
			if c, ok := e.(*expr.Counter); ok {
				n += c.Packets
			}
		}
	}
	return n, nil
}

func (r *ruleset) heal() error {
	r.conn.DelTable(r.table)
	return r.conn.Flush()
}

// rule queues a rule of these parts.
func (r *ruleset) rule(parts ...[]expr.Any) {
	var all []expr.Any
	for _, part := range parts {
		all = append(all, part...)
	}
	r.conn.AddRule(&nftables.Rule{Table: r.table, Chain: r.chain, Exprs: all})
}

// requests queues a rule that counts connection requests of the terminal and gives them a fate.
func (r *ruleset) requests(port uint16, fate expr.Any) {
	r.rule(tcp(FromTerminal, port), flags(flagSYN|flagACK, flagSYN), counted(fate))
}

// data queues rules that count packets carrying data and give them a fate.
func (r *ruleset) data(s Spec, fate expr.Any) {
	for _, direction := range s.directions() {
		r.rule(tcp(direction, s.Port), carriesData(), counted(fate))
	}
}

// tcp matches the TCP packets of a direction, as they come into the router, and of a host's
// port if it is not 0.
func tcp(direction string, port uint16) []expr.Any {
	from, offset := Terminal, uint32(2)
	if direction == FromHost {
		from, offset = Host, 0
	}
	link := make([]byte, unix.IFNAMSIZ)
	copy(link, from)
	match := []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: register},
		equals(link),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register},
		equals([]byte{unix.IPPROTO_TCP}),
	}
	if port == 0 {
		return match
	}
	return append(match, load(expr.PayloadBaseTransportHeader, offset, 2, register),
		equals(binary.BigEndian.AppendUint16(nil, port)))
}

// flags matches TCP packets which have, of the flags in mask, just these.
func flags(mask, want byte) []expr.Any {
	const offset = 13
	return []expr.Any{
		load(expr.PayloadBaseTransportHeader, offset, 1, register),
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{mask}, Xor: []byte{0}},
		equals([]byte{want}),
	}
}

// carriesData matches packets with at least one byte behind the TCP header: where there is
// none, a rule ends at the attempt to load it.
func carriesData() []expr.Any {
	return []expr.Any{load(innerHeader, 0, 1, register)}
}

// counted counts what matched so far and gives it a fate.
func counted(fate expr.Any) []expr.Any {
	return []expr.Any{&expr.Counter{}, fate}
}

func drop() expr.Any { return &expr.Verdict{Kind: expr.VerdictDrop} }

// compare compares the register's number, in the machine's byte order, with n.
func compare(op expr.CmpOp, n uint32) []expr.Any {
	return []expr.Any{
		&expr.Byteorder{SourceRegister: register, DestRegister: register, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: op, Register: register, Data: binaryutil.BigEndian.PutUint32(n)},
	}
}

func equals(data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: data}
}

func load(base expr.PayloadBase, offset, length, into uint32) expr.Any {
	return &expr.Payload{DestRegister: into, Base: base, Offset: offset, Len: length}
}
