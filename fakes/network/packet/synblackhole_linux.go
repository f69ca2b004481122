package packet

// synBlackhole drops the terminal's connection requests, so that connect gives ETIMEDOUT when the
// kernel has repeated them often enough (two minutes by default), or ends by its own deadline.
func (r *ruleset) synBlackhole(s Spec) { r.requests(s.Port, drop()) }
