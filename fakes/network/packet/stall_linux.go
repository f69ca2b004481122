package packet

// stall drops what carries data and what closes or resets a connection, so that handshakes
// succeed and then nothing comes, ever.
func (r *ruleset) stall(s Spec) {
	r.data(s, drop())
	for _, direction := range s.directions() {
		r.rule(tcp(direction, s.Port), flags(flagFIN, flagFIN), counted(drop()))
		r.rule(tcp(direction, s.Port), flags(flagRST, flagRST), counted(drop()))
	}
}
