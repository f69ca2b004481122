package reader

import (
	"context"
	"fmt"
	"time"
)

// block is one of the card's, taken apart (§7.1.1).
type block struct {
	kind     byte // 'I', 'A' for R(ACK), 'N' for R(NAK), 'W' for S(WTX)
	number   byte
	chaining bool
	inf      []byte
}

// Transmit sends a command APDU, chained where the card's frames are too short for it, and puts
// the answer together. Errors: ErrNoCard, ErrSilent, ErrProtocol, ctx's.
func (r *Reader) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if !r.active {
		return nil, ErrNoCard
	}
	ctx, cancel := context.WithTimeoutCause(ctx, CommandLimit, fmt.Errorf("%w within %v", ErrSilent, CommandLimit))
	defer cancel()
	room := r.fsc - crcSize - len(r.withCID(0, nil))
	for len(command) > room {
		answer, err := r.exchange(ctx, r.information(command[:room], true))
		if err != nil {
			return nil, err
		}
		if answer.kind != 'A' {
			return nil, fmt.Errorf("%w: a chained block is answered with %c", ErrProtocol, answer.kind)
		}
		command = command[room:]
	}
	answer, err := r.exchange(ctx, r.information(command, false))
	response := []byte(nil)
	for err == nil {
		if answer.kind != 'I' {
			return nil, fmt.Errorf("%w: a command is answered with %c", ErrProtocol, answer.kind)
		}
		if response = append(response, answer.inf...); len(response) > ResponseLimit {
			return nil, fmt.Errorf("%w: the answer has no end", ErrProtocol)
		}
		if !answer.chaining {
			return response, nil
		}
		answer, err = r.exchange(ctx, r.withCID(0xA2|r.number, nil))
	}
	return nil, err
}

// information makes an I-block.
func (r *Reader) information(inf []byte, chaining bool) []byte {
	pcb := 0x02 | r.number
	if chaining {
		pcb |= 0x10
	}
	return r.withCID(pcb, inf)
}

// exchange sends a block until the card's answer is as it must be (§7.5.4). An I-block or an R(ACK)
// of the right number moves the number on.
func (r *Reader) exchange(ctx context.Context, sent []byte) (block, error) {
	next, wait := sent, r.fwt
	for attempt := 0; attempt <= Attempts; {
		if ctx.Err() != nil {
			return block{}, context.Cause(ctx)
		}
		frame := r.card.Frame(ctx, next, wait)
		wait = r.fwt
		got, ok := r.parse(frame)
		switch {
		case frame == nil || r.lost(frame) || !ok:
			attempt++
			next = r.again(sent)
			if frame != nil && !ok && attempt > Attempts {
				return block{}, fmt.Errorf("%w: block %02X", ErrProtocol, frame[:1])
			}
		case got.kind == 'W':
			next, wait = frame, r.fwt*time.Duration(got.inf[0]&0x3F)
		case got.kind == 'A' && got.number != r.number: // rule 6: it did not hear us
			attempt++
			next = sent
		case got.number != r.number:
			attempt++
			next = r.again(sent)
		default:
			r.number ^= 1
			return got, nil
		}
	}
	return block{}, ErrSilent
}

// again is what asks for a block once more: R(ACK) while the card is chaining, else R(NAK) (§7.5.5).
func (r *Reader) again(sent []byte) []byte {
	if sent[0]&0xF6 == 0xA2 {
		return sent
	}
	return r.withCID(0xB2|r.number, nil)
}

// parse takes a card's block apart; not ok when a reader must not accept it.
func (r *Reader) parse(frame []byte) (block, bool) {
	if len(frame) == 0 || len(frame)+crcSize > frameSize(r.cfg.FSDI) {
		return block{}, false
	}
	pcb, rest := frame[0], frame[1:]
	if hasCID := pcb&8 != 0; hasCID != (r.cfg.CID != 0) {
		return block{}, false
	} else if hasCID {
		if len(rest) == 0 || rest[0]&0x0F != r.cfg.CID {
			return block{}, false
		}
		rest = rest[1:]
	}
	switch {
	case pcb&0xE2 == 0x02 && pcb&4 == 0:
		return block{kind: 'I', number: pcb & 1, chaining: pcb&0x10 != 0, inf: rest}, true
	case pcb&0xF6 == 0xA2 && len(rest) == 0:
		return block{kind: 'A', number: pcb & 1}, true
	case pcb&0xF7 == 0xF2 && len(rest) == 1 && rest[0]&0x3F >= 1 && rest[0]&0x3F <= 59:
		return block{kind: 'W', inf: rest}, true
	}
	return block{}, false
}
