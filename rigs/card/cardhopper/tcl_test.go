package cardhopper

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// exchange is one frame of the terminal and what the card must do. answer is given to the protocol when
// the command is complete.
type exchange struct {
	frame  string
	what   event
	answer string
	reply  string
}

// The scenarios are those of ISO/IEC 14443-4 Annex B, from the card's side, and what goes wrong on purpose.
func TestBlockProtocol(t *testing.T) {
	long := strings.Repeat("AB", 30)
	for _, c := range []struct {
		name  string
		steps []exchange
	}{
		{"numbers toggle", []exchange{
			{"E080", selected, "", ""}, {"02 00A4", commanded, "9000", "02 9000"}, {"03 00B2", commanded, "9000", "03 9000"}, {"02 00B2", commanded, "6A83", "02 6A83"},
		}},
		{"a new session begins with 0", []exchange{
			{"E080", selected, "", ""}, {"02 01", commanded, "9000", "02 9000"}, {"E080", selected, "", ""}, {"02 01", commanded, "9000", "02 9000"},
		}},
		{"deselect", []exchange{
			{"E080", selected, "", ""}, {"C2", deselected, "", "C2"}, {"02 01", misaddressed, "", ""},
		}},
		{"the terminal chains", []exchange{
			{"E080", selected, "", ""}, {"12 00A4", nothing, "", "A2"}, {"13 0400", nothing, "", "A3"}, {"02 01", commanded, "9000", "02 9000"},
		}},
		{"the card chains", []exchange{ // FSDI 0: frames of 16 bytes, 13 of them content
			{"E000", selected, "", ""}, {"02 00", commanded, long, "12 " + long[:26]},
			{"A3", nothing, "", "13 " + long[:26]}, {"A2", nothing, "", "02 " + long[:8]},
		}},
		{"the terminal's block was lost", []exchange{
			{"E080", selected, "", ""}, {"B2", nothing, "", "A3"}, {"02 01", commanded, "9000", "02 9000"},
		}},
		{"the card's answer was lost", []exchange{
			{"E080", selected, "", ""}, {"02 01", commanded, "9000", "02 9000"}, {"B2", askedAgain, "", "02 9000"}, {"03 01", commanded, "9000", "03 9000"},
		}},
		{"a block of the card's chain was lost", []exchange{
			{"E000", selected, "", ""}, {"02 00", commanded, long, "12 " + long[:26]}, {"A3", nothing, "", "13 " + long[:26]},
			{"A3", askedAgain, "", "13 " + long[:26]}, {"A2", nothing, "", "02 " + long[:8]},
		}},
		{"the receipt of a chained block was lost", []exchange{
			{"E080", selected, "", ""}, {"12 00A4", nothing, "", "A2"}, {"B2", askedAgain, "", "A2"}, {"03 04", commanded, "9000", "03 9000"},
		}},
		{"a number of its own", []exchange{
			{"E085", selected, "", ""}, {"0A05 01", commanded, "9000", "0A05 9000"}, {"0B04 01", misaddressed, "", ""}, {"03 01", misaddressed, "", ""},
			{"BA05", askedAgain, "", "0A05 9000"}, {"CA05", deselected, "", "CA05"},
		}},
		{"no NAD", []exchange{{"E080", selected, "", ""}, {"06 01 00", misaddressed, "", ""}}},
		{"reserved blocks", []exchange{{"E080", selected, "", ""}, {"40", misaddressed, "", ""}, {"E2", misaddressed, "", ""}, {"A2 00", misaddressed, "", ""}, {"A3", askedAgain, "", ""}}},
		{"reserved CID", []exchange{{"E08F", misaddressed, "", ""}, {"02 01", misaddressed, "", ""}}},
		{"not selected", []exchange{{"02 01", misaddressed, "", ""}}},
	} {
		var p protocol
		for i, step := range c.steps {
			what, reply := p.take(unhex(t, step.frame))
			if what == commanded {
				p.taken()
				reply = p.answer(unhex(t, step.answer))
			}
			if want := unhex(t, step.reply); what != step.what || !bytes.Equal(reply, want) {
				t.Errorf("%s, step %d (%s): event %d, reply %X, want %d, %X", c.name, i+1, step.frame, what, reply, step.what, want)
			}
		}
	}
}

func TestCommandTooLong(t *testing.T) {
	var p protocol
	p.take([]byte{0xE0, 0x80})
	block := append([]byte{0x12}, make([]byte, 100)...)
	for range 2 {
		p.take(block)
	}
	if what, _ := p.take(block); what != misaddressed || p.command != nil {
		t.Errorf("a command of 300 bytes is event %d", what)
	}
}

func FuzzProtocol(f *testing.F) {
	f.Add(unhex(f, "02E0800502 00A40400 01A3"))
	f.Add(unhex(f, "02E000 02 0200 01A3 01B2 01C2"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var p protocol
		for len(in) > 0 {
			n := min(int(in[0])%maxFrame+1, len(in))
			what, reply := p.take(in[:n])
			if what == commanded {
				p.taken()
				reply = p.answer(append(bytes.Repeat([]byte{1}, n*3), 0x90, 0))
			}
			if len(reply) > maxPacket || len(p.command) > 261 || p.active && len(reply) > p.room+2 {
				t.Fatalf("a block of %d bytes, room for %d", len(reply), p.room)
			}
			in = in[n:]
		}
	})
}
