package chameleon

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// The frames are those that the firmware's own tools send, computed from utils/netdata.h.
func TestGoldenFrames(t *testing.T) {
	for _, c := range []struct {
		f    frame
		want string
	}{
		{frame{command: cmdVersion}, "11ef03e80000000015" + "00"},
		{frame{command: cmdSetMode, data: []byte{modeEmulator}}, "11ef03e90000000113" + "0000"},
		{frame{command: cmdSlotType, data: []byte{0, 0x0B, 0xB8}}, "11ef03ec000000030e" + "000bb83d"},
	} {
		b, err := c.f.encode()
		if err != nil || hex.EncodeToString(b) != c.want {
			t.Errorf("%v: %x, %v, want %s", c.f.command, b, err, c.want)
		}
		var p parser
		if got := p.feed(b); len(got) != 1 || got[0].command != c.f.command || !bytes.Equal(got[0].data, c.f.data) {
			t.Errorf("%v does not come back: %+v", c.f.command, got)
		}
	}
}

func TestTooLongFrame(t *testing.T) {
	if _, err := (frame{data: make([]byte, maxData+1)}).encode(); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v, want ErrTooLong", err)
	}
}

func TestParserFindsFramesBehindGarbage(t *testing.T) {
	whole, err := frame{command: cmdVersion, status: statusSuccess, data: []byte{2, 1}}.encode()
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[10] ^= 1
	long := bytes.Clone(whole)
	long[6], long[7] = 0xFF, 0xFF
	long[8] = lrc(long[:8])
	for _, c := range []struct {
		name   string
		before []byte
	}{
		{"nothing", nil}, {"text", []byte("hello")}, {"starts", []byte{0x11, 0x11, 0xEF, 0x11}},
		{"a cut frame", whole[:6]}, {"a flipped bit in the data", flipped}, {"a length over the limit", long},
		{"a wrong header", append([]byte{0x11, 0xEF}, make([]byte, 7)...)},
	} {
		for _, step := range []int{1, 3, 100} {
			var p parser
			var got []frame
			for in := append(bytes.Clone(c.before), whole...); len(in) > 0; {
				n := min(step, len(in))
				got = append(got, p.feed(in[:n])...)
				in = in[n:]
			}
			if len(got) != 1 || !bytes.Equal(got[0].data, []byte{2, 1}) || p.skipped != len(c.before) {
				t.Errorf("%s, %d at a time: %d frames, %d bytes skipped", c.name, step, len(got), p.skipped)
			}
		}
	}
}

func FuzzParser(f *testing.F) {
	b, err := frame{command: cmdReceive, status: statusSuccess, data: []byte{0, 0xA4, 4, 0}}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(append([]byte{0x11}, b...))
	f.Add(b[:5])
	f.Fuzz(func(t *testing.T, in []byte) {
		var whole, bytewise parser
		all := whole.feed(in)
		var single []frame
		for _, c := range in {
			single = append(single, bytewise.feed([]byte{c})...)
		}
		if len(all) != len(single) || whole.skipped != bytewise.skipped || len(whole.buf) >= maxFrame {
			t.Fatalf("%d frames at once, %d byte by byte", len(all), len(single))
		}
		for _, f := range all {
			again, err := f.encode()
			if err != nil || !bytes.Contains(in, again) {
				t.Fatalf("%+v was not in the input: %v", f, err)
			}
		}
	})
}
