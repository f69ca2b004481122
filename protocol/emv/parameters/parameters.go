// Package parameters is what an acquirer loads into a terminal's kernel, and how it travels: applications with their limits and
// action codes, and the public keys of certification authorities. A record is a row of BER-TLV objects that begins with 9F06;
// records follow each other. The tags are EMV's where it has one, else those of UnionPay's parameter download (DF01 to DF21).
// Of UnionPay's specification only descriptions in terminal sources were read; what a packet looks like around the records
// (Packet) is a guess in their manner.
package parameters

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/assay-hil/assay/protocol/emv"
)

// Set is all that a kernel is loaded with.
type Set struct {
	Applications []Application
	Keys         []Key
}

// Application is one that a terminal supports. Amounts are minor units.
type Application struct {
	AID []byte // 5 to 16 bytes
	// Partial says that a longer name on the card beginning with AID is also this application.
	Partial bool
	// Version is 9F09.
	Version [2]byte
	// FloorLimit: from this amount on a sale goes online.
	FloorLimit int64
	// Random selection of smaller sales: Target percent of those below Threshold, up to Max percent at the floor limit.
	Threshold   int64
	Target, Max int
	// The terminal action codes (EMV Book 3 §10.7).
	TACDefault, TACDenial, TACOnline [5]byte
	// Contactless is nil for an application that is not accepted in the field.
	Contactless *Limits
}

// Limits are those of contactless sales: above Floor the host is asked, above CVM the cardholder verified, above Transaction the
// card inserted.
type Limits struct{ Floor, CVM, Transaction int64 }

// Key is a certification authority's public key.
type Key struct {
	RID               [5]byte
	Index             byte
	Modulus, Exponent []byte
}

// The tags. 9F06 is an application's name, or an authority's.
const (
	tagName          = 0x9F06
	tagPartial       = 0xDF01 // 00 or 01
	tagVersion       = 0x9F09
	tagTACDefault    = 0xDF11
	tagTACOnline     = 0xDF12
	tagTACDenial     = 0xDF13
	tagFloorLimit    = 0x9F1B
	tagThreshold     = 0xDF15
	tagMaxPercent    = 0xDF16
	tagTargetPercent = 0xDF17
	tagFieldFloor    = 0xDF19
	tagFieldLimit    = 0xDF20
	tagFieldCVM      = 0xDF21
	tagIndex         = 0x9F22
	tagModulus       = 0xDF02
	tagExponent      = 0xDF04
)

// ErrRecord is returned for bytes that are no records.
var ErrRecord = errors.New("no parameter record")

const (
	minAID, maxAID = 5, 16
	maxPercent     = 99
)

func amount(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n))[2:] }

func flag(b bool) []byte {
	if b {
		return []byte{1}
	}
	return []byte{0}
}

// Encode writes the record of an application.
func (a Application) Encode() []byte {
	list := emv.List{
		{Tag: tagName, Value: a.AID}, {Tag: tagPartial, Value: flag(a.Partial)}, {Tag: tagVersion, Value: a.Version[:]},
		{Tag: tagTACDefault, Value: a.TACDefault[:]}, {Tag: tagTACOnline, Value: a.TACOnline[:]}, {Tag: tagTACDenial, Value: a.TACDenial[:]},
		{Tag: tagFloorLimit, Value: amount(a.FloorLimit)}, {Tag: tagThreshold, Value: amount(a.Threshold)},
		{Tag: tagMaxPercent, Value: []byte{byte(a.Max)}}, {Tag: tagTargetPercent, Value: []byte{byte(a.Target)}},
	}
	if l := a.Contactless; l != nil {
		list = append(list, emv.TLV{Tag: tagFieldFloor, Value: amount(l.Floor)}, emv.TLV{Tag: tagFieldLimit, Value: amount(l.Transaction)},
			emv.TLV{Tag: tagFieldCVM, Value: amount(l.CVM)})
	}
	return list.Encode()
}

