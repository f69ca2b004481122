// Package tap is the debug serial line of a terminal on which its display driver prints every
// screen, mixed with whatever else the firmware prints:
//
//	[NET] state 3
//	[LCD] begin
//	[LCD] 0|ENTER AMOUNT
//	[LCD] 1|12.50
//	[LCD] end
//
// Lines end with CR LF. Text is in the screen's encoding; a row that is wider than the screen
// goes on in the next one, and rows below the last are not there, as on the glass. The line never
// holds up the terminal: when nobody reads it, screens are lost.
package tap

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/assay-hil/assay/fakes/bench/line"
	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fixtures/terminals"
)

const (
	// RowLimit is how many rows are printed of a screen whose profile does not say how many it has.
	RowLimit = 64
	// lineEnd ends every line.
	lineEnd = "\r\n"
)

// Faults are ways in which the tap misbehaves.
type Faults struct {
	// Dark: nothing is sent. The screen itself works.
	Dark bool
	// GarbleEvery: every n-th line arrives with a bit flipped; 0 switches it off.
	GarbleEvery int
}

// Config says what screen is tapped.
type Config struct {
	// Screen gives the encoding, the columns and the rows; 0 means no limit to either.
	Screen terminals.Screen
	Faults Faults
}

// Tap is one debug line.
type Tap struct {
	line   *line.Line
	screen terminals.Screen
	encode func(text string) []byte
	faults Faults

	ignoring sync.WaitGroup

	mu   sync.Mutex // never held while waiting
	sent int        // lines, for GarbleEvery
}

// New starts a tap on the port, which belongs to it from then on, and is closed when New fails:
// ErrEncoding for an encoding other than utf-8, gbk and gb18030.
func New(port io.ReadWriteCloser, cfg Config) (*Tap, error) {
	encode, err := encoder(cfg.Screen.Encoding)
	if err != nil {
		_ = port.Close()
		return nil, err
	}
	t := &Tap{line: line.Open(port), screen: cfg.Screen, encode: encode, faults: cfg.Faults}
	t.ignoring.Go(t.ignore)
	return t, nil
}

// ignore takes what is sent to the terminal on this line; it ends with the line.
func (t *Tap) ignore() {
	for range t.line.Received() {
	}
}

// Attach gives the display of a terminal that has its supply until ctx ends. What is shown after
// that is not seen.
func (t *Tap) Attach(ctx context.Context) terminal.Display { return display{ctx, t} }

type display struct {
	supply context.Context
	tap    *Tap
}

// Show prints a screen.
func (d display) Show(rows []string) {
	if d.supply.Err() != nil {
		return
	}
	rows = d.tap.fit(rows)
	lines := make([][]byte, 0, len(rows)+2)
	lines = append(lines, []byte("[LCD] begin"))
	for i, row := range rows {
		lines = append(lines, append(fmt.Appendf(nil, "[LCD] %d|", i), d.tap.encode(row)...))
	}
	d.tap.send(append(lines, []byte("[LCD] end")))
}

// Debug prints a line that is not about the screen.
func (t *Tap) Debug(text string) { t.send([][]byte{t.encode(text)}) }

// Cut forgets what was not sent yet: the supply is gone.
func (t *Tap) Cut() { t.line.Discard() }

// Close closes the port and waits for the goroutines.
func (t *Tap) Close() error {
	err := t.line.Close()
	t.ignoring.Wait()
	return err
}

// send queues lines as one piece.
func (t *Tap) send(lines [][]byte) {
	if t.faults.Dark {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []byte
	for _, l := range lines {
		t.sent++
		if n := t.faults.GarbleEvery; n > 0 && t.sent%n == 0 && len(l) > 0 {
			l[len(l)/2] ^= 0x10 // makes neither CR nor LF of what is printable
		}
		out = append(append(out, l...), lineEnd...)
	}
	t.line.Send(out)
}
