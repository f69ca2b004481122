package network

// reset cuts the connection at a message, which is not delivered: both the terminal and the
// host get a TCP RST (ECONNRESET), not an orderly end.
type reset struct{}

func (reset) decide(message) verdict { return verdict{fate: cut} }
