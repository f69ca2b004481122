package cardhopper

import (
	"bytes"
	"context"
	"slices"
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

func (b *bench) say(text string) {
	b.t.Helper()
	if _, err := b.host.Write([]byte(text)); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// want reads what came back within 10 ms.
func (b *bench) want(text string) {
	b.t.Helper()
	if err := b.host.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		b.t.Fatal(err)
	}
	buf := make([]byte, 1000)
	n, _ := b.host.Read(buf)
	if got := string(buf[:n]); got != text {
		b.t.Errorf("came back %q, want %q", got, text)
	}
}

// card makes it a card.
func (b *bench) card() {
	b.t.Helper()
	b.say("\x04CARD\x01\x0b\x02\x07\x01\x04\x01\x02\x03\x04\x07\x07\x78\x80\x40\x02\xaa\xbb")
	b.want("\xfe\xfe\xfe\xfe\xfe")
}

// frame sends a frame of the terminal's; the answer comes through the channel.
func (b *bench) frame(frame string, wait time.Duration) chan []byte {
	answer := make(chan []byte, 1)
	go func() { answer <- b.device.Frame(context.Background(), []byte(frame), wait) }()
	synctest.Wait()
	return answer
}

func TestModes(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		if _, _, found := b.device.Select(); found {
			t.Error("a card before CARD")
		}
		b.say("\x07RESTART")
		b.want("\xfe")
		b.card()
		if uid, sak, found := b.device.Select(); !found || sak != 0x20 || !bytes.Equal(uid, []byte{1, 2, 3, 4}) {
			t.Errorf("%X %02X %v", uid, sak, found)
		}
		b.say("\x07RESTART")
		b.want("\xfe")
		if got := b.device.Modes(); !slices.Equal(got, []string{"card", "out"}) {
			t.Errorf("modes %v", got)
		}
	})
}

func TestRelay(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.card()
		ats := <-b.frame("\xe0\x80", time.Second)
		if !bytes.Equal(ats, []byte{7, 0x78, 0x80, 0x71, 0x02, 0xAA, 0xBB}) {
			t.Errorf("ATS %X: waiting times or bit rate are not ours", ats)
		}
		b.want("\x02\xe0\x80") // and no answer is waited for
		answer := b.frame("\x02\x00\xa4", time.Second)
		b.want("\x03\x02\x00\xa4")
		b.say("\x03\x02\x90\x00")
		if got := <-answer; !bytes.Equal(got, []byte{2, 0x90, 0}) {
			t.Errorf("answer %X", got)
		}
		b.want("\xfe")
		for sent, want := range map[string][]byte{"\xd1\x11\x00": {0xD1}, "\xf2\x01": nil} {
			if got := <-b.frame(sent, time.Second); !bytes.Equal(got, want) {
				t.Errorf("%X is answered %X, want %X", sent, got, want)
			}
		}
		b.want("")
	})
}

// Whatever comes while a terminal is held is its answer, RESTART too; and the field is not heard then.
func TestHeldTerminal(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.card()
		held := b.frame("\x02\x01", time.Minute)
		b.want("\x02\x02\x01")
		if got := <-b.frame("\xb2", time.Second); got != nil {
			t.Errorf("heard while it was busy: %X", got)
		}
		b.say("\x07RESTART")
		if got := <-held; string(got) != "RESTART" {
			t.Errorf("answer %q", got)
		}
		if _, _, found := b.device.Select(); !found {
			t.Error("left card mode")
		}
		silent := b.frame("\x03\x01", time.Second)
		b.say("\x00")
		if got := <-silent; got != nil {
			t.Errorf("an empty packet is answer %X", got)
		}
	})
}

func TestFaults(t *testing.T) {
	for _, c := range map[string]struct {
		faults Faults
		want   string
	}{
		"dead": {Faults{SilentAfter: -1}, ""}, "dead after 2": {Faults{SilentAfter: 2}, "\xfe\xfe"},
		"drops every 2nd": {Faults{DropEvery: 2}, "\xfe\xfe"}, "refuses the 2nd": {Faults{RefuseAt: 2}, "\xfe\xffERR\xfe"},
	} {
		inBubble(t, Config{Faults: c.faults}, func(b *bench) {
			b.say("\x00\x00\x00")
			b.want(c.want)
		})
	}
}
