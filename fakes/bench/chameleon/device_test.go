package chameleon

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/protocol/memnet"
)

// bench is an emulator and the host's end of its line.
type bench struct {
	t      *testing.T
	device *Device
	host   *memnet.Conn
}

func inBubble(t *testing.T, cfg Config, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := memnet.Pipe()
		b := &bench{t: t, device: New(near, cfg), host: far}
		f(b)
		if err := b.device.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (b *bench) raw(p []byte) {
	b.t.Helper()
	if _, err := b.host.Write(p); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// read gives what came back within a second.
func (b *bench) read() []byte {
	b.t.Helper()
	if err := b.host.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		b.t.Fatal(err)
	}
	buf := make([]byte, 5000)
	n, _ := b.host.Read(buf)
	return buf[:n]
}

// ask sends a request and gives status and data.
func (b *bench) ask(command uint16, data ...byte) (uint16, []byte) {
	b.t.Helper()
	b.raw(message{command: command, data: data}.encode())
	p := b.read()
	if len(p) < 10 {
		b.t.Fatalf("request %d: %d bytes came back", command, len(p))
	}
	return uint16(p[4])<<8 | uint16(p[5]), p[9 : len(p)-1]
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The first request is the one that the firmware's own tools send.
func TestVersion(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.raw(unhex(t, "11ef03e8000000001500"))
		if got := b.read(); !bytes.Equal(got, unhex(t, "11ef03e800680002ab 0201fd")) {
			t.Errorf("answer %x", got)
		}
	})
}

