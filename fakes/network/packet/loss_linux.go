package packet

import (
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// million is the resolution of chance in rules.
const million = 1_000_000

// loss drops every nth packet that carries data, counted for each direction by itself, or
// packets by the kernel's own chance, which no seed repeats.
func (r *ruleset) loss(s Spec) {
	for _, direction := range s.directions() {
		match := tcp(direction, s.Port)
		if s.Every > 0 {
			r.rule(match, carriesData(), []expr.Any{
				&expr.Numgen{Register: register, Modulus: uint32(s.Every), Type: unix.NFT_NG_INCREMENTAL},
				equals(binaryutil.NativeEndian.PutUint32(uint32(s.Every - 1))),
			}, counted(drop()))
			continue
		}
		chance := []expr.Any{&expr.Numgen{Register: register, Modulus: million, Type: unix.NFT_NG_RANDOM}}
		r.rule(match, chance, compare(expr.CmpOpLt, uint32(s.Percent*million/100)), counted(drop()))
	}
}
