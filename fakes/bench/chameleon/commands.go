package chameleon

import "slices"

// Status codes of the firmware.
const (
	ok           = 0x68
	noTag        = 0x01
	badParameter = 0x60
	unknown      = 0x67
)

// kind4 is the slot type of an ISO/IEC 14443-4 card.
const kind4 = 3000

// perform carries out one request. The caller holds the lock.
func (d *Device) perform(m message) message {
	reply := message{command: m.command, status: ok}
	run, known := handlers()[m.command]
	if !known || d.cfg.Faults.Old && m.command >= 6000 {
		reply.status = unknown
		return reply
	}
	reply.status, reply.data = run(d, m.data)
	return reply
}

type handler func(d *Device, data []byte) (status uint16, answer []byte)

func handlers() map[uint16]handler {
	return map[uint16]handler{
		1000: func(*Device, []byte) (uint16, []byte) { return ok, []byte{2, 1} },
		1001: (*Device).setMode,
		1002: func(d *Device, _ []byte) (uint16, []byte) {
			if d.emulate {
				return ok, []byte{0}
			}
			return ok, []byte{1}
		},
		1003: (*Device).setSlot,
		1004: (*Device).setKind,
		1005: (*Device).setDefault,
		1006: (*Device).enable,
		1009: func(d *Device, _ []byte) (uint16, []byte) { d.save(); return ok, nil },
		6000: (*Device).pending,
		6001: (*Device).respond,
		6002: (*Device).identity,
		6003: (*Device).static,
	}
}

func (d *Device) setMode(data []byte) (uint16, []byte) {
	if len(data) != 1 || data[0] > 1 {
		return badParameter, nil
	}
	d.emulate = data[0] == 0
	return ok, nil
}

func (d *Device) setSlot(data []byte) (uint16, []byte) {
	if len(data) != 1 || data[0] >= Slots {
		return badParameter, nil
	}
	d.active = data[0]
	return ok, nil
}

func (d *Device) setKind(data []byte) (uint16, []byte) {
	if len(data) != 3 || data[0] >= Slots {
		return badParameter, nil
	}
	d.slots[data[0]].kind = uint16(data[1])<<8 | uint16(data[2])
	return ok, nil
}

func (d *Device) setDefault(data []byte) (uint16, []byte) {
	if len(data) != 3 || data[0] >= Slots {
		return badParameter, nil
	}
	slot := &d.slots[data[0]]
	*slot = memory{
		kind: uint16(data[1])<<8 | uint16(data[2]), enabled: slot.enabled,
		uid: []byte{0xDE, 0xAD, 0xBE, 0xEF}, atqa: [2]byte{4, 0}, sak: 0x20, ats: []byte{5, 0x78, 0x80, 0x70, 2},
	}
	d.flash[data[0]] = slot.clone()
	d.saves++
	return ok, nil
}

func (d *Device) enable(data []byte) (uint16, []byte) {
	if len(data) != 3 || data[0] >= Slots || data[1] < 1 || data[1] > 2 || data[2] > 1 {
		return badParameter, nil
	}
	if data[1] == 2 {
		d.slots[data[0]].enabled = data[2] == 1
	}
	return ok, nil
}

func (d *Device) save() {
	for i := range d.slots {
		d.flash[i] = d.slots[i].clone()
	}
	d.saves++
}

func (d *Device) pending([]byte) (uint16, []byte) {
	if !d.field.pending {
		return noTag, nil
	}
	d.field.pending = false
	return ok, d.field.command
}

func (d *Device) respond(data []byte) (uint16, []byte) {
	if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
		return badParameter, nil
	}
	d.field.ready = data[2:]
	return ok, nil
}

func (d *Device) identity(data []byte) (uint16, []byte) {
	if len(data) < 1 || !slices.Contains([]byte{4, 7, 10}, data[0]) || len(data) < int(data[0])+5 {
		return badParameter, nil
	}
	n := int(data[0]) + 1
	atsEnd := n + 4 + int(data[n+3])
	slot := &d.slots[d.active]
	switch {
	case len(data) < atsEnd:
		return badParameter, nil
	case slot.kind != kind4:
		return noTag, nil
	}
	slot.uid, slot.atqa, slot.sak, slot.ats = data[1:n], [2]byte(data[n:]), data[n+2], data[n+4:atsEnd]
	return ok, nil
}

func (d *Device) static(data []byte) (uint16, []byte) {
	if len(data) == 0 {
		return badParameter, nil
	}
	slot := &d.slots[d.active]
	n := int(data[0])
	if n == 0 {
		slot.pairs = nil
		return ok, nil
	}
	if len(data) < n+3 {
		return badParameter, nil
	}
	length := int(data[n+1])<<8 | int(data[n+2])
	if len(data) < n+3+length {
		return badParameter, nil
	}
	if len(slot.pairs) < Pairs {
		slot.pairs = append(slot.pairs, pair{data[1 : 1+min(n, PrefixLimit)], data[n+3:][:length&0xFF]})
	}
	return ok, nil
}
