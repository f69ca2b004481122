package parameters_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/assay-hil/assay/protocol/emv/parameters"
)

func sample() parameters.Set {
	return parameters.Set{
		Applications: []parameters.Application{
			{
				AID: []byte{0xA0, 0, 0, 3, 0x33, 1, 1}, Partial: true, Version: [2]byte{0, 0x30}, FloorLimit: 5000, Threshold: 1000, Target: 20, Max: 50,
				TACDefault: [5]byte{0xD8, 0x40, 4, 0xF8}, TACDenial: [5]byte{0x10, 0x70}, TACOnline: [5]byte{0xD8},
				Contactless: &parameters.Limits{CVM: 30000, Transaction: 100000},
			},
			{AID: []byte{0xA0, 0, 0, 0, 3, 0x10, 0x10}, Version: [2]byte{0, 0x96}},
		},
		Keys: []parameters.Key{{RID: [5]byte{0xA0, 0, 0, 0, 3}, Index: 0x92, Modulus: bytes.Repeat([]byte{0xC5}, 248), Exponent: []byte{3}}},
	}
}

// What is written is read again, and the bytes are those of the tags' tables.
func TestRecords(t *testing.T) {
	set := sample()
	applications, keys := set.Records()
	got, err := parameters.Applications(bytes.Join(applications, nil))
	if err != nil || !reflect.DeepEqual(got, set.Applications) {
		t.Errorf("applications: %v\n got %+v\nwant %+v", err, got, set.Applications)
	}
	read, err := parameters.Keys(bytes.Join(keys, nil))
	if err != nil || !reflect.DeepEqual(read, set.Keys) {
		t.Errorf("keys: %v\n got %+v\nwant %+v", err, read, set.Keys)
	}
	if want := []byte{0x9F, 0x06, 7, 0xA0, 0, 0, 0, 3, 0x10, 0x10, 0xDF, 0x01, 1, 0, 0x9F, 0x09, 2, 0, 0x96, 0xDF, 0x11, 5}; !bytes.HasPrefix(applications[1], want) {
		t.Errorf("record %X does not begin with %X", applications[1], want)
	}
}

// What is no record is refused: cut anywhere, without its name, with a value that is too long.
func TestRecordsRefused(t *testing.T) {
	applications, keys := sample().Records()
	for name, read := range map[string]func([]byte) error{
		"applications": func(raw []byte) error { _, err := parameters.Applications(raw); return err },
		"keys":         func(raw []byte) error { _, err := parameters.Keys(raw); return err },
	} {
		whole := map[string][]byte{"applications": applications[1], "keys": keys[0]}[name]
		for cut := 1; cut < len(whole); cut++ {
			if err := read(whole[:cut]); !errors.Is(err, parameters.ErrRecord) {
				t.Fatalf("%s cut at %d: %v", name, cut, err)
			}
		}
		if err := read(whole[10:]); !errors.Is(err, parameters.ErrRecord) {
			t.Errorf("%s without a name: %v", name, err)
		}
	}
	long := sample().Applications[1]
	long.AID = make([]byte, 17)
	if _, err := parameters.Applications(long.Encode()); !errors.Is(err, parameters.ErrRecord) {
		t.Errorf("a name of 17 bytes: %v", err)
	}
	drawn := sample().Applications[1]
	drawn.Target, drawn.Max = 2, 1
	if _, err := parameters.Applications(drawn.Encode()); !errors.Is(err, parameters.ErrRecord) {
		t.Errorf("2 percent of at most 1: %v", err)
	}
}

// A download packet by packet brings every record once, in order, whatever room a message has.
func TestPackets(t *testing.T) {
	var all [][]byte
	for n := range 7 {
		all = append(all, bytes.Repeat([]byte{byte(n)}, 30+n))
	}
	for _, room := range []int{1, 40, 62, 100, 1000} {
		var got [][]byte
		for packets := 0; ; packets++ {
			if packets > len(all) {
				t.Fatalf("room %d: it does not end", room)
			}
			held, err := parameters.Held(parameters.Request(len(got)))
			if err != nil {
				t.Fatal(err)
			}
			p, err := parameters.ReadPacket(parameters.Next(all, held, room).Encode())
			if err != nil {
				t.Fatal(err)
			}
			for rest := p.Records; len(rest) > 0; rest = rest[30+int(rest[0]):] {
				got = append(got, rest[:30+int(rest[0])])
			}
			if !p.More {
				break
			}
		}
		if !reflect.DeepEqual(got, all) {
			t.Errorf("room %d: %d records", room, len(got))
		}
	}
	if p, err := parameters.ReadPacket(parameters.Next(nil, 0, 100).Encode()); err != nil || p.More || len(p.Records) > 0 {
		t.Errorf("nothing to be had: %+v, %v", p, err)
	}
	for _, raw := range [][]byte{nil, {'0', 1}, {'2'}, {'3'}, {'9', 1}} {
		if _, err := parameters.ReadPacket(raw); !errors.Is(err, parameters.ErrPacket) {
			t.Errorf("% X: %v", raw, err)
		}
	}
	for _, raw := range [][]byte{nil, {1, 2}, {parameters.MaxRecords + 1}} {
		if _, err := parameters.Held(raw); !errors.Is(err, parameters.ErrPacket) {
			t.Errorf("request % X: %v", raw, err)
		}
	}
}
