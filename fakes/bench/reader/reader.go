// Package reader is a terminal's contactless reader in software: the half of ISO/IEC 14443-4 that
// activates a card, sends it commands in blocks, and asks again when nothing comes. It holds a card to
// the standard's letter, so a simulated emulator in its field shows what a strict terminal would see.
//
//	r := reader.New(emulator, reader.Config{})
//	ats, err := r.Activate(ctx)
//	answer, err := r.Transmit(ctx, command)
//	err = r.Deselect(ctx)
package reader

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Card is what answers in the field, a frame at a time. Frames have no CRC here.
type Card interface {
	// Select wakes, identifies and selects the card (ISO/IEC 14443-3 §6.5); not ok when there is none.
	Select() (uid []byte, sak byte, ok bool)
	// Frame sends one frame and gives the answer, nil when none came within wait.
	Frame(ctx context.Context, frame []byte, wait time.Duration) []byte
}

// Config says how the reader behaves. The zero value is a sound one.
type Config struct {
	// FSDI says how long the card's frames may be; 0 means 256 bytes, as terminals have it.
	FSDI byte
	// CID is the number that the card gets, 0 to 14.
	CID byte
	// Lose, when set, is asked before each frame of the card arrives: true loses it in the air.
	Lose func(frame []byte) bool
}

const (
	// Attempts is how often a block is asked for again before the reader gives the card up.
	Attempts = 3
	// CommandLimit is the longest command with its answer, waiting-time extensions included.
	CommandLimit = 10 * time.Second
	// ResponseLimit is the longest answer in bytes that is put together from chained blocks.
	ResponseLimit = 4096

	fsdi256   = 8
	crcSize   = 2
	carrier   = 13_560_000 // Hz, §5.2.5
	blockTime = 4096       // of carrier cycles, times 2 to the power of FWI
	sak4      = 0x20
)

// Why a card did not pass.
var (
	ErrNoCard   = errors.New("no card in the field")
	ErrSilent   = errors.New("card does not answer")
	ErrProtocol = errors.New("card does not keep to ISO/IEC 14443-4")
)

// Reader is one reader with one card. It is used by one goroutine.
type Reader struct {
	card   Card
	cfg    Config
	number byte // of the next block
	fsc    int
	fwt    time.Duration
	cidOK  bool
	active bool
}

// New makes a reader.
func New(card Card, cfg Config) *Reader {
	if cfg.FSDI == 0 {
		cfg.FSDI = fsdi256
	}
	return &Reader{card: card, cfg: cfg}
}

// UID selects the card and gives its number. Error: ErrNoCard, ErrProtocol.
func (r *Reader) UID() ([]byte, error) {
	uid, sak, ok := r.card.Select()
	if !ok {
		return nil, ErrNoCard
	}
	if sak&sak4 == 0 {
		return nil, fmt.Errorf("%w: SAK %02X does not announce it", ErrProtocol, sak)
	}
	return uid, nil
}

// Activate selects the card and asks for its ATS. Errors: ErrNoCard, ErrSilent, ErrProtocol.
func (r *Reader) Activate(ctx context.Context) ([]byte, error) {
	r.active, r.number = false, 0
	if _, err := r.UID(); err != nil {
		return nil, err
	}
	ats := r.card.Frame(ctx, []byte{0xE0, r.cfg.FSDI<<4 | r.cfg.CID}, waiting(4))
	if ats == nil {
		return nil, ErrSilent
	}
	if err := r.learn(ats); err != nil {
		return nil, err
	}
	r.active = true
	return ats, nil
}

// learn reads the ATS, §5.2.
func (r *Reader) learn(ats []byte) error {
	if len(ats) == 0 || int(ats[0]) != len(ats) {
		return fmt.Errorf("%w: TL of the ATS", ErrProtocol)
	}
	fsci, fwi, tc, rest := byte(2), byte(4), byte(2), ats[1:]
	if len(rest) > 0 {
		t0 := rest[0]
		rest = rest[1:]
		fsci = t0 & 0x0F
		for _, part := range []struct {
			bit byte
			use func(b byte)
		}{{0x10, func(byte) {}}, {0x20, func(b byte) { fwi = b >> 4 }}, {0x40, func(b byte) { tc = b }}} {
			if t0&part.bit == 0 {
				continue
			}
			if len(rest) == 0 {
				return fmt.Errorf("%w: ATS is cut", ErrProtocol)
			}
			part.use(rest[0])
			rest = rest[1:]
		}
	}
	r.fsc, r.fwt, r.cidOK = frameSize(fsci), waiting(fwi), tc&2 != 0
	if r.cfg.CID != 0 && !r.cidOK {
		return fmt.Errorf("%w: the card knows no CID", ErrProtocol)
	}
	return nil
}

// waiting is the frame waiting time for an exponent, §5.2.5.
func waiting(fwi byte) time.Duration {
	return time.Second * (blockTime << fwi) / carrier
}

// frameSize is the frame size for an exponent, §5.1.
func frameSize(exponent byte) int {
	sizes := []int{16, 24, 32, 40, 48, 64, 96, 128, 256}
	return sizes[min(int(exponent), len(sizes)-1)]
}

// Waiting is the card's frame waiting time.
func (r *Reader) Waiting() time.Duration { return r.fwt }

// Deselect ends the session. Errors: ErrSilent, ErrProtocol.
func (r *Reader) Deselect(ctx context.Context) error {
	if !r.active {
		return ErrNoCard
	}
	r.active = false
	block := r.withCID(0xC2, nil)
	answered := false
	for range Attempts {
		answer := r.card.Frame(ctx, block, r.fwt)
		if answer == nil {
			continue
		}
		if answered = true; r.lost(answer) {
			continue
		}
		if string(answer) != string(block) {
			return fmt.Errorf("%w: answer to DESELECT", ErrProtocol)
		}
		return nil
	}
	if answered {
		return nil // the card has gone to sleep, only we did not hear it
	}
	return ErrSilent
}

func (r *Reader) lost(frame []byte) bool { return r.cfg.Lose != nil && r.cfg.Lose(frame) }

// withCID makes a block with the card's number where there is one.
func (r *Reader) withCID(pcb byte, inf []byte) []byte {
	b := []byte{pcb}
	if r.cfg.CID != 0 {
		b = []byte{pcb | 8, r.cfg.CID}
	}
	return append(b, inf...)
}
