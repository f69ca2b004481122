package vpcd

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"testing"
)

// chip counts its resets and answers with the command.
type chip struct {
	resets int
	mute   bool
}

func (c *chip) ATR() []byte { return []byte{0x3B, byte(c.resets)} }
func (c *chip) Reset()      { c.resets++ }
func (c *chip) Transmit(command []byte) []byte {
	if c.mute {
		return nil
	}
	return append(bytes.Clone(command), 0x90, 0x00)
}

// plug is a reader with a card in it; served gets what Serve returns.
func plug(t *testing.T, ctx context.Context, c Chip) (reader net.Conn, served <-chan error) {
	t.Helper()
	reader, card := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, card, c) }()
	t.Cleanup(func() { _ = reader.Close() })
	return reader, ended
}

// say sends hexadecimal as it is on the wire.
func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
}

// hear reads so many bytes and holds them against hexadecimal.
func hear(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want)/2)
	if _, err := io.ReadFull(r, got); err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(got) != want {
		t.Fatalf("heard %x, want %s", got, want)
	}
}

// Source: the exchange of vpcd.c's vicc_* functions, as frankmorgner/vsmartcard's doc/api.txt lists it, byte for byte.
func TestConversation(t *testing.T) {
	c := &chip{}
	reader, served := plug(t, t.Context(), c)
	say(t, reader, "000104") // presence, before power
	hear(t, reader, "00023b01")
	say(t, reader, "000101") // power on
	say(t, reader, "000104")
	hear(t, reader, "00023b02")
	say(t, reader, "0007"+"00a40400023f00")
	hear(t, reader, "0009"+"00a40400023f00"+"9000")
	say(t, reader, "000102") // reset
	say(t, reader, "000104")
	hear(t, reader, "00023b03")
	say(t, reader, "000100") // power off: the answer to reset is still told, since it is how presence is seen
	say(t, reader, "000104")
	hear(t, reader, "00023b03")
	_ = reader.Close()
	if err := <-served; !errors.Is(err, ErrGone) {
		t.Fatalf("the reader has gone: %v", err)
	}
}

func TestMuteChip(t *testing.T) {
	reader, _ := plug(t, t.Context(), &chip{mute: true})
	say(t, reader, "0004"+"00a40400")
	hear(t, reader, "0000")
}

func TestPulled(t *testing.T) {
	ctx, pull := context.WithCancel(t.Context())
	reader, served := plug(t, ctx, &chip{})
	say(t, reader, "000104")
	hear(t, reader, "00023b01")
	pull()
	if err := <-served; err != nil {
		t.Fatalf("pulled: %v", err)
	}
	if _, err := reader.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the reader sees %v", err)
	}
}

func TestBadReaders(t *testing.T) {
	for text, want := range map[string]error{"000103": ErrControl, "0000": ErrLength, "ffff": ErrLength, "00": io.ErrUnexpectedEOF, "000400": io.ErrUnexpectedEOF} {
		reader, served := plug(t, t.Context(), &chip{})
		say(t, reader, text)
		_ = reader.Close()
		if err := <-served; !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	if err := Write(io.Discard, make([]byte, 0x10000)); !errors.Is(err, ErrLength) {
		t.Errorf("65536 bytes: %v", err)
	}
}

// brief answers every command with a status.
type brief struct{ chip }

func (*brief) Transmit([]byte) []byte { return []byte{0x90, 0x00} }

// duplex is a connection made of what a reader says, and of what it hears.
type duplex struct {
	io.Reader
	bytes.Buffer
}

func (d *duplex) Read(p []byte) (int, error) { return d.Reader.Read(p) }

// FuzzServe gives the card's side any bytes of a reader: each command is answered by exactly one message.
func FuzzServe(f *testing.F) {
	for _, text := range []string{"000104", "000101000104000700a40400023f00", "0000", "ffff00", "000105", "0002"} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		conn := &duplex{Reader: bytes.NewReader(said)}
		if err := serve(conn, &brief{}); err == nil {
			t.Fatal("a connection without an end")
		}
		want, reader := 0, bytes.NewReader(said)
		for {
			message, err := Read(reader)
			if err != nil || len(message) == 1 && message[0] > 2 && message[0] != byte(GetATR) {
				break
			}
			if len(message) > 1 || message[0] == byte(GetATR) {
				want++
			}
		}
		for answers := &conn.Buffer; answers.Len() > 0; want-- {
			if answer, err := Read(answers); err != nil || len(answer) < 2 {
				t.Fatalf("an answer of %d bytes, %v", len(answer), err)
			}
		}
		if want != 0 {
			t.Fatalf("%d answers are missing", want)
		}
	})
}
