package cardhopper

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestParser(t *testing.T) {
	junk := append([]byte{255}, bytes.Repeat([]byte{0x26}, 255)...)
	for _, c := range []struct {
		name string
		in   []byte
		want []kind
		rest int
	}{
		{"a mark", []byte{0xFE}, []kind{kindAck}, 0},
		{"a refusal", []byte("\xffERR"), []kind{kindRefusal}, 0},
		{"a frame", []byte{2, 0xE0, 0x80}, []kind{kindFrame}, 0},
		{"mark and frame", []byte{0xFE, 1, 0xC2, 0xFE}, []kind{kindAck, kindFrame, kindAck}, 0},
		{"a frame with marks in it", []byte{2, 0xFE, 0xFF}, []kind{kindFrame}, 0},
		{"nothing in the packet", []byte{0}, []kind{kindJunk}, 0},
		{"a length below zero", junk, []kind{kindJunk}, 0},
		{"unfinished", []byte{3, 1}, nil, 2},
		{"an unfinished refusal", []byte("\xffE"), nil, 2},
	} {
		for _, step := range []int{1, 300} {
			var p parser
			var got []kind
			for in := c.in; len(in) > 0; {
				n := min(step, len(in))
				for _, next := range p.feed(in[:n]) {
					got = append(got, next.kind)
				}
				in = in[n:]
			}
			if !slices.Equal(got, c.want) || len(p.buf) != c.rest || p.pending() != (c.rest > 0) {
				t.Errorf("%s: %v, %d bytes left; want %v, %d", c.name, got, len(p.buf), c.want, c.rest)
			}
		}
	}
}

func TestPacketTooLong(t *testing.T) {
	if _, err := packet(make([]byte, 256)); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v, want ErrTooLong", err)
	}
	if b, err := packet([]byte(modeCard)); err != nil || string(b) != "\x04CARD" {
		t.Errorf("%q, %v", b, err)
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte{0xFE, 2, 0xE0, 0x80, 0xFF, 'E', 'R', 'R'})
	f.Add([]byte{0xFF, 0xFF})
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, in []byte) {
		var whole, bytewise parser
		all := whole.feed(in)
		var single []item
		for _, c := range in {
			single = append(single, bytewise.feed([]byte{c})...)
		}
		if len(all) != len(single) || !bytes.Equal(whole.buf, bytewise.buf) || len(whole.buf) > maxPacket {
			t.Fatalf("%d at once, %d byte by byte", len(all), len(single))
		}
		for i, next := range all {
			if next.kind != single[i].kind || len(next.data) > maxFrame {
				t.Fatalf("item %d: %v and %v", i, next.kind, single[i].kind)
			}
		}
	})
}
