package cardhopper

import (
	"bytes"
	"errors"
	"fmt"
)

// The packets of the firmware (armsrc/Standalone/hf_cardhopper.c): a length of one byte and so many
// bytes, in both directions. The Proxmark also sends two marks without a length.
const (
	// maxPacket is the longest packet without its length.
	maxPacket = 255
	// ack is the mark that a packet of ours has come.
	ack = 0xFE
	// refusal is how the mark that a packet of ours can't be used begins; refusalText follows.
	refusal     = 0xFF
	refusalText = "ERR"
)

// The packets that switch the Proxmark's modes.
const (
	modeCard    = "CARD"
	modeRestart = "RESTART"
)

// kind is what the Proxmark sent.
type kind int

const (
	kindAck kind = iota + 1
	kindRefusal
	kindFrame // a frame of the terminal, without its CRC
	// kindJunk is a packet whose length can't be a frame's: the firmware made it of something in the air
	// that was shorter than a CRC. It wants an answer like a frame.
	kindJunk
)

// item is one packet or mark.
type item struct {
	kind kind
	data []byte
}

// maxFrame is the longest frame that the terminal may send, without its CRC: the driver announces
// frames of 128 bytes. Longer ones could not be told from the marks.
const maxFrame = 128 - 2

// ErrTooLong is returned for data that do not go into one packet.
var ErrTooLong = errors.New("longer than a packet")

// packet puts the length before data. Error: ErrTooLong.
func packet(data []byte) ([]byte, error) {
	if len(data) > maxPacket {
		return nil, fmt.Errorf("%d bytes: %w", len(data), ErrTooLong)
	}
	return append([]byte{byte(len(data))}, data...), nil
}

// parser takes the stream apart. Its memory is bounded by one packet.
type parser struct {
	buf []byte
}

// feed takes what came in and returns what is complete now.
func (p *parser) feed(chunk []byte) []item {
	var items []item
	p.buf = append(p.buf, chunk...)
	for {
		next, size := parse(p.buf)
		if size == 0 {
			return items
		}
		items = append(items, next)
		p.buf = bytes.Clone(p.buf[size:])
	}
}

// pending says that a packet is unfinished.
func (p *parser) pending() bool { return len(p.buf) > 0 }

// forget drops an unfinished packet.
func (p *parser) forget() { p.buf = nil }

// parse looks at the first packet or mark; size is 0 while it is unfinished.
func parse(b []byte) (next item, size int) {
	if len(b) == 0 {
		return item{}, 0
	}
	length := int(b[0])
	switch {
	case length == ack:
		return item{kind: kindAck}, 1
	case length == refusal && len(b) <= len(refusalText):
		return item{}, 0
	case length == refusal && string(b[1:1+len(refusalText)]) == refusalText:
		return item{kind: kindRefusal}, 1 + len(refusalText)
	case len(b) < 1+length:
		return item{}, 0
	case length > maxFrame || length == 0:
		return item{kind: kindJunk}, 1 + length
	}
	return item{kind: kindFrame, data: bytes.Clone(b[1 : 1+length])}, 1 + length
}
