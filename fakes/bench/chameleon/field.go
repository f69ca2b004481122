package chameleon

import (
	"bytes"
	"context"
	"time"

	"github.com/assay-hil/assay/fakes/bench/reader"
)

var _ reader.Card = (*Device)(nil)

// tcl is the card's half of the block protocol, as the firmware has it.
type tcl struct {
	number  byte
	pending bool
	command []byte // the last one
	last    []byte // the last answer
	ready   []byte // from the host
}

// Select is the card's part in anticollision.
func (d *Device) Select() (uid []byte, sak byte, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slot := d.slots[d.active]
	if !d.emulate || !slot.enabled || slot.kind != kind4 {
		return nil, 0, false
	}
	d.field = tcl{}
	return bytes.Clone(slot.uid), slot.sak, true
}

// Frame answers at once or not at all: the table needs no host.
func (d *Device) Frame(ctx context.Context, frame []byte, wait time.Duration) []byte {
	d.mu.Lock()
	answer := d.hear(frame)
	d.mu.Unlock()
	if answer == nil {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return answer
}

func (d *Device) hear(frame []byte) []byte {
	if !d.emulate || len(frame) == 0 {
		return nil
	}
	slot, f := d.slots[d.active], &d.field
	pcb := frame[0]
	switch {
	case pcb == 0xE0:
		return slot.ats
	case pcb&0xC0 == 0xC0:
		if pcb&0xF7 == 0xC2 {
			*f = tcl{}
			return frame
		}
		return nil // the echo test can't match F2
	case pcb&0xC6 == 0x82:
		return []byte{0xA2 | f.number}
	case pcb&0xC0 == 0:
		return d.information(pcb, frame[1:])
	}
	return nil
}

// information answers an I-block. Bit 5 of the first byte (10) is the chaining bit; the firmware takes
// it for the one of CID and drops the next byte.
func (d *Device) information(pcb byte, rest []byte) []byte {
	f := &d.field
	for _, bit := range []byte{0x10, 0x08} {
		if pcb&bit != 0 && len(rest) > 0 {
			rest = rest[1:]
		}
	}
	if len(rest) == 0 {
		return []byte{0xA2 | f.number}
	}
	if pcb&1 != f.number {
		if len(f.last) == 0 {
			return []byte{0xA2 | f.number}
		}
		f.number ^= 1
		return d.block(f.last)
	}
	f.command, f.pending = bytes.Clone(rest), true
	for _, p := range d.slots[d.active].pairs {
		if bytes.HasPrefix(rest, p.command) {
			f.last = p.answer
			return d.block(p.answer)
		}
	}
	if f.ready != nil {
		f.last, f.ready = f.ready, nil
		return d.block(f.last)
	}
	return []byte{0x30, 0x3B}
}

func (d *Device) block(inf []byte) []byte {
	b := append([]byte{0x02 | d.field.number}, inf...)
	d.field.number ^= 1
	return b
}
