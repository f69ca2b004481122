package chameleon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// What the firmware's static table can hold (nfc_14a_4.h).
const (
	// MaxPairs is how many commands it answers. More are dropped without an error.
	MaxPairs = 12
	// MaxPrefix is how many bytes of a command it compares.
	MaxPrefix = 16
	// MaxAnswer is the longest answer in bytes, SW1 SW2 included.
	MaxAnswer = 253
)

// pair answers every command that begins with prefix.
type pair struct {
	prefix, answer []byte
}

// table is searched from its beginning, as the firmware does; the first that fits wins.
type table []pair

// add puts a pair in, its prefix cut to what the firmware compares. Errors: *LimitError.
func (t *table) add(prefix, answer []byte) error {
	prefix = prefix[:min(len(prefix), MaxPrefix)]
	if len(answer) > MaxAnswer {
		return &LimitError{Reason: fmt.Sprintf("the answer to %s has %d bytes, the table holds at most %d", name(prefix), len(answer), MaxAnswer)}
	}
	if known, ok := t.find(prefix); ok {
		if bytes.Equal(known, answer) {
			return nil
		}
		return &LimitError{Reason: fmt.Sprintf("the table compares %d bytes, and two %s that differ later have different answers", MaxPrefix, name(prefix))}
	}
	if len(*t) == MaxPairs {
		return &LimitError{Reason: fmt.Sprintf("the card needs more than %d answers", MaxPairs)}
	}
	*t = append(*t, pair{prefix: prefix, answer: answer})
	return nil
}

// find gives the answer that the firmware gives to a command.
func (t table) find(command []byte) ([]byte, bool) {
	for _, p := range t {
		if bytes.HasPrefix(command, p.prefix) {
			return p.answer, true
		}
	}
	return nil, false
}

// encode gives the data of cmdStatic.
func (p pair) encode() []byte {
	b := append([]byte{byte(len(p.prefix))}, p.prefix...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.answer)))
	return append(b, p.answer...)
}

// LimitError says that a static table can't stand in for the card: this emulator is not able to do it.
type LimitError struct {
	Reason string // without card data
	// Live are the commands whose answers depend on what the terminal sends, if that is the reason.
	Live []string
}

func (e *LimitError) Error() string {
	reason := e.Reason
	if len(e.Live) > 0 {
		reason = strings.Join(e.Live, ", ") + " can't be answered in advance: there are no live cryptograms"
	}
	return "ChameleonUltra answers from a static table: " + reason + "; use an emulator with a live chip (driver: cardhopper or relay)"
}

// ErrUnanswered is the fault of a card's session in which the terminal sent a command that the
// table lacks. What the terminal did next is no fault of the terminal.
var ErrUnanswered = errors.New("the terminal sent a command that the static table lacks")

// name gives a command's name without its data.
func name(command []byte) string {
	if len(command) < 2 {
		return "a command"
	}
	names := map[byte]string{
		insSelect: "SELECT", insProcessing: "GET PROCESSING OPTIONS", insRead: "READ RECORD", insGenerate: "GENERATE AC",
		insChecksum: "COMPUTE CRYPTOGRAPHIC CHECKSUM", 0x82: "EXTERNAL AUTHENTICATE", 0x88: "INTERNAL AUTHENTICATE",
		0xCA: "GET DATA", 0x84: "GET CHALLENGE", 0x20: "VERIFY",
	}
	if known, ok := names[command[1]]; ok {
		return known
	}
	return fmt.Sprintf("instruction %02X", command[1])
}
