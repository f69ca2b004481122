package network

import "net"

// Wire is one of a connection's two stretches: terminal to injector, or injector to host.
type Wire struct {
	Uplink     string
	Connection int    // from 1 in order of acceptance, as in events
	Side       string // who is at the other end: client.Terminal or client.Host
	// Local is the injector's address, Remote that of the other end.
	Local, Remote net.Addr
}

// Tap is told what is on the wires, as evidence. Its methods are called at the moment of what they
// tell, by many goroutines, and hold up the traffic while they run. A wire's calls begin with Opened;
// each of its directions ends with Ended at most once, and nothing follows in it.
type Tap interface {
	Opened(w *Wire)
	// Data are bytes that the injector sent, or received. What may not be shown is overwritten, and the
	// length is true. Received bytes are told by the frame, when its last byte is there. They hold
	// until the call returns.
	Data(w *Wire, sent bool, masked []byte)
	// Ended: a direction came to its end, in order or, with reset, both directions of the wire at once.
	Ended(w *Wire, sent, reset bool)
}

// image is bytes for the wire, and as a tap shows them.
type image struct{ raw, shown []byte } // shown has the same length, or is nil without a tap

// part is the bytes from one offset to another.
func (i image) part(from, to int) image {
	p := image{raw: i.raw[from:to:to]}
	if i.shown != nil {
		p.shown = i.shown[from:to:to]
	}
	return p
}

// and is a new image with more behind.
func (i image) and(more image) image {
	sum := image{raw: append(i.raw[:len(i.raw):len(i.raw)], more.raw...)}
	if i.shown != nil {
		sum.shown = append(i.shown[:len(i.shown):len(i.shown)], more.shown...)
	}
	return sum
}

// clone is an image of its own, for who keeps it.
func (i image) clone() image { return image{}.with(i.shown != nil).and(i) }

// with makes an empty image that is shown or not.
func (i image) with(shown bool) image {
	if shown {
		i.shown = []byte{}
	}
	return i
}

// overwritten is what a tap shows of bytes that nobody can read: as many zeros.
func overwritten(raw []byte) []byte { return make([]byte, len(raw)) }

// picture makes the image of a whole frame, whose length takes head bytes.
func (s *Server) picture(frame []byte, head int) image {
	i := image{raw: frame}
	if s.config.Tap == nil {
		return i
	}
	i.shown = append(make([]byte, 0, len(frame)), frame[:head]...)
	if masked := s.config.Messages.Mask(frame[head:]); len(masked) == len(frame)-head {
		i.shown = append(i.shown, masked...)
	} else {
		i.shown = append(i.shown, overwritten(frame[head:])...)
	}
	return i
}

// blank is the image of bytes that are no message.
func (s *Server) blank(raw []byte) image {
	i := image{raw: raw}
	if s.config.Tap != nil {
		i.shown = overwritten(raw)
	}
	return i
}
