package cardhopper

import (
	"bytes"

	"github.com/assay-hil/assay/rigs/card"
)

// First bytes of blocks (ISO/IEC 14443-4 §7.1.1.1).
const (
	pcbInformation byte = 0x02
	pcbAck         byte = 0xA2
	pcbNak         byte = 0xB2
	pcbWaiting     byte = 0xF2 // S(WTX)
	pcbDeselect    byte = 0xC2

	bitNumber   byte = 0x01
	bitNAD      byte = 0x04
	bitCID      byte = 0x08
	bitChaining byte = 0x10

	// ratsStart begins a request for answer to select, §5.1; maxCID is the highest number in it.
	ratsStart byte = 0xE0
	maxCID    byte = 14
)

// crcSize is what a frame has behind its content.
const crcSize = 2

// event is what a frame means for the card's application.
type event int

const (
	nothing      event = iota // the frame is not for us, or only a part of a command
	selected                  // a session begins: the application starts anew
	commanded                 // a command is complete
	deselected                // the session ends
	askedAgain                // the terminal asks for the last block once more
	misaddressed              // a frame that no terminal sends to this card
)

// protocol is the card's half of the block protocol for one session. It has no goroutine and no clock.
type protocol struct {
	active bool
	number byte // of our last block, §7.5.3 rule C to E
	// room is how many bytes of a block's content the terminal takes, cid the card's number.
	room int
	cid  byte

	command  []byte // what came of a command so far
	response []byte // what is still to be sent of an answer
	last     []byte // our last block
	waiting  bool   // our last block was S(WTX)
}

// take handles one frame of the terminal. reply is what to send at once; nil means nothing yet.
func (p *protocol) take(frame []byte) (what event, reply []byte) {
	if isRATS(frame) {
		return p.begin(frame[1]), nil
	}
	if !p.active || len(frame) == 0 {
		return misaddressed, nil
	}
	pcb, content, mine := p.address(frame)
	if !mine {
		return misaddressed, nil
	}
	switch {
	case pcb&0xE2 == pcbInformation:
		return p.information(pcb, content)
	case pcb&0xE6 == pcbAck && len(content) == 0:
		return p.receipt(pcb)
	case pcb&0xF7 == pcbDeselect && len(content) == 0:
		p.active = false
		return deselected, frame
	}
	return misaddressed, nil
}

func isRATS(frame []byte) bool { return len(frame) == 2 && frame[0] == ratsStart }

// begin starts a session as the parameter byte of RATS says: FSDI and CID (§5.1).
func (p *protocol) begin(parameter byte) event {
	cid := parameter & 0x0F
	if cid > maxCID {
		return misaddressed
	}
	size := min(card.FrameSize(parameter>>4), maxPacket)
	*p = protocol{active: true, number: 1, cid: cid, room: size - crcSize - 1}
	if cid != 0 {
		p.room--
	}
	return selected
}

// address strips CID and NAD. A block with the number of another card is not for us; one without a
// number is when our number is 0 (§7.1.1.2). NAD is announced as not supported.
func (p *protocol) address(frame []byte) (pcb byte, content []byte, mine bool) {
	pcb, content = frame[0], frame[1:]
	information := pcb&0xC0 == 0
	if information && pcb&bitNAD != 0 {
		return 0, nil, false
	}
	if pcb&bitCID == 0 {
		return pcb, content, p.cid == 0
	}
	if len(content) == 0 || content[0]&0x0F != p.cid {
		return 0, nil, false
	}
	return pcb, content[1:], true
}

// information takes an I-block. Its number is not looked at (rule D): the terminal sends a block again
// only when we did not get it.
func (p *protocol) information(pcb byte, content []byte) (event, []byte) {
	p.number ^= 1
	p.response, p.last, p.waiting = nil, nil, false
	p.command = append(p.command, content...)
	if len(p.command) > card.MaxCommand {
		p.command = nil
		return misaddressed, nil
	}
	if pcb&bitChaining != 0 {
		return nothing, p.block(pcbAck|p.number, nil)
	}
	return commanded, nil
}

// taken gives the complete command and makes room for the next.
func (p *protocol) taken() []byte {
	command := p.command
	p.command = nil
	return command
}

// receipt takes R(ACK) and R(NAK), rules 11 to 13 of §7.5.3.
func (p *protocol) receipt(pcb byte) (event, []byte) {
	nak := pcb&0xF6 == pcbNak
	switch {
	case pcb&bitNumber == p.number: // rule 11
		return askedAgain, p.last
	case nak: // rule 12
		return nothing, p.block(pcbAck|p.number, nil)
	case len(p.response) > 0: // rules E and 13
		p.number ^= 1
		return nothing, p.next()
	}
	return misaddressed, nil
}

// answer begins to send the application's answer; more blocks follow as the terminal asks for them.
func (p *protocol) answer(response []byte) []byte {
	p.response, p.waiting = bytes.Clone(response), false
	return p.next()
}

// next gives the next I-block of the answer.
func (p *protocol) next() []byte {
	n := min(len(p.response), p.room)
	content := p.response[:n]
	p.response = p.response[n:]
	pcb := pcbInformation | p.number
	if len(p.response) > 0 {
		pcb |= bitChaining
	}
	return p.block(pcb, content)
}

// extend asks for more time: as many frame waiting times as factor says, 1 to 59 (§7.3).
func (p *protocol) extend(factor byte) []byte {
	p.waiting = true
	return p.block(pcbWaiting, []byte{factor})
}

// block makes a block with our number, where the terminal gave us one, and keeps it.
func (p *protocol) block(pcb byte, content []byte) []byte {
	b := []byte{pcb}
	if p.cid != 0 {
		b = []byte{pcb | bitCID, p.cid}
	}
	p.last = append(b, content...)
	return p.last
}
