package terminal

import (
	"context"
	"net"
	"net/netip"
)

// Hardware is all that the application can reach. A field that is nil is a part the terminal
// was built without. Its channels are never closed: a terminal without power just hears
// nothing.
type Hardware struct {
	// Keys delivers the name of each key as it closes, debounced.
	Keys    <-chan string
	Display Display
	Stripe  <-chan Swipe
	Chip    ChipReader
	Field   FieldReader
	Printer Printer
	// PINPad says why no PIN can be entered; nil, or a nil error, where one can.
	PINPad func() error
	// Signal makes the beeper sound or lights change; nil where there are none. Its words are the Signal… constants.
	Signal func(what string)
	// Modem says why the mobile network can't be used: ErrNoSIM or ErrNoSignal; nil, or a nil error, where it can. For models with the
	// capability modem.
	Modem func() error
	// Debug writes to the service port; nil where there is none.
	Debug func(text string)
	// Dial opens a connection to the host over the named uplink ("primary").
	Dial func(ctx context.Context, uplink string) (net.Conn, error)
	// DialAt does so at an address that a name stands for, DialNames opens a connection to the name server: a
	// net.PacketConn for datagrams, anything else for a stream. Both are for models that dial by name.
	DialAt    func(ctx context.Context, uplink string, address netip.Addr) (net.Conn, error)
	DialNames func(ctx context.Context) (net.Conn, error)
	NVRAM     *NVRAM
}

// Display shows rows of text. Show replaces the whole screen.
type Display interface {
	Show(rows []string)
}

// Swipe is what the head read: a byte a symbol, with its parity bit (track 1: 7 bits,
// tracks 2 and 3: 5 bits); an absent track is empty.
type Swipe struct {
	Tracks [3][]byte
}

// ChipReader is the contact interface.
type ChipReader interface {
	// Changed delivers true when a card enters and false when it leaves the slot. It holds the newest change.
	Changed() <-chan bool
	Present() bool
	// PowerOn resets the card and returns its ATR; ErrMute when nothing answers.
	PowerOn(ctx context.Context) ([]byte, error)
	// Transmit sends a command APDU and returns the response with SW1 SW2.
	Transmit(ctx context.Context, capdu []byte) ([]byte, error)
	PowerOff()
}

// FieldReader is the contactless interface.
type FieldReader interface {
	// Changed delivers how many cards are in the field when that changes. It holds the newest change.
	Changed() <-chan int
	Cards() int
	// Activate selects the card (ISO/IEC 14443-4) and returns its ATS.
	Activate(ctx context.Context) ([]byte, error)
	// Transmit sends a command APDU and returns the response with SW1 SW2.
	Transmit(ctx context.Context, capdu []byte) ([]byte, error)
	// Release deselects the card; the field stays.
	Release()
}

// What Hardware.Signal is told.
const (
	SignalApproved = "approved"
	SignalError    = "error"
)

// Printer takes ESC/POS bytes. Write fails with ErrPaper when it is out of paper, and with another error when it is
// broken; then nothing was printed.
type Printer interface {
	Write(p []byte) (int, error)
}
