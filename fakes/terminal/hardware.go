package terminal

import (
	"context"
	"net"
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
	Printer Printer
	// Dial opens a connection to the host over the named uplink ("primary").
	Dial  func(ctx context.Context, uplink string) (net.Conn, error)
	NVRAM *NVRAM
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

// Printer takes ESC/POS bytes. Write fails when it is out of paper or broken.
type Printer interface {
	Write(p []byte) (int, error)
}
