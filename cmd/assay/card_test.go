package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
)

// runCard runs a card command to its end.
func runCard(ctx context.Context, args ...string) (code int, out, complaint string) {
	var stdout, stderr bytes.Buffer
	code = run(ctx, append([]string{"card"}, args...), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestCardList(t *testing.T) {
	all, err := cards.All()
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ := runCard(t.Context(), "list")
	if lines := strings.Count(out, "\n"); code != exitPass || lines != len(all) || lines < 40 {
		t.Fatalf("exit %d, %d lines of %d cards", code, lines, len(all))
	}
	_, asJSON, _ := runCard(t.Context(), "list", "--json")
	decoder, seen := json.NewDecoder(strings.NewReader(asJSON)), 0
	for decoder.More() {
		var line cardLine
		if err := decoder.Decode(&line); err != nil || line.ID == "" || len(line.Interfaces) == 0 {
			t.Fatalf("%+v, %v", line, err)
		}
		seen++
	}
	if seen != len(all) {
		t.Fatalf("%d objects", seen)
	}
	for _, c := range all {
		_, shown, _ := runCard(t.Context(), "show", c.ID)
		if !strings.Contains(shown, c.Title) {
			t.Errorf("show %s: %s", c.ID, shown)
		}
		for _, secret := range []string{c.PAN, c.Stripe.PAN} {
			if secret != "" && strings.Contains(out+asJSON+shown, secret) {
				t.Errorf("%s: its number is told", c.ID)
			}
		}
		if slices.Contains(strings.Fields(shown), c.PIN) {
			t.Errorf("%s: its PIN is told", c.ID)
		}
	}
}

func TestCardComplaints(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"show offline-declin", `did you mean "offline-decline"?`},
		{"serve --card vsa", `did you mean "visa"?`},
		{"serve", "--card is missing"},
		{"serve --card stripe", "the card has no chip"},
		{"serve --card mastercard --interface contactless", "has no contactless side"},
		{"serve --card visa --interface contactles", `did you mean "contactless"?`},
		{"serve --card visa --vpcd 127.0.0.1", "an address is host:port"},
		{"serve --card visa --wait 1h", "at most 10m0s"},
		{"serve --crad visa", `did you mean "--card"?`},
		{"lst", `did you mean "list"?`},
	} {
		if code, _, complaint := runCard(t.Context(), strings.Fields(c.args)...); code != exitUsage || !strings.Contains(complaint, c.want) {
			t.Errorf("%s: exit %d, %s; want %q", c.args, code, complaint, c.want)
		}
	}
}

// inReader is a card in the reader of a test.
type inReader struct {
	reader net.Conn
	line   plugged
	code   chan int
	pull   context.CancelFunc
}

// serveCard lets card serve connect to a reader that listens.
func serveCard(t *testing.T, args ...string) inReader {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ctx, pull := context.WithCancel(t.Context())
	t.Cleanup(pull)
	out, in := io.Pipe()
	s := inReader{code: make(chan int, 1), pull: pull}
	go func() {
		s.code <- run(ctx, append([]string{"card", "serve", "--vpcd", listener.Addr().String()}, args...), in, io.Discard)
	}()
	if s.reader, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.reader.Close() })
	if err := json.NewDecoder(out).Decode(&s.line); err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a message of a reader and gives the answer.
func (s inReader) ask(t *testing.T, message string) []byte {
	t.Helper()
	if _, err := io.WriteString(s.reader, message); err != nil {
		t.Fatal(err)
	}
	var header [2]byte
	if _, err := io.ReadFull(s.reader, header[:]); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, int(header[0])<<8|int(header[1]))
	if _, err := io.ReadFull(s.reader, answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

const (
	askATR    = "\x00\x01\x04"
	askPPSE   = "\x00\x14\x00\xA4\x04\x00\x0E2PAY.SYS.DDF01\x00"
	ppseBegin = "\x6F"
)

func TestCardServe(t *testing.T) {
	for side, atr := range map[string]string{"contact": "\x3B\x65\x00\x00\x20\x63\xCB\x68\x00", "contactless": "\x3B\x80\x80\x01\x01"} {
		s := serveCard(t, "--card", "visa", "--interface", side)
		if s.line.Card != "visa" || s.line.Interface != side || s.line.PID == 0 {
			t.Errorf("%s: %+v", side, s.line)
		}
		if got := s.ask(t, askATR); string(got) != atr {
			t.Errorf("%s: answer to reset %X", side, got)
		}
		if got := s.ask(t, askPPSE); !bytes.HasPrefix(got, []byte(ppseBegin)) || !bytes.HasSuffix(got, []byte{0x90, 0x00}) {
			t.Errorf("%s: PPSE %X", side, got)
		}
		s.pull()
		if _, err := s.reader.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the card is still in", side)
		}
		if code := <-s.code; code != exitPass {
			t.Errorf("%s: exit %d", side, code)
		}
	}
}

func TestCardServeReaderGoes(t *testing.T) {
	s := serveCard(t, "--card", "visa")
	_ = s.reader.Close()
	if code := <-s.code; code != exitInconclusive {
		t.Errorf("exit %d", code)
	}
}

func TestCardServeWithoutReader(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, complaint := runCard(t.Context(), "serve", "--card", "visa", "--vpcd", address, "--wait", "150ms"); code != exitInconclusive || !strings.Contains(complaint, "no vpcd at "+address) {
		t.Errorf("exit %d, %s", code, complaint)
	}
	pulled, pull := context.WithCancel(t.Context())
	pull()
	if code, _, complaint := runCard(pulled, "serve", "--card", "visa", "--vpcd", address); code != exitPass {
		t.Errorf("pulled while it looked for its reader: exit %d, %s", code, complaint)
	}
}
