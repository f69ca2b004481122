package iso8583

import (
	"errors"
	"testing"
)

var errSum = errors.New("no key")

func TestSeal(t *testing.T) {
	c := codec(t, packedDialect())
	var under string
	sum := func(data []byte) ([]byte, error) {
		under = string(data)
		return []byte("\xDE\xAD\xBE\xEF\x00\x01\x02\x03"), nil
	}
	m := packedPurchase()
	wire, err := c.Seal(m, sum)
	if err != nil || string(wire) != goldenPacked[:len(goldenPacked)-8]+"\xDE\xAD\xBE\xEF\x00\x01\x02\x03" {
		t.Fatalf("%x, %v", wire, err)
	}
	if want := goldenPacked[6 : len(goldenPacked)-8]; under != want {
		t.Errorf("summed %x\nwant   %x", under, want)
	}
	if m.Fields[64] != packedPurchase().Fields[64] {
		t.Error("Seal changed the caller's message")
	}
	data, mac, err := c.MACData(wire)
	if err != nil || string(data) != under || string(mac) != "\xDE\xAD\xBE\xEF\x00\x01\x02\x03" {
		t.Errorf("%x, %x, %v", data, mac, err)
	}
}

// A MAC is the last field: with others beyond 64 it moves to 128.
func TestSealBeyond64(t *testing.T) {
	c := codec(t, packedDialect())
	var under string
	sum := func(data []byte) ([]byte, error) { under = string(data); return make([]byte, 8), nil }
	m := Message{MTI: "0400", Fields: map[int]string{64: "0102030405060708", 90: "020000000711221905010000000000000000000000"}}
	wire, err := c.Seal(m, sum)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Unpack(wire)
	if err != nil || got.Fields[128] != "0000000000000000" || got.Fields[64] != "" {
		t.Errorf("%v, %v", got.Fields, err)
	}
	if want := "\x04\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x01\x02\x00"; under[:len(want)] != want {
		t.Errorf("summed %x\nwant   %x…", under, want)
	}
	if data, _, err := c.MACData(wire); err != nil || string(data) != under {
		t.Errorf("%x, %v", data, err)
	}
}

func TestSealRefuses(t *testing.T) {
	c := codec(t, packedDialect())
	if _, err := c.Seal(packedPurchase(), func([]byte) ([]byte, error) { return nil, errSum }); err != errSum {
		t.Errorf("%v, want the error of sum", err)
	}
	_, err := c.Seal(packedPurchase(), func([]byte) ([]byte, error) { return make([]byte, 4), nil })
	checkFieldError(t, err, 64, ErrLength)
	_, err = c.Seal(Message{MTI: "0200", Fields: map[int]string{3: "x"}}, nil)
	checkFieldError(t, err, 3, ErrCharacters)
	if _, err = c.Seal(Message{MTI: "x"}, nil); err == nil {
		t.Error("an MTI of one letter is sealed")
	}
	wire, err := codec(t, dialect()).Seal(purchase(), nil)
	if err != nil || string(wire) != golden {
		t.Errorf("without a MAC: %q, %v", wire, err)
	}
}

func TestMACDataRefuses(t *testing.T) {
	c := codec(t, packedDialect())
	plain, err := c.Pack(Message{MTI: "0800", Fields: map[int]string{11: "000001"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, wire := range map[string]string{"none": string(plain), "cut": goldenPacked[:40], "cut in the MAC": goldenPacked[:len(goldenPacked)-1], "nothing": ""} {
		data, mac, err := c.MACData([]byte(wire))
		if data != nil || mac != nil || err == nil || errors.Is(err, ErrNoMAC) != (name == "none") {
			t.Errorf("%s: %x, %x, %v", name, data, mac, err)
		}
	}
	if _, _, err := codec(t, dialect()).MACData([]byte(golden)); !errors.Is(err, ErrNoMAC) {
		t.Errorf("a dialect without: %v", err)
	}
}
