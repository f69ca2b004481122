package network

// pass is no fault: what becomes of a message that no fault picks.
type pass struct{}

func (pass) decide(message) verdict { return verdict{fate: passed} }
