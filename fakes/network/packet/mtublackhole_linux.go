package packet

import "github.com/google/nftables/expr"

// mtuBlackhole drops IP packets longer than the fault's size and tells nobody, as a router
// does whose ICMP is filtered: short messages pass, long ones hang.
func (r *ruleset) mtuBlackhole(s Spec) {
	for _, direction := range s.directions() {
		length := append([]expr.Any{&expr.Meta{Key: expr.MetaKeyLEN, Register: register}},
			compare(expr.CmpOpGt, uint32(s.Size))...)
		r.rule(tcp(direction, s.Port), length, counted(drop()))
	}
}
