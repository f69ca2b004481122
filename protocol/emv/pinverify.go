package emv

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// PlaintextPIN is P2 of VERIFY with a PIN block of format 2 in clear (EMV Book 3 §6.5.12).
const PlaintextPIN byte = 0x80

const (
	pinBlockSize    = 8
	pinBlockControl = 0x2
	challengeSize   = 8
)

// PlaintextPINBlock is the PIN block of VERIFY: control 2, length, the digits, filled with F (ISO 9564-1 format 2).
// Error: ErrPIN.
func PlaintextPINBlock(pin string) ([]byte, error) {
	if !validPIN(pin) {
		return nil, ErrPIN
	}
	const digits = 2 * (pinBlockSize - 1)
	padded := pin + strings.Repeat("F", digits-len(pin))
	return append([]byte{pinBlockControl<<4 | byte(len(pin))}, bcd(padded)...), nil
}

// verify holds a PIN against the reference PIN (EMV Book 3 §6.5.12): 63Cx when it is wrong and x tries are left, 6983
// when none were left before.
func (c *Card) verify(_, _ byte, data []byte) ([]byte, uint16) {
	switch {
	case len(data) != pinBlockSize:
		return nil, SWWrongLength
	case c.session.app == nil:
		return nil, SWConditions
	case c.pin == "":
		return nil, SWDataNotFound
	}
	return nil, c.tryPIN(data)
}

func (c *Card) tryPIN(block []byte) uint16 {
	if c.tries == 0 {
		c.session.pinTried, c.session.pinRight = true, false
		return SWPINBlocked
	}
	want, err := PlaintextPINBlock(c.pin)
	if err != nil {
		return SWNoDiagnosis
	}
	c.session.pinTried, c.session.pinRight = true, equal(want, block)
	if !c.session.pinRight {
		c.tries--
		return SWPINWrong | uint16(c.tries)
	}
	c.tries = c.profile.limit()
	return SWOK
}

// getChallenge gives an unpredictable number (EMV Book 3 §6.5.6).
func (c *Card) getChallenge(_, _ byte, data []byte) ([]byte, uint16) {
	if len(data) != 0 {
		return nil, SWWrongLength
	}
	if c.session.app == nil {
		return nil, SWConditions
	}
	c.session.challenge = c.random.next(challengeSize)
	return c.session.challenge, SWOK
}

// generator makes the card's unpredictable numbers from a seed of its own: a terminal can't foretell them, and a test
// gets the same ones every time.
type generator struct {
	seed  [sha256.Size]byte
	count uint64
}

func newGenerator(p Profile) generator {
	h := sha256.New()
	for _, a := range p.Applications {
		h.Write(a.MasterKey)
		h.Write([]byte(a.PAN + a.sequence()))
	}
	return generator{seed: [sha256.Size]byte(h.Sum(nil))}
}

// next gives n bytes, at most 32.
func (g *generator) next(n int) []byte {
	g.count++
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(g.seed[:], g.count))
	return sum[:n]
}
