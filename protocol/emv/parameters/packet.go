package parameters

import (
	"errors"
	"fmt"
)

// Packet is a part of a download. The terminal asks with how many records it has already (Request), the host answers with the
// next ones that fit, and says whether there are more.
type Packet struct {
	// More says that the terminal has to ask again.
	More bool
	// Records follow each other; empty: there is nothing to be had.
	Records []byte
}

// The first byte of a packet, as in UnionPay's answers to parameter queries.
const (
	statusNone = '0'
	statusMore = '2'
	statusLast = '3'
)

// ErrPacket is returned for bytes that are no packet and no request.
var ErrPacket = errors.New("no parameter packet")

// MaxRecords bounds how many records one download brings.
const MaxRecords = 64

// Request is what a terminal sends that has so many records of a kind; more than MaxRecords are none.
func Request(held int) []byte { return []byte{byte(min(held, MaxRecords))} }

// Held reads a Request. Error: ErrPacket.
func Held(request []byte) (int, error) {
	if len(request) != 1 || request[0] > MaxRecords {
		return 0, fmt.Errorf("%w: a request is one byte, up to %d", ErrPacket, MaxRecords)
	}
	return int(request[0]), nil
}

// Next is the packet for a terminal that holds the first of all records; at least one record is in it, and as many
// as room bytes take.
func Next(all [][]byte, held, room int) Packet {
	if held >= len(all) {
		return Packet{}
	}
	p := Packet{Records: append([]byte(nil), all[held]...)}
	next := held + 1
	for next < len(all) && 1+len(p.Records)+len(all[next]) <= room {
		p.Records = append(p.Records, all[next]...)
		next++
	}
	p.More = next < len(all)
	return p
}

// Encode writes a packet.
func (p Packet) Encode() []byte {
	status := byte(statusLast)
	switch {
	case len(p.Records) == 0:
		status = statusNone
	case p.More:
		status = statusMore
	}
	return append([]byte{status}, p.Records...)
}

// ReadPacket reads one. Error: ErrPacket.
func ReadPacket(raw []byte) (Packet, error) {
	if len(raw) == 0 {
		return Packet{}, fmt.Errorf("%w: it is empty", ErrPacket)
	}
	p := Packet{More: raw[0] == statusMore, Records: raw[1:]}
	if none := raw[0] == statusNone; raw[0] != statusMore && raw[0] != statusLast && !none || none != (len(p.Records) == 0) {
		return Packet{}, fmt.Errorf("%w: status %#x with %d bytes of records", ErrPacket, raw[0], len(p.Records))
	}
	return p, nil
}

// Records are those of the applications and of the keys, each by itself.
func (s Set) Records() (applications, keys [][]byte) {
	for _, a := range s.Applications {
		applications = append(applications, a.Encode())
	}
	for _, k := range s.Keys {
		keys = append(keys, k.Encode())
	}
	return applications, keys
}