func TestWhatIsNoFrameGetsNoAnswer(t *testing.T) {
	good := message{command: 1000}.encode()
	for name, p := range map[string][]byte{
		"text": []byte("hello"), "a wrong start": append([]byte{0x12}, good[1:]...), "a wrong sum": append(bytes.Clone(good[:8]), 0, 0),
		"garbage, then a frame in the same piece": append([]byte{0}, good...),
		"a wrong sum of the data":                 append(bytes.Clone(good[:9]), 1),
	} {
		inBubble(t, Config{}, func(b *bench) {
			b.raw(p)
			if got := b.read(); len(got) != 0 {
				t.Errorf("%s: answered %x", name, got)
			}
			if status, _ := b.ask(1000); status != ok {
				t.Errorf("%s: the next request gets status %02X", name, status)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		for _, c := range []struct {
			command uint16
			data    []byte
			want    uint16
		}{
			{9999, nil, unknown}, {1001, []byte{2}, badParameter}, {1003, []byte{8}, badParameter}, {6003, nil, badParameter},
			{6003, []byte{4, 0, 0xA4}, badParameter}, {6002, []byte{5}, badParameter}, {6000, nil, noTag}, {1003, []byte{7}, ok},
		} {
			if got, _ := b.ask(c.command, c.data...); got != c.want {
				t.Errorf("request %d %X: status %02X, want %02X", c.command, c.data, got, c.want)
			}
		}
	})
}

// card sets slot 0 up as a card with one answer of n bytes.
func (b *bench) card(n int) {
	b.t.Helper()
	answer := append(bytes.Repeat([]byte{0xAB}, n-2), 0x90, 0)
	for _, m := range []message{
		{command: 1003, data: []byte{0}}, {command: 1004, data: []byte{0, 0x0B, 0xB8}}, {command: 1005, data: []byte{0, 0x0B, 0xB8}},
		{command: 1006, data: []byte{0, 2, 1}}, {command: 6002, data: unhex(b.t, "04 01020304 0400 20 05 0578807000")},
		{command: 6003, data: []byte{0}}, {command: 6003, data: append([]byte{2, 0, 0xA4, byte(n >> 8), byte(n)}, answer...)},
	} {
		if status, _ := b.ask(m.command, m.data...); status != ok {
			b.t.Fatalf("request %d: status %02X", m.command, status)
		}
	}
}

// What the firmware does wrong, frame by frame.
func TestFirmwareBugs(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer int // bytes
		frames [][2]string
	}{
		{"a prefix is enough", 2, [][2]string{{"02 00A40400", "02 9000"}, {"03 00A4", "03 9000"}}},
		{"a command that the table lacks", 2, [][2]string{{"02 00B2", "30 3B"}}},
		{"R(NAK) never gets the answer again", 2, [][2]string{{"02 00A4", "02 9000"}, {"B2", "A3"}, {"02 00A4", "02 9000"}}},
		{"a chained command is taken for a whole one", 2, [][2]string{{"12 FF00A4", "02 9000"}}},
		{"CID is not sent back", 2, [][2]string{{"0A05 00A4", "02 9000"}}},
		{"a length over 255 is cut", 258, [][2]string{{"02 00A4", "02 ABAB"}}},
		{"deselect", 2, [][2]string{{"C2", "C2"}, {"02 00A4", "02 9000"}}},
	} {
		inBubble(t, Config{}, func(b *bench) {
			b.card(c.answer)
			if uid, sak, found := b.device.Select(); !found || sak != 0x20 || len(uid) != 4 {
				t.Fatalf("%X %02X %v", uid, sak, found)
			}
			for _, f := range c.frames {
				if got := b.device.Frame(t.Context(), unhex(t, f[0]), time.Millisecond); !bytes.Equal(got, unhex(t, f[1])) {
					t.Errorf("%s: %s is answered %X, want %s", c.name, f[0], got, f[1])
				}
			}
			if status, sent := b.ask(6000); status != ok || len(sent) == 0 {
				t.Errorf("%s: poll %02X %X", c.name, status, sent)
			}
		})
	}
}

func TestTableOverflowsInSilence(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.card(2)
		for n := range byte(Pairs + 3) {
			if status, _ := b.ask(6003, 1, n+1, 0, 2, 0x90, 0); status != ok {
				t.Errorf("pair %d: status %02X", n, status)
			}
		}
		if memory, flash := b.device.Pairs(); memory != Pairs || flash != 0 {
			t.Errorf("%d pairs, %d in flash", memory, flash)
		}
		b.ask(1009)
		b.ask(1001, 1)
		if _, _, found := b.device.Select(); found {
			t.Error("a card in reader mode")
		}
		b.ask(6003, 0)
		b.device.Restart()
		if memory, _ := b.device.Pairs(); memory != Pairs {
			t.Errorf("%d pairs after a restart, want what was saved", memory)
		}
		if _, _, found := b.device.Select(); !found {
			t.Error("no card after a restart")
		}
	})
}

func TestFaults(t *testing.T) {
	for name, cfg := range map[string]Config{
		"silent": {Faults{Silent: true}}, "drops": {Faults{DropEvery: 1}},
	} {
		inBubble(t, cfg, func(b *bench) {
			b.raw(message{command: 1000}.encode())
			if got := b.read(); len(got) != 0 {
				t.Errorf("%s: %x", name, got)
			}
		})
	}
	inBubble(t, Config{Faults{GarbleEvery: 1}}, func(b *bench) {
		b.raw(message{command: 1000}.encode())
		got := b.read()
		if _, whole := (&receiver{}).feed(got); whole {
			t.Errorf("not garbled: %x", got)
		}
	})
}

func FuzzReceiver(f *testing.F) {
	f.Add(message{command: 1000}.encode())
	f.Add(message{command: 6003, data: []byte{0}}.encode())
	f.Add([]byte{0x11, 0xEF})
	f.Fuzz(func(t *testing.T, in []byte) {
		var r receiver
		m, whole := r.feed(in)
		if whole && !bytes.Equal(m.encode()[6:], in[6:len(m.data)+10]) {
			t.Fatalf("%x became %+v", in, m)
		}
		if len(r.buffer) > preamble+DataLimit {
			t.Fatal("the buffer has no end")
		}
	})
}
