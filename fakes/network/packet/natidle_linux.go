package packet

import (
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// maxTracked is how many connections a NAT's table holds; of further ones nobody's idle time
// is known, and they pass.
const maxTracked = 65536

// tracked is the register of a connection's key, register32 the parts of it.
const (
	tracked    = unix.NFT_REG_1
	register32 = unix.NFT_REG32_00
)

// natIdleExpiry keeps two sets of connections: those seen since the fault was armed, and
// those not idle for too long, whose elements end by themselves. A packet of a connection that
// is in the first only is dropped. A connection's idle time begins with its first packet that
// passes while the fault is armed; a new SYN of the terminal begins it anew.
func (r *ruleset) natIdleExpiry(s Spec) error {
	key, err := nftables.ConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService,
		nftables.TypeIPAddr, nftables.TypeInetService)
	if err != nil {
		return err
	}
	seen := &nftables.Set{Table: r.table, Name: "seen", Dynamic: true, Concatenation: true, KeyType: key, Size: maxTracked}
	alive := &nftables.Set{Table: r.table, Name: "alive", Dynamic: true, Concatenation: true, KeyType: key,
		Size: maxTracked, HasTimeout: true, Timeout: s.Idle}
	for _, set := range []*nftables.Set{seen, alive} {
		if err := r.conn.AddSet(set, nil); err != nil {
			return err
		}
	}
	accept := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	begin := []expr.Any{touch(seen), touch(alive), accept[0]}
	for _, direction := range []string{FromTerminal, FromHost} {
		match, connection := tcp(direction, s.Port), connectionKey(direction)
		if direction == FromTerminal {
			r.rule(match, flags(flagSYN|flagACK, flagSYN), connection, begin)
		}
		r.rule(match, connection, in(seen, false), begin)
		r.rule(match, connection, in(alive, true), []expr.Any{touch(alive)}, accept)
		r.rule(match, connection, in(seen, true), counted(drop()))
	}
	return nil
}

// connectionKey loads both ends of a packet's connection, the terminal's first.
func connectionKey(direction string) []expr.Any {
	const source, target = 12, 16 // in the IPv4 header
	const sourcePort, targetPort = 0, 2
	ends := [2][2]uint32{{source, sourcePort}, {target, targetPort}}
	if direction == FromHost {
		ends[0], ends[1] = ends[1], ends[0]
	}
	var key []expr.Any
	for i, end := range ends {
		first := uint32(register32 + 2*i)
		key = append(key, load(expr.PayloadBaseNetworkHeader, end[0], 4, first),
			load(expr.PayloadBaseTransportHeader, end[1], 2, first+1))
	}
	return key
}

// in matches connections that are, or are not, in a set.
func in(set *nftables.Set, want bool) []expr.Any {
	return []expr.Any{&expr.Lookup{SourceRegister: tracked, SetName: set.Name, SetID: set.ID, Invert: !want}}
}

// touch puts a connection into a set, or begins its time anew.
func touch(set *nftables.Set) expr.Any {
	return &expr.Dynset{SrcRegKey: tracked, SetName: set.Name, SetID: set.ID, Operation: unix.NFT_DYNSET_OP_UPDATE}
}