// Encode writes the record of a key.
func (k Key) Encode() []byte {
	return emv.List{
		{Tag: tagName, Value: k.RID[:]}, {Tag: tagIndex, Value: []byte{k.Index}}, {Tag: tagModulus, Value: k.Modulus}, {Tag: tagExponent, Value: k.Exponent},
	}.Encode()
}

// record is one, while it is read. The first thing that is wrong stays.
type record struct {
	list emv.List
	err  error
}

// records tells where each begins.
func records(raw []byte) ([]record, error) {
	list, err := emv.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	var all []record
	for _, object := range list {
		if object.Tag == tagName {
			all = append(all, record{})
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%w: it begins with %X, not with 9F06", ErrRecord, object.Tag)
		}
		last := &all[len(all)-1]
		last.list = append(last.list, object)
	}
	return all, nil
}

// bytes gives a value of between so many bytes.
func (r *record) bytes(tag uint32, least, most int) []byte {
	value, ok := r.list.Find(tag)
	if r.err == nil && (!ok || len(value) < least || len(value) > most) {
		r.err = fmt.Errorf("%w: %X needs %d to %d bytes", ErrRecord, tag, least, most)
	}
	if r.err != nil {
		return make([]byte, least)
	}
	return value
}

func (r *record) amount(tag uint32) int64 {
	const size = 6
	return int64(binary.BigEndian.Uint64(append([]byte{0, 0}, r.bytes(tag, size, size)...)))
}

func (r *record) percent(tag uint32) int {
	n := int(r.bytes(tag, 1, 1)[0])
	if r.err == nil && n > maxPercent {
		r.err = fmt.Errorf("%w: %X is at most %d", ErrRecord, tag, maxPercent)
	}
	return n
}

func (r *record) code(tag uint32) [5]byte { return [5]byte(r.bytes(tag, 5, 5)) }

// Applications reads records of applications. Error: ErrRecord.
func Applications(raw []byte) ([]Application, error) {
	all, err := records(raw)
	if err != nil {
		return nil, err
	}
	apps := make([]Application, 0, len(all))
	for _, r := range all {
		a := Application{
			AID: r.bytes(tagName, minAID, maxAID), Partial: r.bytes(tagPartial, 1, 1)[0] == 1, Version: [2]byte(r.bytes(tagVersion, 2, 2)),
			TACDefault: r.code(tagTACDefault), TACOnline: r.code(tagTACOnline), TACDenial: r.code(tagTACDenial),
			FloorLimit: r.amount(tagFloorLimit), Threshold: r.amount(tagThreshold), Max: r.percent(tagMaxPercent), Target: r.percent(tagTargetPercent),
		}
		if _, ok := r.list.Find(tagFieldLimit); ok {
			a.Contactless = &Limits{Floor: r.amount(tagFieldFloor), CVM: r.amount(tagFieldCVM), Transaction: r.amount(tagFieldLimit)}
		}
		if r.err == nil && a.Target > a.Max {
			r.err = fmt.Errorf("%w: of %X more are drawn than at most", ErrRecord, a.AID)
		}
		if r.err != nil {
			return nil, r.err
		}
		apps = append(apps, a)
	}
	return apps, nil
}

// Lengths of a modulus and an exponent, bytes (EMV Book 2 annex B2.1).
const (
	minModulus, maxModulus = 64, 248
	maxExponent            = 3
)

// Keys reads records of keys. Error: ErrRecord.
func Keys(raw []byte) ([]Key, error) {
	all, err := records(raw)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, 0, len(all))
	for _, r := range all {
		k := Key{
			RID: [5]byte(r.bytes(tagName, 5, 5)), Index: r.bytes(tagIndex, 1, 1)[0],
			Modulus: r.bytes(tagModulus, minModulus, maxModulus), Exponent: r.bytes(tagExponent, 1, maxExponent),
		}
		if r.err != nil {
			return nil, r.err
		}
		keys = append(keys, k)
	}
	return keys, nil
}
